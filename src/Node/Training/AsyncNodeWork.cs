using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Training;

/// <summary>Learning for asynchronous learners' runs: learners that send gradients.</summary>
/// <param name="config">The run's configuration.</param>
/// <param name="recipe">How learners are made.</param>
internal sealed class AsyncNodeWork(TrainingConfig config, AsyncRecipe recipe) : NodeWork
{
    /// <summary>Whom it talks to: the owner of the run tells where its parameters are.</summary>
    public static IReadOnlyList<string> Ring { get; } = [RunCoordinator.LearnerName];

    public override BuildFacts Build => recipe.Build;

    public override NodeActors Start(WorkPlace place)
    {
        if (!recipe.IsReplayShared) recipe.CheckReplay(place.Assigned.Workers);
        var owner = place.Ring[RunCoordinator.LearnerName];
        var team = new LearnerTeam(config, recipe, place.Assigned.Run, owner, place.Identities, place.Observer)
        {
            Reported = place.Reported,
            Replay = recipe.IsReplayShared ? owner.Path.Parent / RunCoordinator.ReplayName : null,
        };
        return team.Start(place.Context, place.Generation);
    }
}

/// <summary>The learners of a process that send gradients, and what they need there.</summary>
/// <param name="Config">The run's configuration.</param>
/// <param name="Recipe">How learners are made.</param>
/// <param name="Run">The run.</param>
/// <param name="Owner">The owner of the run.</param>
/// <param name="Identities">Who they are.</param>
/// <param name="Observer">Gets their reports.</param>
internal sealed record LearnerTeam(
    TrainingConfig Config, AsyncRecipe Recipe, string Run, IActorRef Owner, IReadOnlyList<WorkerIdentity> Identities, IActorRef Observer)
{
    /// <summary>Is told of them even when the actor system is at its end; null: nobody wants to know.</summary>
    public Action<WorkerReport>? Reported { get; init; }

    /// <summary>Owns the replay memory of all learners; null where each has its own, or all are of this process.</summary>
    public ActorPath? Replay { get; init; }

    private TimeSpan CreditTimeout => TimeSpan.FromSeconds(Config.Workers.CreditTimeoutSeconds);

    /// <summary>Starts their actors.</summary>
    /// <param name="context">The parent.</param>
    /// <param name="generation">Tells them from those before them, which may not be gone.</param>
    public NodeActors Start(IActorContext context, int generation)
    {
        var (recipe, parameters, observer) = (Recipe, Recipe.Network.Layout.Count, Observer);
        var cells = Array.ConvertAll(
            ShardRange.Split(parameters, Math.Max(1, Config.ParameterServer.Shards)),
            range => new LearnerCells(range, new ParameterCell(), recipe.HasTarget ? new ParameterCell() : null));
        var caches = cells.Select((cell, i) => (
            Parameters: StartCache(context, $"{RunCoordinator.ServerName}-cache-{generation}-{i}", cell.Parameters, cell.Range),
            Targets: cell.Target is { } target ? StartCache(context, $"{RunCoordinator.TargetsName}-cache-{generation}-{i}", target, cell.Range) : null))
            .ToList();
        var owner = Owner;
        var finder = context.ActorOf(Props.Create(() => new ShardFinderActor(owner, caches)), $"shard-finder-{generation}");
        List<IActorRef> all = [.. caches.Select(cache => cache.Parameters), .. caches.Select(cache => cache.Targets).OfType<IActorRef>()];
        var link = Replay is { } replay ? StartLink(context, replay, generation) : null;
        Func<LearnerPlace, IReplayAccess>? access =
            link is null ? null : at => new RemoteReplay(at, recipe.Segment, ((GorilaOptions)recipe.Options).BatchSize, link);
        var setup = new RemoteLearnerSetup(
            (at, run) => recipe.ForThread(access)(at, run), parameters, Run, Config.Seed, recipe.Options.MaxGradientNorm, Config.ParameterServer,
            CreditTimeout, Reported);
        Func<WorkerIdentity, Props> learner = identity => Props.Create(() => new RemoteLearnerActor(setup, identity, finder, all, cells, observer));
        var identities = Identities;
        var pool = context.ActorOf(Props.Create(() => new WorkerPool(learner, identities)), $"workers-{generation}");
        return new NodeActors(pool, link is null ? [finder, .. all] : [finder, link, .. all]);
    }

    private IActorRef StartLink(IActorContext context, ActorPath replay, int generation)
    {
        var timeout = CreditTimeout;
        return context.ActorOf(Props.Create(() => new ReplayLinkActor(replay, timeout)), $"replay-link-{generation}");
    }

    private static IActorRef StartCache(IActorContext context, string name, ParameterCell cell, ShardRange range)
    {
        var (nobody, snapshots) = (ActorRefs.Nobody as IActorRef, new SnapshotPool(range.Count));
        return context.ActorOf(Props.Create(() => new ParameterCacheActor(nobody, cell, snapshots)), name);
    }
}
