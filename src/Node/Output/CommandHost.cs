using Rl.Distributed.Node.Http;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Output;

/// <summary>How training is run; tests put another one in its place.</summary>
internal delegate Task<TrainingResult> TrainingRunner(
    TrainingConfig config, TrainingRunOptions options, CancellationToken cancellationToken);

/// <summary>What commands write to and take from outside.</summary>
internal sealed record CommandHost
{
    public required TextWriter Output { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>Whether <see cref="Output"/> is a terminal that can be redrawn.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>Whether <see cref="Error"/> is a terminal that can be redrawn.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>How many columns the terminal has now.</summary>
    public Func<int> TerminalColumns { get; init; } = static () => 80;

    public TrainingRunner Train { get; init; } = TrainingRun.RunAsync;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Where nodes of this machine leave the files by which they are found.</summary>
    public IReadOnlyList<string> NodeFolders { get; init; } = NodeRegistration.DefaultFolders;

    /// <summary>The process's own streams.</summary>
    public static CommandHost OfProcess() => new()
    {
        Output = Console.Out,
        Error = Console.Error,
        OutputIsTerminal = !Console.IsOutputRedirected && IsCapable,
        ErrorIsTerminal = !Console.IsErrorRedirected && IsCapable,
        TerminalColumns = Columns,
    };

    // A terminal may not say: then nothing is cut off.
    private static int Columns()
    {
        try
        {
            return Console.WindowWidth > 0 ? Console.WindowWidth : int.MaxValue;
        }
        catch (IOException)
        {
            return int.MaxValue;
        }
    }

    private static bool IsCapable => Environment.GetEnvironmentVariable("TERM") != "dumb";
}

/// <summary>What the process returns.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Interrupted = 130;
}
