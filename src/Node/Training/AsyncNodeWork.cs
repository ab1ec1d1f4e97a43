using Akka.Actor;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Training;

/// <summary>Learning for A3C, asynchronous Q-learning or Sarsa, or Gorila: learners that send gradients.</summary>
/// <param name="config">The run's configuration.</param>
/// <param name="recipe">How learners are made.</param>
internal sealed class AsyncNodeWork(TrainingConfig config, AsyncRecipe recipe) : NodeWork
{
    /// <summary>Whom it talks to where the algorithm has no target parameters.</summary>
    public static IReadOnlyList<string> Ring { get; } = [RunCoordinator.GradientsName, RunCoordinator.ServerName];

    /// <summary>Whom it talks to where it has.</summary>
    public static IReadOnlyList<string> RingWithTargets { get; } = [.. Ring, RunCoordinator.TargetsName];

    public override BuildFacts Build => recipe.Build;

    public override NodeActors Start(WorkPlace place)
    {
        if (!recipe.IsReplayShared) recipe.CheckReplay(place.Assigned.Workers);
        var (parameters, server, observer) = (recipe.Network.Layout.Count, place.Ring[RunCoordinator.GradientsName], place.Observer);
        var cells = new LearnerCells(new ParameterCell(), recipe.HasTarget ? new ParameterCell() : null);
        List<IActorRef> caches = [place.StartCache(RunCoordinator.ServerName, cells.Parameters, new SnapshotPool(parameters))];
        if (cells.Target is { } target) caches.Add(place.StartCache(RunCoordinator.TargetsName, target, new SnapshotPool(parameters)));
        var timeout = TimeSpan.FromSeconds(config.Workers.CreditTimeoutSeconds);
        Func<LearnerPlace, IReplayAccess>? replay = null;
        if (recipe is { IsReplayShared: true, Options: GorilaOptions gorila })
        {
            // It stands beside the server of gradients.
            var owner = server.Path.Parent / RunCoordinator.ReplayName;
            var link = place.Context.ActorOf(Props.Create(() => new ReplayLinkActor(owner, timeout)), $"replay-link-{place.Generation}");
            replay = at => new RemoteReplay(at, recipe.Segment, gorila.BatchSize, link);
            caches.Add(link);
        }
        var setup = new RemoteLearnerSetup(
            (at, run) => recipe.ForThread(replay)(at, run), parameters, place.Assigned.Run, config.Seed, recipe.Options.MaxGradientNorm,
            config.ParameterServer, timeout, place.Reported);
        return new NodeActors(
            place.StartPool(identity => Props.Create(() => new RemoteLearnerActor(setup, identity, server, caches, cells, observer))), caches);
    }
}
