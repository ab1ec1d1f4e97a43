using System.Runtime.InteropServices;
using Akka.Actor;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Training;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Tests.Simulation;

/// <summary>Whole runs whose parameters are in shards, on a simulated cluster: one node that leads, some that have shards, two that learn.</summary>
public sealed class ShardsBetweenNodesTests
{
    private const long Endless = 1_000_000_000, Bound = 40;

    [Fact]
    public void A_run_ends_with_all_its_frames_though_messages_get_lost_and_its_seed_repeats_it_to_the_bit()
    {
        var first = Ended(seed: 5);
        Assert.Equal(first, Ended(seed: 5));
        Assert.NotEqual(first, Ended(seed: 6));

        static (ulong, string) Ended(ulong seed)
        {
            var world = World("a3c", seed, frames: 4000, shards: 3, "run.checkpointFrames=1000");
            world.Simulation.Network.DropProbability = 0.01;
            world.Simulation.Network.MaxLatency = TimeSpan.FromMilliseconds(20);
            AddHosts(world, 2, 1);
            world.Lead();
            world.Act();
            world.Until(() => world.Run.End is not null);
            world.AssertAddsUp();
            var end = world.Run.End!.Report;
            Assert.InRange(end.Frames, 4000, 4000);
            Assert.True(end.ShardSkewMax > 0 && end.ShardSkewMean > 0, $"skew {end.ShardSkewMean}, {end.ShardSkewMax}");
            Assert.Equal(world.State.Shared.Values, world.Saved!.Checkpoint.Tensor("parameters").Floats);
            Assert.Equal(0, end.UnrollsRolledBack);
            return (world.Simulation.MessageHash, Convert.ToHexString(MemoryMarshal.AsBytes(world.State.Shared.Values)));
        }
    }

    [Theory]
    [InlineData("a3c", "float16", true)]
    [InlineData("async-nstep-q", "float32", false)]
    [InlineData("gorila", "float32", true)]
    public void A_shard_whose_node_dies_goes_on_elsewhere_from_its_checkpoint_and_applies_nothing_twice(string algorithm, string encoding, bool silent)
    {
        var world = World(algorithm, seed: 3, Endless, shards: 2, $"parameterServer.gradientEncoding={encoding}");
        var books = new Books(world);
        var hosts = AddHosts(world, 1, 1);
        world.Lead();
        world.Act();
        world.Until(() => world.Run.Nodes == 2 && books.Of(0) > 60 && books.Of(1) > 60);
        var (first, second) = (Book(world).EpochOf(0), Book(world).EpochOf(1));
        hosts[1].Crash(silent);
        world.Until(() => world.Log.Exists(line => line.Contains("is lost", StringComparison.Ordinal)));
        Assert.Single(world.Log, line => line.Contains("is lost", StringComparison.Ordinal));
        // No place is left: the run waits, says so with the cure, and goes on where there is one.
        var before = books.Of(0) + books.Of(1);
        world.Until(() => world.Log.Exists(line => line.Contains("rl node --join HOST:PORT --shards 1", StringComparison.Ordinal)));
        Assert.InRange(books.Of(0) + books.Of(1), before, before + 8);
        world.AddNode(workers: 0, shards: 1).Start();
        world.Until(() => books.Of(0) > before && books.Of(1) > before);
        Assert.True(Book(world).EpochOf(0) + Book(world).EpochOf(1) == first + second + 1, "Another shard began anew.");
        foreach (var push in books.LastPushes) books.SendAgain(push);
        world.Until(() => books.Of(0) > before + 100);

        world.End();
        var rolledBack = world.Run.End!.Report.UnrollsRolledBack;
        Assert.InRange(rolledBack, books.Of(0) + books.Of(1) - Book(world).SavedUpdatesOf(0) - Book(world).SavedUpdatesOf(1), Bound);
        Assert.True(rolledBack > 0, "Nothing was rolled back.");
        Assert.True(books.RefusedAgain > 0, "No gradient came again.");
        Assert.Empty(books.Twice);
        if (algorithm != "gorila") world.AssertAddsUp();
    }

