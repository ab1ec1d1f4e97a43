using Akka.Actor;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Runtime;
using Serilog;

namespace Rl.Distributed.Node.Training;

/// <summary>Runs a plan on one thread in an order of messages that the seed decides.</summary>
internal static class SimulatedHost
{
    // Actors that compute never run out of messages: time passes with each of them, so that timers fall due as in a real run.
    private static readonly TimeSpan MessageCost = TimeSpan.FromTicks(1000);

    // Bounds a run that has nothing left to do, which would be a mistake of ours.
    private static readonly TimeSpan IdleLimit = TimeSpan.FromDays(10_000);

    public static void Run(RunPlan plan, ProgressMeter meter, ulong seed, ILogger logger, CancellationToken cancellationToken)
    {
        var simulation = EmbeddedEngine.Simulate(seed);
        simulation.MessageCost = MessageCost;
        var system = EngineHost.Create(simulation, logger);
        var coordinator = system.ActorOf(Props.Create(() => new RunCoordinator(plan, meter)), "run");
        simulation.RunUntil(() => meter.Finished.IsCompleted || cancellationToken.IsCancellationRequested, IdleLimit);
        if (!meter.Finished.IsCompleted)
        {
            coordinator.Tell(StopTraining.Instance);
            simulation.RunUntil(() => meter.Finished.IsCompleted, IdleLimit);
        }
        if (!meter.Finished.IsCompleted) throw new InvalidOperationException("The simulated run stopped of itself: no message and no timer is left.");
        var terminated = system.Terminate();
        simulation.RunUntil(() => terminated.IsCompleted, IdleLimit);
    }
}
