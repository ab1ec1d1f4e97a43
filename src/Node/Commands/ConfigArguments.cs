using System.CommandLine;
using System.Globalization;
using Rl.Distributed.Actors;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Commands;

/// <summary>The options by which a command line changes a configuration.</summary>
internal sealed class ConfigArguments
{
    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Overrides one option, such as --set learner.batch=64. Repeatable.",
        HelpName = "key=value",
    };
    private readonly Option<string[]> _environments = new("--env")
    {
        Description = "The environment (environment.name). A node that acts takes the run's, and those with code of their own only where they "
            + "are named here; repeatable there.",
        HelpName = "name",
    };
    private readonly (Option<string?> Option, string Path)[] _shorthands =
    [
        (new Option<string?>("--seed") { Description = "The run's seed (seed).", HelpName = "n" }, "seed"),
        (new Option<string?>("--frames") { Description = "Environment steps to train for (frames).", HelpName = "n" }, "frames"),
    ];
    private readonly Option<int?> _workers = new("--workers")
    {
        Description = "Workers of this process; 0 is one a core (workers.count), or none where other nodes can join.",
        HelpName = "n",
    };

    private readonly Option<int?> _shards = new("--shards")
    {
        Description = "Shards of the parameters that this process has room for (parameterServer.shards is how many there are). By default all of "
            + "them, or none where other nodes can join.",
        HelpName = "n",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_workers);
        command.Options.Add(_shards);
        command.Options.Add(_environments);
        command.Options.Add(_set);
        foreach (var (option, _) in _shorthands) command.Options.Add(option);
    }

    /// <summary>In the order of the command line's words: --set first, then the short ones, which win.</summary>
    public IReadOnlyList<ConfigOverride> Overrides(ParseResult parsed)
    {
        var overrides = (parsed.GetValue(_set) ?? []).Select(ConfigOverride.Parse).ToList();
        if (Environments(parsed) is { Count: > 1 } several) throw new ConfigException($"--env {several[1]}: a run has one environment, and {several[0]} is named too.");
        // Paths may hold whatever means something in YAML.
        foreach (var name in Environments(parsed))
            overrides.Add(new ConfigOverride("environment.name", $"'{name.Replace("'", "''", StringComparison.Ordinal)}'", $"--env {name}"));
        foreach (var (option, path) in _shorthands)
        {
            if (parsed.GetValue(option) is { } value) overrides.Add(new ConfigOverride(path, value, $"{option.Name} {value}"));
        }
        if (parsed.GetValue(_workers) is { } workers)
            overrides.Add(new ConfigOverride("workers.count", workers.ToString(CultureInfo.InvariantCulture), $"--workers {workers}"));
        return overrides;
    }

    /// <summary>What --env names.</summary>
    public IReadOnlyList<string> Environments(ParseResult parsed) => parsed.GetValue(_environments) ?? [];

    /// <summary>The first option that is the run's, not this process's; null where none is given.</summary>
    public string? RunOptions(ParseResult parsed) =>
        parsed.GetValue(_set)?.FirstOrDefault() is { } set
            ? $"--set {set}"
            : _shorthands.FirstOrDefault(each => parsed.GetValue(each.Option) is not null).Option?.Name;

    /// <summary>What --shards says; null where it is not given.</summary>
    /// <exception cref="ConfigException">It is no number of shards.</exception>
    public int? Shards(ParseResult parsed)
    {
        var shards = parsed.GetValue(_shards);
        return shards is null or (>= 0 and <= ShardRange.MaxShards)
            ? shards
            : throw new ConfigException($"--shards {shards}: give a number from 0 to {ShardRange.MaxShards}.");
    }

    /// <summary>What --workers says; null where it is not given.</summary>
    /// <exception cref="ConfigException">It is no number of workers.</exception>
    public int? Workers(ParseResult parsed)
    {
        var workers = parsed.GetValue(_workers);
        return workers is null or (>= 0 and <= WorkerOptions.MaxCount)
            ? workers
            : throw new ConfigException($"--workers {workers}: give a number from 0 to {WorkerOptions.MaxCount}.");
    }
}
