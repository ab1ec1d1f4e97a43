namespace Rl.Distributed.Node.Output;

/// <summary>A curve in a line of text.</summary>
internal static class Sparkline
{
    private const string Bars = "▁▂▃▄▅▆▇█";

    /// <summary>Squeezes the values into at most <paramref name="width"/> characters, the mean of its share each; the
    /// lowest and the highest value give the scale. NaN values are left out.</summary>
    public static string Draw(IReadOnlyList<double> values, int width)
    {
        var known = values.Where(double.IsFinite).ToArray();
        var columns = Math.Min(width, known.Length);
        if (columns <= 0) return "";
        var means = new double[columns];
        for (var i = 0; i < columns; i++)
        {
            var (from, to) = ((int)((long)i * known.Length / columns), (int)((long)(i + 1) * known.Length / columns));
            means[i] = known.AsSpan(from, to - from).ToArray().Average();
        }
        var (low, high) = (means.Min(), means.Max());
        return string.Concat(means.Select(mean => Bars[high > low ? (int)Math.Round((mean - low) / (high - low) * (Bars.Length - 1)) : 0]));
    }
}
