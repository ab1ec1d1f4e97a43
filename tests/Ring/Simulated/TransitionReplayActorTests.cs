using System.Runtime.InteropServices;
using Akka.Actor;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Replay;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Ring.Tests.Simulated;

public sealed class TransitionReplayActorTests
{
    private static readonly UnrollShape Shape = new(2, 1, new ObservationSpec(ElementType.Float32, 1), 2);

    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(7);
    private readonly List<object> _answers = [];
    private readonly TransitionMemory _memory = new(Shape.Observation, 100);
    private readonly IActorRef _replay, _learner;

    public TransitionReplayActorTests()
    {
        var system = _simulation.CreateSystem("test");
        var setup = new TransitionReplaySetup(_memory, Shape, BatchSize: 8, Least: 4, CreditsPerWorker: 3, 1L << 30, RunSeed: 1);
        _replay = system.ActorOf(Props.Create(() => new TransitionReplayActor(setup)), "replay");
        _learner = system.ActorOf(Props.Create(() => new Probe(_answers)), "learner");
        Tell(new RegisterWorker(0, 1, Shape.ByteCount));
    }

    [Fact]
    public void Segments_are_remembered_and_minibatches_are_drawn_once_there_is_enough()
    {
        Assert.Equal(new CreditsGranted(0, 1, 3), _answers[^1]);
        Tell(new RequestTransitions(0, 1, 5));
        Assert.Equal((5, 0), (Drawn().Number, Drawn().Actions.Length));
        for (var i = 0; i < 3; i++)
        {
            Tell(new InsertUnroll(Segment(i)));
            Assert.Equal(new CreditReturned(new UnrollId(0, 1, i), UnrollOutcome.Consumed), _answers[^1]);
        }
        // The last of six steps has nothing to lead to yet.
        Assert.Equal(5, _memory.Count);
        Tell(new RequestTransitions(0, 1, 6));
        var (states, next) = (Floats(Drawn().Observations.AsSpan(0, 32)), Floats(Drawn().Observations.AsSpan(32)));
        Assert.Equal(8, states.Length);
        for (var i = 0; i < 8; i++) Assert.Equal((states[i], states[i] + 1), (Drawn().Rewards[i], next[i]));
    }

    [Fact]
    public void Nothing_joins_what_came_before_a_segment_that_was_lost()
    {
        foreach (var sequence in (long[])[0, 2, 3]) Tell(new InsertUnroll(Segment(sequence)));
        // Steps 0 and 4 to 6 lead to the next; 1 led to one that was lost.
        Assert.Equal([0, 4, 5, 6], Rewards());
    }

    [Fact]
    public void Where_an_episode_ended_a_step_has_no_next_and_where_it_was_cut_it_is_not_drawn()
    {
        Tell(new InsertUnroll(Segment(0, ended: 0)));
        Tell(new InsertUnroll(Segment(1, cut: 0)));
        Tell(new InsertUnroll(Segment(2, ended: 0)));
        Assert.Equal([0, 1, 3, 4], Rewards());
        var drawn = Drawn();
        for (var i = 0; i < 8; i++) Assert.Equal(drawn.Rewards[i] is 0 or 4, drawn.Discounts[i] == 0);
    }

    [Fact]
    public void What_must_not_be_taken_goes_back_with_the_reason_and_leaves_no_trace()
    {
        var poisoned = Segment(1);
        BitConverter.TryWriteBytes(poisoned.Observations.AsSpan(4), float.NaN);
        Tell(new InsertUnroll(Segment(0)));
        Unroll[] bad = [Segment(0), Segment(1, incarnation: 0), Segment(1, worker: 9), poisoned, new(Shape with { Steps = 9 }) { Id = new UnrollId(0, 1, 1) }];
        foreach (var unroll in bad) Tell(new InsertUnroll(unroll));
        Assert.Equal(
            [UnrollOutcome.Duplicate, UnrollOutcome.StaleIncarnation, UnrollOutcome.StaleIncarnation, UnrollOutcome.NotFinite, UnrollOutcome.WrongShape],
            _answers.OfType<CreditReturned>().Skip(1).Select(message => message.Outcome));
        Assert.Equal(2, _memory.Inserted);
        Tell(new InsertUnroll(Segment(1)));
        Assert.Equal(4, _memory.Inserted);
    }

    [Fact]
    public void A_learner_that_begins_anew_draws_other_minibatches_and_the_one_before_it_none()
    {
        for (var i = 0; i < 30; i++) Tell(new InsertUnroll(Segment(i)));
        Tell(new RequestTransitions(0, 1, 0));
        var first = Drawn().Rewards;
        Tell(new RegisterWorker(0, 2, Shape.ByteCount));
        Tell(new RequestTransitions(0, 2, 0));
        Assert.NotEqual(first, Drawn().Rewards);
        var answers = _answers.Count;
        Tell(new RequestTransitions(0, 1, 1));
        Tell(new RegisterWorker(0, 1, Shape.ByteCount));
        Assert.Equal(answers, _answers.Count);
    }

    [Fact]
    public void A_minibatch_of_another_run_is_not_taken_over()
    {
        for (var i = 0; i < 5; i++) Tell(new InsertUnroll(Segment(i)));
        Tell(new RequestTransitions(0, 1, 0));
        var (drawn, batch) = (Drawn(), new TransitionBatch(Shape.Observation, 8));
        Assert.True(batch.TryFill(drawn, 2));
        Assert.Equal(drawn.Rewards, batch.Rewards);
        Assert.False(batch.TryFill(drawn with { Actions = [.. drawn.Actions.Select(_ => 2)] }, 2));
        Assert.False(batch.TryFill(drawn with { Actions = [.. drawn.Actions.Select(_ => -1)] }, 2));
        Assert.False(batch.TryFill(drawn with { Rewards = [float.NaN, .. drawn.Rewards[1..]] }, 2));
        Assert.False(batch.TryFill(drawn with { Discounts = [float.PositiveInfinity, .. drawn.Discounts[1..]] }, 2));
        Assert.False(batch.TryFill(drawn with { Observations = new byte[128] }, 2));
        Assert.False(new TransitionBatch(Shape.Observation, 7).TryFill(drawn, 2));
    }

    // Step i shows i and earns i.
    private static Unroll Segment(long sequence, int incarnation = 1, int worker = 0, int ended = -1, int cut = -1)
    {
        var unroll = new Unroll(Shape) { Id = new UnrollId(worker, incarnation, sequence) };
        for (var t = 0; t < 2; t++)
        {
            unroll.Rewards[t] = (2 * sequence) + t;
            BitConverter.TryWriteBytes(unroll.Observations.AsSpan(4 * t), unroll.Rewards[t]);
            unroll.Reset[t + 1] = t == ended || t == cut;
            unroll.Discounts[t] = t == ended ? 0 : 0.9f;
        }
        return unroll;
    }

    private SortedSet<float> Rewards()
    {
        var found = new SortedSet<float>();
        for (var i = 0; i < 20; i++)
        {
            Tell(new RequestTransitions(0, 1, i));
            found.UnionWith(Drawn().Rewards);
        }
        return found;
    }

    private TransitionsDrawn Drawn() => Assert.IsType<TransitionsDrawn>(_answers[^1]);

    private static float[] Floats(ReadOnlySpan<byte> bytes) => MemoryMarshal.Cast<byte, float>(bytes).ToArray();

    private void Tell(object message)
    {
        _learner.Tell(new Probe.Send(_replay, message));
        _simulation.Advance(TimeSpan.FromMilliseconds(1));
    }
}
