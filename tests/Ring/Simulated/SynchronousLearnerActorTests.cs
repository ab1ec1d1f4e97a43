using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Ring.Tests.Simulated;

/// <summary>A learner of A2C with a server and a cache that the test plays.</summary>
public sealed class SynchronousLearnerActorTests
{
    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(1);
    private readonly List<object> _server = [];

    [Fact]
    public void One_that_the_server_had_given_up_acts_again_with_the_version_that_it_has()
    {
        var system = _simulation.CreateSystem("rl", new EmbeddedEngine.Options());
        var network = PolicyValueNetwork.Create(new NetworkOptions { Torso = "mlp", Hidden = [4] }, ScriptedEnvironments.SharedSpec.Observation, 2);
        var options = new A3cOptions { SegmentLength = 5 };
        var cell = new ParameterCell();
        cell.Offer(new SnapshotPool(network.Layout.Count).Take(new ParameterVersion(0, 0), new float[network.Layout.Count]));
        var setup = new RemoteLearnerSetup(
            (at, _) => new A3cLearner(at, new A3cMemory(network, options), new ScriptedEnvironments(1)), network.Layout.Count, "run", 1,
            float.PositiveInfinity, new ParameterServerOptions(), TimeSpan.FromSeconds(60));
        var server = system.ActorOf(Props.Create(() => new Probe(_server)), "server");
        var identity = new WorkerIdentity(3, 0);
        var learner = system.ActorOf(Props.Create(() => new SynchronousLearnerActor(setup, identity, server, server, cell, server)), "learner");
        learner.Tell(new LearnerRegistered(3, 0, 2, 0));
        Settle();
        var first = Assert.Single(_server.OfType<PushGradient>());
        Assert.Single(_server.OfType<RegisterLearner>());
        learner.Tell(new GradientAcknowledged(first.Id, GradientRejection.UnknownLearner, first.Version, 0));
        Settle();
        Assert.Equal(2, _server.OfType<RegisterLearner>().Count());
        Assert.Single(_server.OfType<PushGradient>());
        learner.Tell(new LearnerRegistered(3, 0, 2, 0));
        Settle();
        var pushes = _server.OfType<PushGradient>().ToList();
        Assert.Equal([0L, 1L], pushes.Select(push => push.Id.Sequence));
        Assert.Equal(first.Version, pushes[1].Version);
    }

    private void Settle() => _simulation.Advance(TimeSpan.FromSeconds(0.1));
}
