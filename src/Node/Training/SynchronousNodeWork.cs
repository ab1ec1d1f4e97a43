using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Training;

/// <summary>Learning for A2C: learners that give one gradient an update.</summary>
/// <param name="config">The run's configuration.</param>
/// <param name="recipe">How learners are made.</param>
internal sealed class SynchronousNodeWork(TrainingConfig config, AsyncRecipe recipe) : NodeWork
{
    /// <summary>Whom it talks to.</summary>
    public static IReadOnlyList<string> Ring { get; } = [RunCoordinator.GradientsName, RunCoordinator.ServerName];

    public override BuildFacts Build => recipe.Build;

    /// <inheritdoc cref="NodeWorkPlanner"/>
    public static SynchronousNodeWork Create(TrainingConfig config, EnvironmentRegistry? environments) => new(config, new AsyncRecipe(config, environments));

    public override NodeActors Start(WorkPlace place)
    {
        var (cell, server, observer) = (new ParameterCell(), place.Ring[RunCoordinator.GradientsName], place.Observer);
        var cache = place.StartCache(RunCoordinator.ServerName, cell, new SnapshotPool(recipe.Network.Layout.Count));
        var setup = LearnerSetup(place.Assigned.Run, place.Reported);
        return new NodeActors(
            place.StartPool(identity => Props.Create(() => new SynchronousLearnerActor(setup, identity, server, cache, cell, observer))), [cache]);
    }

    /// <summary>Starts the server and the learners of the process that leads the run, which are like those of other nodes.</summary>
    /// <param name="context">Their parent.</param>
    /// <param name="learning">What updates are made with.</param>
    /// <param name="run">The run.</param>
    /// <param name="learners">Those of this process.</param>
    /// <param name="observer">Gets their reports.</param>
    /// <returns>The server, and the pool of learners; nobody where all are elsewhere.</returns>
    public (IActorRef Server, IActorRef Workers) Lead(
        IActorContext context, GradientIntakeSetup learning, string run, IReadOnlyList<WorkerIdentity> learners, IActorRef observer)
    {
        var options = (A2cOptions)recipe.Options;
        var parameters = context.ActorOf(Props.Create(() => new ParameterServerActor(config.ParameterServer, true)), RunCoordinator.ServerName);
        var intake = new SynchronousIntake(learning, options.MaxGradientNorm, options.LeastLearners);
        var setup = new SynchronousServerSetup(
            intake, learning, parameters, run, config.Workers.Credits, config.Frames, TimeSpan.FromSeconds(config.Workers.CreditTimeoutSeconds));
        var server = context.ActorOf(
            Props.Create(() => new SynchronousServerActor(setup)).WithDispatcher(RunCoordinator.LearnerDispatcher), RunCoordinator.GradientsName);
        if (learners.Count == 0) return (server, ActorRefs.Nobody);
        var (cell, snapshots, own) = (new ParameterCell(), new SnapshotPool(learning.Shared.Count), LearnerSetup(run, null));
        var cache = context.ActorOf(Props.Create(() => new ParameterCacheActor(parameters, cell, snapshots)), "parameter-cache");
        Func<WorkerIdentity, Props> learner = identity => Props.Create(
            () => new SynchronousLearnerActor(own, identity, server, cache, cell, observer));
        return (server, context.ActorOf(Props.Create(() => new WorkerPool(learner, learners)), "workers"));
    }

    private RemoteLearnerSetup LearnerSetup(string run, Action<WorkerReport>? reported) => new(
        (at, _) => recipe.ForThread()(at, null), recipe.Network.Layout.Count, run, config.Seed, float.PositiveInfinity, config.ParameterServer,
        TimeSpan.FromSeconds(config.Workers.CreditTimeoutSeconds), reported);
}
