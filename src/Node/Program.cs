using System.Runtime.InteropServices;
using Rl.Distributed.Node.Commands;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node;

/// <summary>The program <c>rl</c>.</summary>
internal static class Program
{
    /// <summary>Runs a command. The first Ctrl-C or SIGTERM asks it to stop, the second ends the process at once.</summary>
    private static async Task<int> Main(string[] args)
    {
        using var stop = new CancellationTokenSource();
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            if (stop.IsCancellationRequested) Environment.Exit(ExitCodes.Interrupted);
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        return await CommandLine.RunAsync(args, CommandHost.OfProcess(), stop.Token);
    }
}
