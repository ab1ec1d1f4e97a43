using System.CommandLine;
using Rl.Distributed.Core;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Traces;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl check-env</c>: whether an environment keeps the contract, and reproduces recorded traces.</summary>
internal sealed class CheckEnvironmentCommand
{
    private readonly CommandHost _host;
    private readonly Argument<string> _environment = new("ENV") { Description = "The environment's name (`rl list`)." };
    private readonly Option<string[]> _traces = new("--trace")
    {
        Description = "A recorded trace (.jsonl or .jsonl.gz) to replay. Repeatable.",
        HelpName = "file",
    };

    private CheckEnvironmentCommand(CommandHost host) => _host = host;

    public static Command Create(CommandHost host)
    {
        var check = new CheckEnvironmentCommand(host);
        var command = new Command("check-env", "Checks an environment against the contract, and against recorded traces.")
        {
            check._environment, check._traces,
        };
        command.SetAction((parsed, _) => Task.Run(() => check.Run(parsed), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed)
    {
        var name = parsed.GetValue(_environment)!;
        var environments = KnownEnvironments.All;
        if (environments.Find(name) is null)
            throw new ConfigException($"There is no environment '{name}'{NearestName.Hint(name, environments.Names)} `rl list` shows all.");

        var failures = 0;
        foreach (var check in EnvironmentContract.Check(new EnvironmentOptions { Name = name }, environments))
        {
            _host.Output.WriteLine(check);
            if (!check.Passed) failures++;
        }
        foreach (var path in parsed.GetValue(_traces) ?? [])
        {
            var report = Replay(path, name);
            _host.Output.WriteLine($"{(report.Passed ? "ok  " : "FAIL")} trace {path}: {report}");
            if (!report.Passed) failures++;
        }
        if (failures > 0) throw new CommandFailedException($"{name}: {failures} check{(failures == 1 ? "" : "s")} failed.");
        return ExitCodes.Ok;
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
