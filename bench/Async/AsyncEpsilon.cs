using System.Globalization;

namespace Rl.Distributed.Bench.Async;

/// <summary>What ε does to the update, measured on a run: <c>epsilon a3c environment [--name value ...]</c>.</summary>
/// <remarks>One thread, so that the numbers can be had again. g is taken at tenths of the run; 1/√(g + ε) and 1/(√g + ε) are what the learning
/// rate times a gradient is multiplied by.</remarks>
internal static class AsyncEpsilon
{
    private static readonly double[] Quantiles = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1];

    public static void Run(AsyncArguments arguments, string[] words)
    {
        foreach (var part in (double[])[0.05, 0.3, 0.9])
        {
            var frames = (long)(arguments.Frames * part);
            var run = new AsyncRun(arguments, arguments.Seed);
            var mean = run.RunAlone(frames);
            double[] roots = [.. run.Squares.ToArray().Select(square => Math.Sqrt(square)).Order()];
            Write($"{string.Join(' ', words)}: {frames:N0} frames, mean return {mean:F1}, norm of all √g {Math.Sqrt(roots.Sum(root => root * root)):F2}");
            Write($"share of √g    √g           inside 0.1  outside 0.1  inside 0.01  outside 0.01  inside 1e-5  outside 1e-5");
            foreach (var quantile in Quantiles)
            {
                var root = roots[Math.Min(roots.Length - 1, (int)(roots.Length * quantile))];
                Write($"{quantile,8:P0}     {root:E2} {Inside(root, 0.1),12:F2} {Outside(root, 0.1),12:F2} {Inside(root, 0.01),12:F2} {Outside(root, 0.01),13:F2} {Inside(root, 1e-5),12:F1} {Outside(root, 1e-5),13:F1}");
            }
            // A gradient of the size of √g, which is what most are.
            Write($"mean step/η of a gradient of √g: {Step(roots, Inside, 0.1):F3} {Step(roots, Outside, 0.1):F3} {Step(roots, Inside, 0.01):F3} {Step(roots, Outside, 0.01):F3} {Step(roots, Inside, 1e-5):F3} {Step(roots, Outside, 1e-5):F3}");
        }
    }

    private static double Inside(double root, double epsilon) => 1 / Math.Sqrt(root * root + epsilon);

    private static double Outside(double root, double epsilon) => 1 / (root + epsilon);

    private static double Step(double[] roots, Func<double, double, double> factor, double epsilon) =>
        roots.Average(root => root * factor(root, epsilon));

    private static void Write(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
