using System.CommandLine;
using System.Globalization;
using Rl.Distributed.Core;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Traces;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl check-env</c>: whether an environment keeps the contract, how it plays, and whether it reproduces recorded traces.</summary>
internal sealed class CheckEnvironmentCommand
{
    private const string Section = "environment";

    private readonly CommandHost _host;
    private readonly Argument<string> _environment = new("ENV") { Description = "The environment's name (`rl list`)." };
    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Overrides one of its options, such as --set environment.stickyActions=0. Repeatable.",
        HelpName = "key=value",
    };
    private readonly Option<string[]> _traces = new("--trace")
    {
        Description = "A recorded trace (.jsonl or .jsonl.gz) to replay. Repeatable.",
        HelpName = "file",
    };
    private readonly Option<int> _episodes = new("--episodes")
    {
        Description = "Episodes that random actions play, within at most 5 seconds.",
        HelpName = "n",
        DefaultValueFactory = _ => 1000,
    };

    private CheckEnvironmentCommand(CommandHost host) => _host = host;

    public static Command Create(CommandHost host)
    {
        var check = new CheckEnvironmentCommand(host);
        var command = new Command("check-env", "Checks an environment against the contract, and against recorded traces.")
        {
            check._environment, check._set, check._episodes, check._traces,
        };
        // An environment may never return: Ctrl-C ends the program all the same.
        command.SetAction((parsed, cancellationToken) => Task.Run(() => check.Run(parsed), CancellationToken.None).WaitAsync(cancellationToken));
        return command;
    }

    private int Run(ParseResult parsed)
    {
        var environments = KnownEnvironments.All;
        var options = Options(parsed, environments);
        var episodes = parsed.GetValue(_episodes);
        if (episodes < 0) throw new ConfigException($"--episodes {episodes}: give a number from 0 on.");
        Describe(options.Name, Spec(options, environments));

        var failures = 0;
        foreach (var check in EnvironmentContract.Check(options, environments))
        {
            _host.Output.WriteLine(check);
            if (!check.Passed) failures++;
        }
        foreach (var path in parsed.GetValue(_traces) ?? [])
        {
            var report = Replay(path, options.Name);
            _host.Output.WriteLine($"{(report.Passed ? "ok  " : "FAIL")} trace {path}: {report}");
            if (!report.Passed) failures++;
        }
        if (failures > 0) throw new CommandFailedException($"{options.Name}: {failures} check{(failures == 1 ? "" : "s")} failed.");
        if (episodes > 0) _host.Output.WriteLine(RandomPlay.Measure(environments, options, episodes, _host.Clock));
        return ExitCodes.Ok;
    }

    private EnvironmentOptions Options(ParseResult parsed, EnvironmentRegistry environments)
    {
        var name = parsed.GetValue(_environment)!;
        var typed = new ConfigSource(name);
        var tree = new ConfigMapping(typed, []);
        foreach (var change in (parsed.GetValue(_set) ?? []).Select(ConfigOverride.Parse))
        {
            var source = new ConfigSource(change.Option);
            if (change.Path.Split('.') is not [Section, var key])
                throw source.Error($"the options of an environment begin with '{Section}.', such as {Section}.stickyActions.");
            tree.Set([key], YamlTree.ReadValue(change.Value, source), source);
        }
        tree.Set(["name"], new ConfigScalar(typed, name, Quoted: true), typed);
        var options = new ConfigBinder().Bind<EnvironmentOptions>(tree);
        try
        {
            return environments.Find(name) is { } entry
                ? options with { Name = entry.Name }
                : throw new ConfigException($"There is no environment '{name}'{NearestName.Hint(name, environments.Names)} `rl list` shows all.");
        }
        catch (EnvironmentException e)
        {
            throw new ConfigException(e.Message, e);
        }
    }

    private static EnvironmentSpec Spec(EnvironmentOptions options, EnvironmentRegistry environments)
    {
        try
        {
            return environments.Spec(options);
        }
        catch (ArgumentException e)
        {
            throw new ConfigException(ConfigRules.Message(e), e);
        }
    }

    private void Describe(string name, EnvironmentSpec spec)
    {
        var actions = spec.Action is ContinuousActionSpec continuous
            ? string.Join(", ", continuous.Low.Zip(continuous.High, (low, high) => string.Create(CultureInfo.InvariantCulture, $"{low:0.####} to {high:0.####}")))
            : spec.DiscreteActions.ToString(CultureInfo.InvariantCulture);
        _host.Output.WriteLine(name == spec.Name ? name : $"{name} ({spec.Name})");
        _host.Output.WriteLine($"     observation  {spec.Observation}, {spec.Observation.ByteCount:N0} bytes");
        _host.Output.WriteLine($"     actions      {actions}{(spec.Action is ContinuousActionSpec ? " (continuous)" : "")}");
    }

    private static TraceReport Replay(string path, string environment)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return TraceChecker.Check(stream, environment);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"--trace {path}: the file cannot be read: {e.Message}", e);
        }
    }
}
