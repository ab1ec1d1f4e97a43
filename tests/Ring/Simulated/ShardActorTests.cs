using System.Runtime.InteropServices;
using Akka.Actor;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Ring.Tests.Simulated;

/// <summary>A shard with an owner that the test plays.</summary>
public sealed class ShardActorTests
{
    private const int Parameters = 600, Frames = 5, Epoch = 4097, Bound = 8;

    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(1);
    private readonly ActorSystem _system;
    private readonly List<object> _owner = [], _learner = [];
    private readonly IActorRef _ownerRef, _learnerRef, _host;
    private IActorRef? _shard;
    private long _sequence;

    public ShardActorTests()
    {
        _system = _simulation.CreateSystem("rl", new EmbeddedEngine.Options());
        _ownerRef = _system.ActorOf(Props.Create(() => new Probe(_owner)), "owner");
        _learnerRef = _system.ActorOf(Props.Create(() => new Probe(_learner)), "learner");
        _host = _system.ActorOf(Props.Create(() => new ShardHostActor("akka.actor.default-dispatcher", 1)), "host");
    }

    [Fact]
    public void It_applies_no_more_than_the_bound_beyond_the_last_checkpoint_that_its_owner_has()
    {
        Start();
        for (var i = 0; i < 30; i++) Push();
        Settle();
        Assert.Equal(Bound, Answers().Count);
        Assert.All(Answers(), answer => Assert.Equal(GradientRejection.None, answer.Rejection));
        // The first checkpoint was taken at half the bound, and the next waits until that one is there.
        var first = Received();
        Assert.Equal((Bound / 2, Frames * Bound / 2), (Counts(first).Updates, Counts(first).Frames));
        Assert.Equal(Bound + (Bound / 2), Answers().Count);
        while (Answers().Count < 30) Received();
        Assert.All(Answers(), answer => Assert.Equal(GradientRejection.None, answer.Rejection));
        Assert.Equal(Enumerable.Range(0, 30).Select(i => (long)i), Answers().Select(answer => answer.Id.Sequence));
    }

    [Fact]
    public void Its_last_checkpoint_holds_all_that_it_has_applied_and_comes_again_until_it_is_answered()
    {
        Start();
        for (var i = 0; i < 3; i++) Push();
        Settle();
        Tell(_shard!, new StopShard(Epoch));
        Settle();
        _owner.RemoveAll(message => message is StateChunk);
        Settle(seconds: 5);
        var last = Received();
        Assert.Equal(3, Counts(last).Updates);
        Assert.Equal("1", last.Text(ShardActor.LastKey));
        Push();
        Settle();
        Assert.Equal(3, Answers().Count);
    }

    [Fact]
    public void It_begins_once_with_its_state_and_ends_with_its_owner()
    {
        Start();
        for (var i = 0; i < 5; i++) Tell(_host, StartMessage());
        foreach (var chunk in StateChunks(number: 9, NewState(updates: 50))) Tell(_shard!, chunk);
        Settle();
        Push();
        Settle();
        Assert.Equal(11, Answers().Single().Newest.Counter);
        _system.Stop(_ownerRef);
        Settle();
        var ended = new List<object>();
        var watcher = _system.ActorOf(Props.Create(() => new Probe(ended)));
        watcher.Tell(new Probe.Send(_shard!, new Identify("shard")));
        Settle();
        Assert.DoesNotContain(ended, message => message is ActorIdentity { Subject: not null });
    }

    [Fact]
    public void Of_what_waits_for_a_checkpoint_it_keeps_what_the_learner_has_credits_for_and_forgets_the_oldest()
    {
        Start(credits: 2);
        for (var i = 0; i < 30; i++) Push();
        Settle();
        Assert.Equal(Bound, Answers().Count);
        while (Answers().Count < Bound + 2) Received();
        Assert.Equal([28, 29], Answers().Skip(Bound).Select(answer => answer.Id.Sequence));
        Assert.All(Answers(), answer => Assert.Equal(GradientRejection.None, answer.Rejection));
        // Of a learner that is not there nothing waits.
        for (var i = 0; i < 8; i++) Push();
        Settle();
        Push(incarnation: 4097);
        Settle();
        Assert.Equal(GradientRejection.UnknownLearner, Answers()[^1].Rejection);
    }

