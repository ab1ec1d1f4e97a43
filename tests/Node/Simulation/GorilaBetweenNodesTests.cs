using System.Runtime.InteropServices;
using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Training;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;
using Rl.Distributed.Runtime;
using Serilog.Core;

namespace Rl.Distributed.Node.Tests.Simulation;

/// <summary>Whole runs of Gorila on a simulated cluster: one node that leads and two that learn for it.</summary>
public sealed class GorilaBetweenNodesTests
{
    [Theory]
    [InlineData("local", 0.0)]
    [InlineData("global", 0.0)]
    [InlineData("global", 0.02)]
    public void A_run_ends_with_all_its_frames_and_its_seed_repeats_it_to_the_bit(string replay, double drops)
    {
        var first = Ended(5);
        Assert.Equal(first, Ended(5));
        Assert.NotEqual(first, Ended(6));

        (ulong, string) Ended(ulong seed)
        {
            var world = new World(replay, seed, frames: 3000);
            world.Simulation.Network.DropProbability = drops;
            world.Lead();
            world.Until(() => world.Run.End is not null);
            var shared = world.State.Shared;
            Assert.InRange(shared.Frames, 3000, 3500);
            Assert.True(world.State.Gradients.Applied > 300, $"{world.State.Gradients.Applied} gradients");
            // While memories fill there are no gradients, but frames, which come with the first.
            Assert.InRange(shared.Updates * World.Segment, 1500, shared.Frames - 80);
            Assert.Equal(0, shared.AllRejected);
            return (world.Simulation.MessageHash, Convert.ToHexString(MemoryMarshal.AsBytes(shared.Values)));
        }
    }

    [Theory]
    [InlineData("local")]
    [InlineData("global")]
    public void Learners_of_other_nodes_learn_beside_those_that_share_memory_and_targets_reach_them(string replay)
    {
        var world = new World(replay, seed: 3, frames: 100_000_000);
        var (targets, drawn) = (0, 0);
        world.Simulation.Watcher = (_, path, message) =>
        {
            if (message is ParametersChunk && path.Name.StartsWith(RunCoordinator.TargetsName, StringComparison.Ordinal)) targets++;
            if (message is TransitionsDrawn { Actions.Length: > 0 }) drawn++;
        };
        world.Lead(localWorkers: 1);
        world.Until(() => world.State.Gradients.Applied > 100 && targets > 4);
        world.Coordinator.Tell(StopTraining.Instance);
        world.Until(() => world.Run.End is not null);
        Assert.InRange(world.State.Gradients.Applied, 1, world.State.Shared.Updates - 1);
        Assert.Equal(replay == "global", drawn > 100);
        Assert.Equal(0, world.State.Rejected);
    }

    [Fact]
    public void A_node_that_dies_is_not_waited_for_and_works_again_when_it_is_back()
    {
        var world = new World("global", seed: 8, frames: 100_000_000);
        world.Lead();
        world.Until(() => world.Run.Nodes == 2 && world.State.Gradients.Applied > 50);
        world.Nodes[0].Crash(silent: true);
        world.Until(() => world.Run.Nodes == 1);
        var applied = world.State.Gradients.Applied;
        world.Until(() => world.State.Gradients.Applied > applied + 50);
        world.Nodes[0].Start();
        world.Until(() => world.State.Gradients.SentAtLeast().Any(claim => claim.Worker == 2));
        Assert.Null(world.Run.Failure);
    }

    /// <summary>A simulated cluster with a small run.</summary>
    private sealed class World
    {
        public const int Segment = 4;

        private static readonly HostPort Address = new("10.0.0.1", 4053);

        private readonly TrainingConfig _config;

        public World(string replay, ulong seed, long frames)
        {
            string[] words = [
                "environment.name=cartpole", "network.torso=mlp", "network.hidden=[16]", "parameterServer.chunkKilobytes=1",
                "parameterServer.publishMilliseconds=20", "workers.creditTimeoutSeconds=1", $"frames={frames}", $"seed={seed}",
                $"learner.replay={replay}", "learner.replayStart=100", "learner.replayCapacity=2000", "learner.batchSize=8", "learner.targetInterval=50",
                "learner.outlierDeviations=0"];
            _config = ConfigLoader.Load("gorila-breakout", [.. words.Select(ConfigOverride.Parse)]);
            Simulation = EmbeddedEngine.Simulate(seed);
            Simulation.MessageCost = TimeSpan.FromMilliseconds(2);
            Nodes = [.. Enumerable.Range(2, 2).Select(i => new SimulatedActorProcess(
                Simulation, new HostPort($"10.0.0.{i}", 4053), Address, 1, Logger.None, _ => { }))];
        }

        public EmbeddedEngine.Simulation Simulation { get; }

        public SimulatedActorProcess[] Nodes { get; }

        public ActorSystem Leader { get; private set; } = null!;

        public IActorRef Coordinator { get; private set; } = ActorRefs.Nobody;

        public AsyncState State { get; private set; } = null!;

        public Watcher Run { get; } = new();

        public void Lead(int localWorkers = 0)
        {
            var (endpoint, run) = (new NodeEndpoint { Listen = Address, Roles = NodeRoles.Leading }, Run);
            var options = new TrainingRunOptions { Endpoint = endpoint, LocalWorkers = localWorkers, RunId = "run" };
            var plan = AsyncRunPlan.Create(_config, options, SequentialRunner.Instance, (_, _) => Task.CompletedTask);
            State = plan.State;
            var system = Leader = EngineHost.Create(Simulation, Logger.None, endpoint);
            Akka.Cluster.Cluster.Get(system).JoinSeedNodes([EngineHost.AddressOf(Address)]);
            Coordinator = system.ActorOf(Props.Create(() => new RunCoordinator(plan, run)), RunCoordinator.Name);
            foreach (var node in Nodes) node.Start();
        }

        public void Until(Func<bool> condition) => Assert.True(
            Simulation.RunUntil(() => Run.Failure is not null || condition(), TimeSpan.FromMinutes(5)) && Run.Failure is null,
            $"{Run.Failure} {State.Shared.Updates} updates, {State.Gradients.Applied} of other nodes, {Run.Nodes} nodes");
    }

    private sealed class Watcher : IRunWatcher
    {
        public int Nodes { get; private set; }

        public TrainingFinished? End { get; private set; }

        public Exception? Failure { get; private set; }

        public void OnReport(LearnerReport report)
        {
        }

        public void OnReport(WorkerReport report)
        {
        }

        public void OnWorkers(WorkerRoster roster) => Nodes = roster.Nodes;

        public void OnFinished(TrainingFinished end) => End ??= end;

        public void OnFailed(Exception reason) => Failure ??= reason;
    }
}
