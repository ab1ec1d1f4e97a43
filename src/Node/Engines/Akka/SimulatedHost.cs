using Rl.Distributed.Node.Training;
using Serilog;

namespace Rl.Distributed.Node.Engines;

/// <summary>What the embedded engine's build has under this name runs a plan on one thread; Akka.NET cannot.</summary>
internal static class SimulatedHost
{
    /// <summary>Why this build cannot simulate; null: it can.</summary>
    public static string? Missing =>
        "this build runs on Akka.NET, which cannot repeat a run; use the default build (-p:Engine=embedded), whose engine can be simulated.";

    /// <exception cref="NotSupportedException">Always.</exception>
    public static void Run(RunPlan plan, ProgressMeter meter, ulong seed, ILogger logger, CancellationToken cancellationToken) =>
        throw new NotSupportedException(Missing);

    /// <exception cref="NotSupportedException">Always.</exception>
    public static SimulationReport RunCluster(
        SimulationRequest request, TextWriter? trace = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException(Missing);
}
