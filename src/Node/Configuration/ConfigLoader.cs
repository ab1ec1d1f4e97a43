using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Configuration;

/// <summary>A value from the command line in place of the one in the file.</summary>
/// <param name="Path">Keys joined by dots, such as "learner.batch".</param>
/// <param name="Value">YAML: a scalar or a list.</param>
/// <param name="Option">The option as it was typed: errors name it.</param>
internal sealed record ConfigOverride(string Path, string Value, string Option)
{
    // Short names, as --env has one.
    private static readonly (string Short, string Path)[] Aliases = [("env.count", "workers.environmentsPerWorker"), ("env.", "environment.")];

    /// <summary>Takes "a.b=value" of <c>--set</c> apart.</summary>
    public static ConfigOverride Parse(string assignment)
    {
        var equals = assignment.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0) throw new ConfigException($"--set {assignment}: expected key=value, such as --set learner.batch=32.");
        return new ConfigOverride(FullPath(assignment[..equals].Trim()), assignment[(equals + 1)..].Trim(), $"--set {assignment}");
    }

    private static string FullPath(string path)
    {
        foreach (var (shortName, full) in Aliases)
            if (shortName.EndsWith('.') ? path.StartsWith(shortName, StringComparison.Ordinal) : path == shortName)
                return full + path[shortName.Length..];
        return path;
    }
}

/// <summary>Loads and checks a run's configuration: preset or file, then overrides.</summary>
internal static class ConfigLoader
{
    /// <summary>Loads a preset by name, or a YAML file by path.</summary>
    /// <exception cref="ConfigException">Anything is wrong with it.</exception>
    public static TrainingConfig Load(string presetOrPath, IReadOnlyList<ConfigOverride> overrides)
    {
        if (!LooksLikePath(presetOrPath)) return Parse(Presets.Read(presetOrPath), $"preset {presetOrPath}", presetOrPath, overrides);
        try
        {
            return Parse(
                File.ReadAllText(presetOrPath), presetOrPath, System.IO.Path.GetFileNameWithoutExtension(presetOrPath), overrides,
                folder: System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(presetOrPath)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{presetOrPath}: the file cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Loads YAML text.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="sourceName">What errors call it.</param>
    /// <param name="name">The preset's name where the text gives none.</param>
    /// <param name="overrides">What the command line changes.</param>
    /// <param name="environments">Those that it may name; null for all that this process knows.</param>
    /// <param name="folder">Where the path of an environment that the text names begins; null for the process's own folder.</param>
    /// <exception cref="ConfigException">Anything is wrong with it.</exception>
    public static TrainingConfig Parse(
        string yaml, string sourceName, string name, IReadOnlyList<ConfigOverride> overrides, EnvironmentRegistry? environments = null,
        string? folder = null)
    {
        var tree = YamlTree.ReadMapping(yaml, sourceName);
        foreach (var change in overrides)
        {
            var option = new ConfigSource(change.Option);
            tree.Set(change.Path.Split('.'), YamlTree.ReadValue(change.Value, option), option);
        }
        var binder = new ConfigBinder();
        var config = binder.Bind<TrainingConfig>(tree);
        if (config.Preset.Length == 0) config = config with { Preset = name };
        environments ??= KnownEnvironments.All;
        var isTyped = binder.Sources.TryGetValue("environment.name", out var source) && source.Line == 0;
        if (folder is not null && !isTyped) config = WithEnvironment(config, PluginName.From(config.Environment.Name, folder));
        ConfigRules.Check(config, new ConfigSource(sourceName), binder.Sources, environments);
        return Resolve(WithEnvironment(config, environments.Describe(config.Environment.Name).Name));
    }

    private static TrainingConfig WithEnvironment(TrainingConfig config, string name) => config with { Environment = config.Environment with { Name = name } };

    /// <summary>The environment that YAML text names; null where it names none, or is no configuration.</summary>
    public static string? EnvironmentName(string yaml) => Scalar(yaml, "environment", "name");

    /// <summary>The algorithm's name in a configuration; null where it has none, or is none.</summary>
    public static string? AlgorithmName(string yaml) => Scalar(yaml, "algorithm");

    private static string? Scalar(string yaml, params ReadOnlySpan<string> path)
    {
        try
        {
            ConfigNode? node = YamlTree.ReadMapping(yaml, "");
            foreach (var key in path) node = Find(node, key);
            return (node as ConfigScalar)?.Text;
        }
        catch (ConfigException)
        {
            return null;
        }

        static ConfigNode? Find(ConfigNode? node, string key) => (node as ConfigMapping)?.Entries.Find(entry => entry.Key == key)?.Value;
    }

    // "One a core" is decided here, once: the saved configuration must mean the same on another machine.
    private static TrainingConfig Resolve(TrainingConfig config) => config with
    {
        Workers = config.Workers with { Count = RunPlan.WorkerCount(config) },
        Learner = config.Learner with { Parallelism = RunPlan.Lanes(config) },
    };

    private static bool LooksLikePath(string text) =>
        text.Contains('/', StringComparison.Ordinal) || text.Contains('\\', StringComparison.Ordinal)
        || text.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || text.EndsWith(".yml", StringComparison.OrdinalIgnoreCase)
        || (!Presets.Names.Contains(text) && File.Exists(text));
}
