using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Training;

/// <summary>Where a node's work takes place.</summary>
/// <param name="Context">The parent of its actors.</param>
/// <param name="Ring">The actors of the run that it talks to, by name.</param>
/// <param name="Assigned">What the run's coordinator said.</param>
/// <param name="Observer">Gets its workers' reports.</param>
/// <param name="Reported">Is told of them even when the actor system is at its end.</param>
/// <param name="Generation">Tells the actors of one assignment from those of the one before, which may not be gone.</param>
internal sealed record WorkPlace(
    IActorContext Context, IReadOnlyDictionary<string, IActorRef> Ring, WorkAssigned Assigned, IActorRef Observer, Action<WorkerReport> Reported,
    int Generation)
{
    public IReadOnlyList<WorkerIdentity> Identities => WorkerPlan.Identities(Assigned.FirstWorker, Assigned.Workers, Assigned.Epoch);

    /// <summary>Starts the cache of a stream of weights.</summary>
    public IActorRef StartCache(string server, ParameterCell cell, SnapshotPool snapshots)
    {
        var source = Ring[server];
        return Context.ActorOf(
            Props.Create(() => new ParameterCacheActor(source, cell, snapshots)), $"{server}-cache-{Generation}");
    }

    /// <summary>Starts the workers.</summary>
    public IActorRef StartPool(Func<WorkerIdentity, Props> worker)
    {
        var identities = Identities;
        return Context.ActorOf(Props.Create(() => new WorkerPool(worker, identities)), $"workers-{Generation}");
    }
}

/// <summary>The actors of a node that works for a run: its workers', and others that end with them.</summary>
internal sealed record NodeActors(IActorRef Pool, IReadOnlyList<IActorRef> Caches);

/// <summary>What a node does that works for a run which another node leads. Each algorithm has its own.</summary>
internal abstract class NodeWork
{
    /// <summary>What both nodes' programs must agree on.</summary>
    public abstract BuildFacts Build { get; }

    /// <summary>Starts its actors.</summary>
    public abstract NodeActors Start(WorkPlace place);
}

/// <summary>Acting for IMPALA: workers that send unrolls.</summary>
internal sealed class ImpalaNodeWork(WorkerPlan plan) : NodeWork
{
    /// <summary>Whom it talks to.</summary>
    public static IReadOnlyList<string> Ring { get; } = [RunCoordinator.ReplayName, RunCoordinator.ServerName];

    public override BuildFacts Build => plan.Build;

    public override NodeActors Start(WorkPlace place)
    {
        var (cell, replay, observer) = (new ParameterCell(), place.Ring[RunCoordinator.ReplayName], place.Observer);
        var setup = plan.Setup with { Reported = place.Reported };
        var cache = place.StartCache(RunCoordinator.ServerName, cell, new SnapshotPool(plan.Network.Layout.Count));
        return new NodeActors(
            place.StartPool(identity => Props.Create(() => new EnvironmentWorker(setup, identity, replay, cache, cell, observer))), [cache]);
    }
}