    [Fact]
    public void A_shard_that_has_ended_does_not_begin_again_for_a_late_order_nor_one_for_which_there_is_no_room()
    {
        Start();
        Tell(_host, StartMessage() with { Shard = 2 });
        Settle();
        Assert.Contains("room for 1 shards", _owner.OfType<ShardEnded>().Single(ended => ended.Shard == 2).Reason, StringComparison.Ordinal);
        // It fails with a state that is none.
        var next = StartMessage() with { Epoch = Epoch + 1 };
        Tell(_host, next);
        Settle();
        Tell(Resolve("/user/host/shard-1-4098-1"), new StateChunk(1, Epoch + 1, 1, 3, 0, new byte[3]));
        Settle();
        Assert.Contains("Not a usable checkpoint", _owner.OfType<ShardEnded>().Single(ended => ended.Shard == 1).Reason, StringComparison.Ordinal);
        _owner.Clear();
        Tell(_host, StartMessage());
        Tell(_host, next);
        Settle(seconds: 2);
        Assert.Equal(Epoch + 1, Assert.IsType<ShardEnded>(Assert.Single(_owner)).Epoch);
        Tell(_host, StartMessage() with { Epoch = Epoch + 2 });
        Settle();
        Assert.Contains(_owner, message => message is ShardStarted { Epoch: Epoch + 2 });
    }

    private static StartShard StartMessage(int credits = 30) => new(
        "run", 1, Epoch, new ShardRange(100, Parameters / 2, Parameters),
        new ShardLearning(new SharedParametersOptions(), new LinearSchedule(0.01, 0.01, 1), Frames, 20, TargetClock.Frames, long.MaxValue, credits),
        new ParameterServerOptions { ChunkKilobytes = 1, ChunksInFlight = 2, MaxRolledBackUpdates = Bound, PublishMilliseconds = 5 });

    // With ten updates of before.
    private void Start(int credits = 30)
    {
        Tell(_host, StartMessage(credits));
        Settle();
        Assert.Contains(_owner, message => message is ShardStarted { Shard: 1, Epoch: Epoch });
        _shard = Resolve("/user/host/shard-1-4097-0");
        foreach (var chunk in StateChunks(number: 1, NewState(updates: 10))) Tell(_shard, chunk);
        Settle();
        Assert.Contains(_owner, message => message is StateReceived { Number: 1 } received && received.Count == ShardStates.Encode(NewState(updates: 10)).Length);
        var server = Resolve($"/user/host/shard-1-4097-0/{ServerNames.Gradients}");
        _learnerRef.Tell(new Probe.Send(server, new RegisterLearner(3, 4096, "run")));
        Settle();
        Assert.Contains(_learner, message => message is LearnerRegistered { Shard: 1 });
    }

    private void Push(int incarnation = 4096)
    {
        var gradient = new float[Parameters / 2];
        gradient[5] = 1;
        var segment = new SegmentReport(Frames, [], [], 0, new ActorCriticLossValues(Frames, 1, 1, 1), 1);
        var push = new PushGradient(
            new UnrollId(3, incarnation, _sequence++), new ParameterVersion(Epoch, 10), Parameters, 100, GradientEncoding.Float32, 1,
            MemoryMarshal.AsBytes(gradient.AsSpan()).ToArray(), segment);
        _learnerRef.Tell(new Probe.Send(Resolve($"/user/host/shard-1-4097-0/{ServerNames.Gradients}"), push));
    }

    private List<GradientAcknowledged> Answers() => [.. _learner.OfType<GradientAcknowledged>()];

    // Takes the checkpoint that is on its way, as the owner does: the newest, where it came again.
    private Checkpoint Received()
    {
        var receiver = new StateReceiver(1 << 20);
        byte[]? state = null;
        for (var i = 0; i < 100 && state is null; i++)
        {
            foreach (var chunk in _owner.OfType<StateChunk>().ToList())
            {
                _owner.Remove(chunk);
                if (state is null && receiver.Take(chunk, out state) is { } answer) Tell(_shard!, answer);
            }
            Settle();
        }
        Assert.NotNull(state);
        return ShardStates.Decode(state);
    }

    private static (long Frames, long Updates) Counts(Checkpoint state)
    {
        var (frames, updates) = SharedParameters.CountsOf(state);
        return (frames - 50, updates - 10);
    }

    private static Checkpoint NewState(long updates)
    {
        var shared = new SharedParameters(new float[Parameters], new SharedParametersOptions());
        return new Checkpoint { Tensors = new GradientLedger(shared).SaveRange(new ShardRange(100, Parameters / 2, Parameters), updates * Frames, updates) };
    }

    private static IEnumerable<StateChunk> StateChunks(long number, Checkpoint state)
    {
        var bytes = ShardStates.Encode(state);
        for (var at = 0; at < bytes.Length; at += 1000)
            yield return new StateChunk(1, Epoch, number, bytes.Length, at, bytes.Slice(at, Math.Min(1000, bytes.Length - at)));
    }

    private void Tell(IActorRef to, object message) => _ownerRef.Tell(new Probe.Send(to, message));

    private IActorRef Resolve(string path)
    {
        var found = new List<object>();
        var probe = _system.ActorOf(Props.Create(() => new Probe(found)));
        _system.ActorSelection(path).Tell(new Identify(path), probe);
        Settle();
        return Assert.IsType<ActorIdentity>(found.Single()).Subject!;
    }

    private void Settle(double seconds = 0.05) => _simulation.Advance(TimeSpan.FromSeconds(seconds));
}
