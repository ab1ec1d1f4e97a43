using System.Reflection;
using Rl.Distributed.Core;

namespace Rl.Distributed.Node.Configuration;

/// <summary>The presets that the program carries: the files of /presets, by name.</summary>
internal static class Presets
{
    private const string Prefix = "presets/";

    private static readonly Assembly Home = typeof(Presets).Assembly;

    public static IReadOnlyList<string> Names { get; } = [.. Home.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
        .Select(name => name[Prefix.Length..])
        .Order(StringComparer.Ordinal)];

    /// <summary>The YAML text of a preset.</summary>
    /// <exception cref="ConfigException">There is no preset of that name.</exception>
    public static string Read(string name)
    {
        if (!Names.Contains(name)) throw Missing(name);
        using var stream = Home.GetManifestResourceStream(Prefix + name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>What the comment on a preset's first line says.</summary>
    public static string Description(string name) => Read(name).Split('\n')[0].TrimStart('#', ' ').TrimEnd();

    private static ConfigException Missing(string name) => new(
        $"There is no preset '{name}'{NearestName.Hint(name, Names)} `rl list` shows all; a path to a YAML file is accepted too.");
}
