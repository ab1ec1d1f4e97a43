using System.CommandLine;
using System.Globalization;
using Rl.Distributed.Actors;
using Rl.Distributed.Node.Configuration;

namespace Rl.Distributed.Node.Commands;

/// <summary>The options by which a command line changes a configuration.</summary>
internal sealed class ConfigArguments
{
    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Overrides one option, such as --set learner.batch=64. Repeatable.",
        HelpName = "key=value",
    };
    private readonly (Option<string?> Option, string Path)[] _shorthands =
    [
        (new Option<string?>("--env") { Description = "The environment (environment.name).", HelpName = "name" }, "environment.name"),
        (new Option<string?>("--seed") { Description = "The run's seed (seed).", HelpName = "n" }, "seed"),
        (new Option<string?>("--frames") { Description = "Environment steps to train for (frames).", HelpName = "n" }, "frames"),
    ];
    private readonly Option<int?> _workers = new("--workers")
    {
        Description = "Workers of this process; 0 is one a core (workers.count), or none where other nodes can join.",
        HelpName = "n",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_workers);
        command.Options.Add(_set);
        foreach (var (option, _) in _shorthands) command.Options.Add(option);
    }

    /// <summary>In the order of the command line's words: --set first, then the short ones, which win.</summary>
    public IReadOnlyList<ConfigOverride> Overrides(ParseResult parsed)
    {
        var overrides = (parsed.GetValue(_set) ?? []).Select(ConfigOverride.Parse).ToList();
        foreach (var (option, path) in _shorthands)
        {
            if (parsed.GetValue(option) is { } value) overrides.Add(new ConfigOverride(path, value, $"{option.Name} {value}"));
        }
        if (parsed.GetValue(_workers) is { } workers)
            overrides.Add(new ConfigOverride("workers.count", workers.ToString(CultureInfo.InvariantCulture), $"--workers {workers}"));
        return overrides;
    }

    /// <summary>The first option that is the run's, not this process's; null where none is given.</summary>
    public string? RunOptions(ParseResult parsed) =>
        parsed.GetValue(_set)?.FirstOrDefault() is { } set
            ? $"--set {set}"
            : _shorthands.FirstOrDefault(each => parsed.GetValue(each.Option) is not null).Option?.Name;

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
