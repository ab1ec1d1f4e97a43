using System.Globalization;
using System.Text;

namespace Rl.Distributed.Node.Http;

/// <summary>The samples of one scrape, gathered by family, and written in Prometheus' text format 0.0.4.</summary>
/// <remarks>One thread uses it. A second sample with the same name and labels takes the place of the first.</remarks>
internal sealed class MetricsPage
{
    private readonly Dictionary<string, Family> _families = [];

    /// <summary>A number that only grows while the process lives; the name ends in <c>_total</c>.</summary>
    /// <exception cref="ArgumentException">A name breaks the format's rules, or the family is known otherwise.</exception>
    public void Counter(string name, string help, double value, params ReadOnlySpan<(string Name, string Value)> labels) =>
        Add(name, "counter", help, value, labels);

    /// <summary>A number that goes up and down.</summary>
    /// <exception cref="ArgumentException">A name breaks the format's rules, or the family is known otherwise.</exception>
    public void Gauge(string name, string help, double value, params ReadOnlySpan<(string Name, string Value)> labels) =>
        Add(name, "gauge", help, value, labels);

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (name, family) in _families.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            text.Append($"# HELP {name} {Escaped(family.Help, quotes: false)}\n# TYPE {name} {family.Type}\n");
            foreach (var (labels, value) in family.Samples) text.Append($"{name}{labels} {Number(value)}\n");
        }
        return text.ToString();
    }

    internal static void CheckFamily(string name, string type)
    {
        if (!name.StartsWith("rl_", StringComparison.Ordinal) || !name.All(IsNameSign))
            throw new ArgumentException($"Metric '{name}': names begin with rl_ and are of letters, digits and _.", nameof(name));
        if (type == "counter" != name.EndsWith("_total", StringComparison.Ordinal))
            throw new ArgumentException($"Metric '{name}': names of counters, and no others, end in _total.", nameof(name));
    }

    private static bool IsNameSign(char letter) => char.IsAsciiLetterOrDigit(letter) || letter == '_';

    private static string Number(double value) => value switch
    {
        double.NaN => "NaN",
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static string Escaped(string text, bool quotes)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }

    private static string Text(ReadOnlySpan<(string Name, string Value)> labels)
    {
        if (labels.IsEmpty) return "";
        var text = new StringBuilder("{");
        foreach (var (name, value) in labels)
        {
            var reserved = name.StartsWith("__", StringComparison.Ordinal);
            if (name.Length == 0 || char.IsAsciiDigit(name[0]) || reserved || !name.All(IsNameSign))
                throw new ArgumentException($"Label '{name}': names begin with a letter and are of letters, digits and _.", nameof(labels));
            text.Append($"{(text.Length > 1 ? "," : "")}{name}=\"{Escaped(value, quotes: true)}\"");
        }
        return text.Append('}').ToString();
    }

    private void Add(string name, string type, string help, double value, ReadOnlySpan<(string Name, string Value)> labels)
    {
        if (!_families.TryGetValue(name, out var family))
        {
            CheckFamily(name, type);
            _families.Add(name, family = new Family(type, help, []));
        }
        if ((family.Type, family.Help) != (type, help))
            throw new ArgumentException($"Metric '{name}' is a {family.Type} with another description already.", nameof(name));
        family.Samples[Text(labels)] = value;
    }

    private sealed record Family(string Type, string Help, Dictionary<string, double> Samples);
}
