using System.Globalization;

namespace Rl.Distributed.Bench.Async;

/// <summary>What ε does to the update, measured on a run: <c>epsilon a3c environment [--name value ...]</c>.</summary>
/// <remarks>
/// On one thread, so that the numbers can be had again; g is looked at early, after some time and late. What a gradient times the learning
/// rate is multiplied by is 1/√(g + ε) with ε inside the root, and 1/(√g + ε) outside.
/// </remarks>
internal static class AsyncEpsilon
{
    private static readonly double[] Parts = [0.05, 0.3, 0.9], Quantiles = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1];
    private static readonly double[] Epsilons = [0.1, 0.01, 1e-5];

    public static void Run(AsyncArguments arguments, string[] words)
    {
        foreach (var part in Parts)
        {
            var frames = (long)(arguments.Frames * part);
            var run = new AsyncRun(arguments, arguments.Seed);
            var mean = run.RunAlone(frames);
            double[] roots = [.. run.Squares.ToArray().Select(square => Math.Sqrt(square)).Order()];
            var norm = Math.Sqrt(roots.Sum(root => root * root));
            Write($"{string.Join(' ', words)}: {frames:N0} frames, mean return {mean:F1}, norm of all √g {norm:F2}");
            Write($"share with less, √g    {string.Concat(Epsilons.Select(epsilon => Text($"{epsilon,14} inside {epsilon,13} outside")))}");
            foreach (var quantile in Quantiles)
            {
                var root = roots[Math.Min(roots.Length - 1, (int)(roots.Length * quantile))];
                Write($"{quantile,8:P0}     {root:E2}{Row(epsilon => Inside(root, epsilon), epsilon => Outside(root, epsilon))}");
            }
            // A gradient of the size of √g, which is what most are.
            Write($"mean step of d = √g, in η{Row(epsilon => Step(Inside, epsilon), epsilon => Step(Outside, epsilon))}");

            double Step(Func<double, double, double> factor, double epsilon) => roots.Average(root => root * factor(root, epsilon));
        }
    }

    private static double Inside(double root, double epsilon) => 1 / Math.Sqrt(root * root + epsilon);

    private static double Outside(double root, double epsilon) => 1 / (root + epsilon);

    private static string Row(Func<double, double> inside, Func<double, double> outside) =>
        string.Concat(Epsilons.Select(epsilon => Text($"{inside(epsilon),21:F3} {outside(epsilon),21:F3}")));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void Write(FormattableString line) => Console.WriteLine(Text(line));
}