    [Fact]
    public void The_first_shard_may_die_again_and_again_and_frames_still_add_up()
    {
        var world = World("a3c", seed: 12, Endless, shards: 2);
        var books = new Books(world);
        var hosts = AddHosts(world, 1, 1, 1);
        world.Lead();
        world.Act();
        for (var i = 0; i < 3; i++)
        {
            var before = books.Of(0);
            world.Until(() => books.Of(0) > before + 60);
            var at = hosts.Find(host => host.System is not null && world.Log.FindLast(line => line.Contains("Shard 0 of 2", StringComparison.Ordinal) && line.Contains(" is at ", StringComparison.Ordinal))!.Contains(host.Name + ":", StringComparison.Ordinal))!;
            at.Crash(silent: i == 1);
            world.Until(() => Book(world).EpochOf(0) == i + 1);
            at.Start();
        }
        var applied = books.Of(0);
        world.Until(() => books.Of(0) > applied + 60);
        world.End();
        Assert.Empty(books.Twice);
        Assert.InRange(world.Run.End!.Report.UnrollsRolledBack, books.Of(0) - Book(world).SavedUpdatesOf(0), 3 * Bound);
        world.AssertAddsUp();
    }

    [Fact]
    public void A_rogue_part_is_refused_by_its_shard_alone_and_the_run_goes_on()
    {
        var world = World("a3c", seed: 4, Endless, shards: 2);
        var books = new Books(world);
        world.Lead(localShards: 2);
        world.Act();
        world.Until(() => books.Of(0) > 50);
        var (sent, at) = books.LastPushes.First(push => push.Push.Offset == 0);
        var server = world.Leader.ActorSelection(at.ToStringWithoutAddress());
        var next = sent with { Id = sent.Id with { Sequence = 1_000_000 } };
        PushGradient[] rogues =
        [
            next with { Offset = sent.Total - 1, Values = new byte[4] }, next with { Total = sent.Total + 1 },
            next with { Segment = sent.Segment with { GradientNorm = float.NaN } }, next with { Version = sent.Version with { Epoch = 7 } },
            next with { Id = next.Id with { Worker = 99 } },
        ];
        foreach (var rogue in rogues) server.Tell(rogue, ActorRefs.Nobody);
        var updates = Book(world).UpdatesOf(1);
        world.Until(() => Book(world).Rejected >= rogues.Length && Book(world).UpdatesOf(1) > updates + 50);
        Assert.Equal(rogues.Length, Book(world).Rejected);
        foreach (var reason in (string[])["WrongLength", "NotFinite", "WrongVersion", "UnknownLearner"])
            Assert.Contains(world.Log, line => line.Contains($"is refused: {reason}", StringComparison.Ordinal));
        world.End();
        world.AssertAddsUp();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(0)]
    public void A_leader_that_dies_is_found_by_shards_and_learners_again_also_with_another_number_of_shards(int shards)
    {
        var world = World("a3c", seed: 9, Endless, shards: 2);
        var books = new Books(world);
        AddHosts(world, 2, 1);
        world.Lead();
        world.Act();
        world.Until(() => books.Of(0) > 100 && books.Of(1) > 100);
        world.Coordinator.Tell(SaveCheckpoint.Instance);
        world.Until(() => world.Saved is not null);
        var saved = world.Saved!;
        world.Until(() => books.Of(0) > saved.Updates + 100);
        world.Simulation.Crash(world.Leader, silent: true);

        world.Config = world.Config with { ParameterServer = world.Config.ParameterServer with { Shards = shards } };
        world.Lead(resume: saved);
        Assert.Equal(saved.Checkpoint.Tensor("parameters").Floats, world.State.Shared.Values);
        Assert.Equal(saved.Updates, world.State.Report(0).Updates);
        if (shards == 2)
        {
            // Each has its own count again.
            var rows = saved.Checkpoint.Tensor("shards").Int64s;
            Assert.Equal([rows[2], rows[5]], [Book(world).UpdatesOf(0), Book(world).UpdatesOf(1)]);
        }
        world.Until(() => world.State.Report(0).Updates > saved.Updates + 200);
        Assert.Equal(1, world.State.Epoch);
        world.End();
        Assert.Empty(books.Twice);
        world.AssertAddsUp();
    }

