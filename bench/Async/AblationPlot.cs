using System.Globalization;
using System.Text;

namespace Rl.Distributed.Bench.Async;

/// <summary>Two plots side by side as SVG: scores over learning rates, and the same scores sorted.</summary>
internal static class AblationPlot
{
    private const int Width = 400, Height = 340, Left = 56, Right = 14, Top = 56, Bottom = 48;
    private static readonly string[] Colors = ["#1f77b4", "#ff7f0e", "#2ca02c"];

    /// <param name="title">What ran.</param>
    /// <param name="names">Of the lines.</param>
    /// <param name="rates">Learning rates, ascending.</param>
    /// <param name="scores">Of each line, one a rate.</param>
    public static string Draw(string title, string[] names, double[] rates, double[][] scores)
    {
        var svg = new StringBuilder();
        Line($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {2 * Width} {Height}\" font-family=\"sans-serif\" font-size=\"12\">");
        Line($"<rect width=\"{2 * Width}\" height=\"{Height}\" fill=\"white\"/><text x=\"{Left}\" y=\"20\" font-size=\"13\">{title}</text>");
        foreach (var (i, name) in names.Index())
            Line($"<text x=\"{Left + 150 * i}\" y=\"40\" fill=\"{Colors[i]}\">{name}</text>");
        var (low, high) = (Math.Min(0, scores.Min(line => line.Min())), scores.Max(line => line.Max()));
        double[] decades = [.. rates.Select(Math.Log10)];
        Panel(0, decades, scores, "learning rate", x => Math.Pow(10, x).ToString("0.#E-0", CultureInfo.InvariantCulture), -4, -2);
        var label = "learning rates, from best to worst";
        double[] ranks = [.. Enumerable.Range(1, rates.Length).Select(rank => (double)rank)];
        double[][] sorted = [.. scores.Select(line => line.OrderDescending().ToArray())];
        Panel(Width, ranks, sorted, label, x => x.ToString("0", CultureInfo.InvariantCulture), 0, rates.Length);
        Line($"</svg>");
        return svg.ToString();

        void Line(FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

        void Panel(int offset, double[] xs, double[][] lines, string name, Func<double, string> tick, double first, double last)
        {
            for (var i = 0; i <= 4; i++)
            {
                var y = low + (high - low) * i / 4;
                Line($"<path d=\"M{offset + Left} {Y(y):F1}H{offset + Width - Right}\" stroke=\"#ddd\"/>");
                Line($"<text x=\"{offset + Left - 6}\" y=\"{Y(y) + 4:F1}\" text-anchor=\"end\">{y:0.#}</text>");
            }
            for (var i = 0; i <= 4; i++)
            {
                var x = first + (last - first) * i / 4;
                Line($"<text x=\"{X(x):F1}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{tick(x)}</text>");
            }
            Line($"<text x=\"{offset + (Width + Left) / 2}\" y=\"{Height - 10}\" text-anchor=\"middle\">{name}</text>");
            foreach (var (i, line) in lines.Index())
            {
                var points = string.Join(' ', line.Select((y, j) => FormattableString.Invariant($"{X(xs[j]):F1},{Y(y):F1}")));
                Line($"<polyline points=\"{points}\" fill=\"none\" stroke=\"{Colors[i]}\" stroke-width=\"1.5\"/>");
            }

            double X(double x) => offset + Left + (x - first) / (last - first) * (Width - Left - Right);
            double Y(double y) => Height - Bottom - (y - low) / (high - low) * (Height - Top - Bottom);
        }
    }
}
