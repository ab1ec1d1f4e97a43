using System.Runtime.InteropServices;
using Rl.Distributed.Node.Commands;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node;

/// <summary>The program <c>rl</c>.</summary>
internal static class Program
{
    // Who stops a whole process group, as timeout(1) does, may say it twice.
    private static readonly TimeSpan SameRequest = TimeSpan.FromSeconds(1);

    /// <summary>Runs a command. The first Ctrl-C or SIGTERM asks it to stop, the second ends the process at once.</summary>
    private static async Task<int> Main(string[] args)
    {
        using var stop = new CancellationTokenSource();
        var (clock, asked, gate) = (TimeProvider.System, (long?)null, new Lock());
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            lock (gate)
            {
                if (asked is { } before && clock.GetElapsedTime(before) > SameRequest) Environment.Exit(ExitCodes.Interrupted);
                asked ??= clock.GetTimestamp();
            }
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        return await CommandLine.RunAsync(args, CommandHost.OfProcess(), stop.Token);
    }
}