    [Fact]
    public void A_node_that_learns_and_has_a_shard_may_come_and_go()
    {
        var world = World("async-q", seed: 8, Endless, shards: 2);
        var books = new Books(world);
        var both = world.AddNode(workers: 1, shards: 1);
        world.Lead(localWorkers: 1, localShards: 2);
        world.AddNode(workers: 1);
        world.Act();
        world.Until(() => books.Of(0) > 60 && world.Run.Nodes == 2);
        both.Crash(silent: true);
        world.Until(() => world.Run.Nodes == 1);
        var before = books.Of(1);
        world.Until(() => books.Of(1) > before + 60);
        both.Start();
        world.Until(() => world.Run.Nodes == 2);
        world.End();
        Assert.Empty(books.Twice);
        world.AssertAddsUp();
    }

    private static ShardBook Book(GradientWorld world) => world.State.Shards!;

    private static GradientWorld World(string algorithm, ulong seed, long frames, int shards, params string[] more) =>
        new(algorithm, seed, frames, [$"parameterServer.shards={shards}", $"parameterServer.maxRolledBackUpdates={Bound}", .. more]);

    private static List<SimulatedActorProcess> AddHosts(GradientWorld world, params int[] shards)
    {
        var hosts = shards.Select(count => world.AddNode(workers: 0, count)).ToList();
        world.AddNode(workers: 1);
        world.AddNode(workers: 1);
        return hosts;
    }

    /// <summary>What learners were told of their gradients, kept by the test.</summary>
    private sealed class Books
    {
        private readonly GradientWorld _world;
        private readonly HashSet<(int Shard, UnrollId Id)> _applied = [];
        private readonly Dictionary<int, (PushGradient Push, ActorPath At)> _last = [];

        public Books(GradientWorld world)
        {
            _world = world;
            world.Simulation.Watcher = (_, path, message) => Watch(path, message);
        }

        /// <summary>Parts that were applied more than once.</summary>
        public List<(int Shard, UnrollId Id)> Twice { get; } = [];

        /// <summary>Answers that refused what had been applied before.</summary>
        public int RefusedAgain { get; private set; }

        /// <summary>For each shard a part that it got lately, and where.</summary>
        public IReadOnlyList<(PushGradient Push, ActorPath At)> LastPushes => [.. _last.Values];

        public long Of(int shard) => _applied.Count(entry => entry.Shard == shard);

        public void SendAgain((PushGradient Push, ActorPath At) sent)
        {
            foreach (var system in _world.Nodes.Select(node => node.System).OfType<ActorSystem>().Append(_world.Leader))
                system.ActorSelection(sent.At.ToStringWithoutAddress()).Tell(sent.Push, _world.Leader.ActorOf(Props.Create(() => new Answers(this))));
        }

        private void Watch(ActorPath path, object message)
        {
            if (message is PushGradient push && path.Name == RunCoordinator.GradientsName) _last[push.Offset] = (push, path);
            if (message is not GradientAcknowledged { Rejection: GradientRejection.None } answer) return;
            if (!_applied.Add((answer.Shard, answer.Id))) Twice.Add((answer.Shard, answer.Id));
        }

        private sealed class Answers : ReceiveActor
        {
            public Answers(Books books) => Receive<GradientAcknowledged>(answer => books.RefusedAgain += answer.Rejection == GradientRejection.None ? 0 : 1);
        }
    }
}
