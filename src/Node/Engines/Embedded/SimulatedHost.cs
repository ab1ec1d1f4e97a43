using Akka.Actor;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Training;
using Rl.Distributed.Runtime;
using Serilog;

namespace Rl.Distributed.Node.Engines;

/// <summary>Runs a plan on one thread in an order of messages that the seed decides.</summary>
internal static class SimulatedHost
{
    /// <summary>Why this build cannot simulate; null: it can.</summary>
    public static string? Missing => null;

    // Actors that compute never run out of messages: time passes with each of them, so that timers fall due as in a real run.
    private static readonly TimeSpan MessageCost = TimeSpan.FromTicks(1000);

    // Virtual time within which an update must come, or the run stands still. Workers' timers alone never end.
    private static readonly TimeSpan StallLimit = TimeSpan.FromHours(1);

    public static void Run(RunPlan plan, ProgressMeter meter, ulong seed, ILogger logger, CancellationToken cancellationToken)
    {
        var simulation = EmbeddedEngine.Simulate(seed);
        simulation.MessageCost = MessageCost;
        var system = EngineHost.Create(simulation, logger);
        var coordinator = system.ActorOf(Props.Create(() => new RunCoordinator(plan, meter)), "run");
        Run(simulation, plan, () => meter.Finished.IsCompleted || cancellationToken.IsCancellationRequested);
        if (!meter.Finished.IsCompleted) coordinator.Tell(StopTraining.Instance);
        Run(simulation, plan, () => meter.Finished.IsCompleted);
        var terminated = system.Terminate();
        simulation.RunUntil(() => terminated.IsCompleted, StallLimit);
    }

    /// <summary>Simulates a run over several nodes.</summary>
    /// <param name="request">What to simulate.</param>
    /// <param name="trace">Gets everything that happens; null: nobody wants it.</param>
    /// <exception cref="ArgumentException">The configuration cannot run; the message names what to change.</exception>
    public static SimulationReport RunCluster(
        SimulationRequest request, TextWriter? trace = null, CancellationToken cancellationToken = default) =>
        new ClusterSimulation(request, trace, cancellationToken).Run();

    private static void Run(EmbeddedEngine.Simulation simulation, RunPlan plan, Func<bool> condition)
    {
        for (var updates = -1L; !simulation.RunUntil(condition, StallLimit); updates = plan.Report().Updates)
            if (updates == plan.Report().Updates)
                throw new InvalidOperationException(
                    $"The run stands still: no update within {StallLimit.TotalHours} hour of virtual time, after {updates}.");
    }
}
