using System.Globalization;
using System.Text.RegularExpressions;

namespace Rl.Distributed.Node.Tests.Http;

/// <summary>Reads Prometheus' text format 0.0.4, and refuses what breaks its rules.</summary>
internal static partial class PrometheusText
{
    /// <returns>Values by name and labels, unescaped and sorted: <c>name{a=x,b=y}</c>.</returns>
    public static Dictionary<string, double> Parse(string text)
    {
        Assert.EndsWith("\n", text);
        Assert.DoesNotContain('\r', text);
        var samples = new Dictionary<string, double>();
        var types = new Dictionary<string, string>();
        var (family, helped) = ("", "");
        foreach (var line in text[..^1].Split('\n'))
        {
            if (Help().Match(line) is { Success: true } help)
            {
                helped = help.Groups["name"].Value;
                continue;
            }
            if (Type().Match(line) is { Success: true } type)
            {
                family = type.Groups["name"].Value;
                Assert.Equal(helped, family);
                Assert.True(types.TryAdd(family, type.Groups["type"].Value), $"{family} comes twice");
                continue;
            }
            var sample = Sample().Match(line);
            Assert.True(sample.Success, $"not in the format: {line}");
            Assert.Equal(family, sample.Groups["name"].Value);
            var labels = Label().Matches(sample.Groups["labels"].Value).Select(label => $"{label.Groups[1].Value}={Unescaped(label.Groups[2].Value)}").ToList();
            Assert.Equal(labels.Count, labels.Select(label => label.Split('=')[0]).Distinct().Count());
            var key = family + (labels.Count == 0 ? "" : $"{{{string.Join(',', labels.Order(StringComparer.Ordinal))}}}");
            var value = Value(sample.Groups["value"].Value);
            Assert.True(samples.TryAdd(key, value), $"{key} comes twice");
            if (types[family] == "counter") Assert.True(value >= 0, $"{key} is a counter of {value}");
        }
        return samples;
    }

    private static double Value(string text) => text switch
    {
        "NaN" => double.NaN,
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    private static string Unescaped(string text) => Escape().Replace(text, match => match.Value switch { @"\n" => "\n", var other => other[1..] });

    [GeneratedRegex(@"^# HELP (?<name>rl_[a-z0-9_]+) ([^\\]|\\\\|\\n)+$")]
    private static partial Regex Help();

    [GeneratedRegex(@"^# TYPE (?<name>rl_[a-z0-9_]+) (?<type>counter|gauge)$")]
    private static partial Regex Type();

    [GeneratedRegex("""^(?<name>rl_[a-z0-9_]+)(\{(?<labels>[a-z_]+="([^"\\]|\\["\\n])*"(,[a-z_]+="([^"\\]|\\["\\n])*")*)\})? (?<value>NaN|[+-]Inf|-?[0-9.]+(E[+-]?[0-9]+)?)$""")]
    private static partial Regex Sample();

    [GeneratedRegex("""([a-z_]+)="((?:[^"\\]|\\.)*)"(,|$)""")]
    private static partial Regex Label();

    [GeneratedRegex(@"\\.")]
    private static partial Regex Escape();
}
