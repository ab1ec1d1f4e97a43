using System.CommandLine;
using System.CommandLine.Parsing;
using Rl.Distributed.Core;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node.Commands;

/// <summary>The command line: parses it, runs the command, and turns whatever goes wrong into a line and an exit code.</summary>
internal static class CommandLine
{
    /// <returns>0 ok, 1 failed, 2 wrong usage or configuration, 130 interrupted.</returns>
    public static async Task<int> RunAsync(string[] args, CommandHost host, CancellationToken cancellationToken)
    {
        try
        {
            var parsed = Root(host).Parse(args);
            if (args.Length == 0)
            {
                Root(host).Parse("--help").Invoke(new InvocationConfiguration { Output = host.Error, Error = host.Error });
                return ExitCodes.Usage;
            }
            if (UsageErrors(parsed) is { Count: > 0 } errors)
            {
                foreach (var error in errors) host.Error.WriteLine($"rl: {error}");
                host.Error.WriteLine($"See `{Usage(parsed)} --help`.");
                return ExitCodes.Usage;
            }
            var configuration = new InvocationConfiguration
            {
                Output = host.Output,
                Error = host.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(configuration, cancellationToken);
        }
        catch (Exception e)
        {
            return Report(e, host, cancellationToken);
        }
    }

    /// <summary>How the program was called: what hints begin with, so that they can be pasted.</summary>
    public static string Name => Environment.GetEnvironmentVariable("RL_COMMAND") is { Length: > 0 } name ? name : "rl";

    public static string Version => typeof(CommandLine).Assembly.GetName().Version!.ToString(3);

    private static RootCommand Root(CommandHost host) => new(
        "Distributed deep reinforcement learning. `rl train impala-breakout` trains an agent.")
    {
        TrainCommand.Create(host),
        NodeCommand.Create(host),
        EvalCommand.Create(host),
        PlayCommand.Create(host),
        ListCommand.Create(host),
        SchemaCommand.Create(host),
        SimulateCommand.Create(host),
        BenchCommand.Create(host),
        CheckEnvironmentCommand.Create(host),
        ClusterCommand.Create(host),
    };

    /// <summary>What is wrong with the words of the command line.</summary>
    private static List<string> UsageErrors(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var options = command.Options.Select(option => option.Name).ToList();
        var commands = command.Subcommands.Select(sub => sub.Name).ToList();
        var wrongOptions = parsed.UnmatchedTokens.Where(token => token.StartsWith('-')).ToList();
        var unknown = (wrongOptions.Count > 0 ? wrongOptions : parsed.UnmatchedTokens).Select(token =>
            token.StartsWith('-') ? $"unknown option '{token}'{NearestName.Hint(token, options)}"
            : commands.Count > 0 ? $"unknown command '{token}'{NearestName.Hint(token, commands)}"
            : $"'{token}' is one argument too many.").ToList();
        return unknown.Count > 0 ? unknown : [.. parsed.Errors.Select(error => error.Message).Distinct()];
    }

    /// <summary>Says in a line or two what went wrong.</summary>
    private static int Report(Exception e, CommandHost host, CancellationToken cancellationToken)
    {
        switch (e)
        {
            case OperationCanceledException when cancellationToken.IsCancellationRequested:
                host.Error.WriteLine("rl: interrupted.");
                return ExitCodes.Interrupted;
            case ConfigException:
                host.Error.WriteLine($"rl: {e.Message}");
                return ExitCodes.Usage;
            case CommandFailedException or CheckpointFormatException or EnvironmentException:
                host.Error.WriteLine($"rl: {e.Message}");
                return ExitCodes.Failed;
            default:
                host.Error.WriteLine($"rl: {e.Message.ReplaceLineEndings(" ")} ({e.GetType().Name}){Trace(e)}");
                return ExitCodes.Failed;
        }
    }

    /// <summary>Stack traces are for those who mend the program: they go to a file.</summary>
    private static string Trace(Exception e)
    {
        var path = Path.Combine(Path.GetTempPath(), $"rl-error-{Environment.ProcessId}.txt");
        try
        {
            File.WriteAllText(path, e.ToString());
            return $"\nWhere it happened is written in {path}.";
        }
        catch (Exception writing) when (writing is IOException or UnauthorizedAccessException)
        {
            return $"\nWhere it happened could not be written: {writing.Message}";
        }
    }

    private static string Usage(ParseResult parsed)
    {
        var words = new Stack<string>();
        for (SymbolResult? part = parsed.CommandResult; part is CommandResult { Command: var command }; part = part.Parent)
            words.Push(command is RootCommand ? "rl" : command.Name);
        return string.Join(' ', words);
    }
}

/// <summary>A command could not do what it was asked for; the message says why. Exit code 1.</summary>
internal sealed class CommandFailedException(string message, Exception? inner = null) : Exception(message, inner);
