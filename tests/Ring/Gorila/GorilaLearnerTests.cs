using System.Runtime.InteropServices;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Ring.Tests;

public sealed class GorilaLearnerTests
{
    private const int Steps = 4, Actions = 2;

    private static readonly ActionValueNetwork Network =
        ActionValueNetwork.Create(new NetworkOptions { Hidden = [] }, TwoStates.SharedSpec.Observation, Actions);

    private static readonly GorilaOptions Options = new()
    {
        SegmentLength = Steps, Discount = 0.9f, BatchSize = 16, ReplayCapacity = 100, ReplayStart = 8, ExplorationFrames = 1_000_000,
        AnnealLearningRate = false, LearningRate = 0.01, ErrorClip = 0, OutlierDeviations = 0, TargetInterval = 1000,
    };

    private readonly TwoStates _environment = new();
    private readonly SharedParameters _shared;
    private readonly float[] _target;
    private readonly LearnerLog _log = new();
    private readonly TransitionMemory _replay = new(TwoStates.SharedSpec.Observation, 100);

    public GorilaLearnerTests()
    {
        var random = RandomStream.Create(3, StreamRole.Initialization);
        var (parameters, target) = (new float[Network.Layout.Count], new float[Network.Layout.Count]);
        Network.Initialize(target, ref random);
        Network.Initialize(parameters, ref random);
        _shared = new SharedParameters(parameters, new SharedParametersOptions { MaxStaleness = 10 });
        _target = target;
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 2)]
    [InlineData(true, 2)]
    public void Gradients_are_finite_differences_of_the_mean_loss_of_the_minibatch(bool doubleQ, float clip)
    {
        var learner = Learner(Options with { DoubleQ = doubleQ, ErrorClip = clip });
        var draws = RandomStream.Create(1, StreamRole.Replay);
        var batch = new TransitionBatch(TwoStates.SharedSpec.Observation, 16);
        var checkedBatches = 0;
        for (var segment = 0; segment < 12; segment++)
        {
            if (learner.AddGradient() != SegmentResult.Gradient) continue;
            // The same draws from the same memory are the same minibatch.
            Assert.True(_replay.TrySample(1, batch, ref draws));
            var (states, next) = (States(batch.Observations), States(batch.Next));
            var parameters = _shared.Values.ToArray();
            var targets = new double[16];
            for (var i = 0; i < 16; i++)
            {
                var best = doubleQ
                    ? Q(_target, next[i], Q(parameters, next[i], 1) > Q(parameters, next[i], 0) ? 1 : 0)
                    : Math.Max(Q(_target, next[i], 0), Q(_target, next[i], 1));
                targets[i] = batch.Rewards[i] + (batch.Discounts[i] * best);
            }
            for (var k = 0; k < Network.Layout.Count; k++)
                Assert.Equal(Slope(k, x => Loss(x, states, batch.Actions, targets, clip)), learner.Local.Gradient[k], 2e-3);
            learner.Local.Gradient.Clear();
            checkedBatches++;
        }
        Assert.True(checkedBatches > 5);
    }

    [Fact]
    public void What_is_remembered_is_what_happened_without_steps_that_a_limit_cut()
    {
        var learner = Learner(Options);
        for (var segment = 0; segment < 15; segment++) learner.RunSegment();
        var moves = _environment.Moves;
        var open = moves[^1].Terminated || moves[^1].Truncated ? 0 : 1;
        Assert.Equal(moves.Count - moves.Count(move => move.Truncated) - open, _replay.Count);
        var (draws, batch) = (RandomStream.Create(9, StreamRole.Replay), new TransitionBatch(TwoStates.SharedSpec.Observation, 1000));
        _replay.TrySample(1, batch, ref draws);
        var (states, next) = (States(batch.Observations), States(batch.Next));
        for (var i = 0; i < batch.Size; i++)
        {
            Assert.Equal(1 + (2 * states[i]) + (4 * batch.Actions[i]), batch.Rewards[i]);
            if (batch.Discounts[i] > 0) Assert.Equal(batch.Actions[i], next[i]);
        }
        // Every sixth step ends an episode, as many are cut.
        Assert.InRange(batch.Discounts.Count(discount => discount == 0), 100, 300);
    }

    [Fact]
    public void Learning_waits_until_the_memory_has_enough_and_frames_count_meanwhile()
    {
        var learner = Learner(Options with { ReplayStart = 20 });
        var updates = new List<long>();
        for (var segment = 0; segment < 9; segment++)
        {
            learner.RunSegment();
            updates.Add(_shared.Updates);
            Assert.Equal(updates[^1] > 0, _replay.Inserted >= 20);
        }
        Assert.Equal((0, 1, 9 * Steps), (updates[3], updates[4], _shared.Frames));
        var progress = _log.Take();
        Assert.Equal((9 * Steps, updates[^1], 0), (progress.Frames, progress.Updates, progress.Rejected));
    }

    [Fact]
    public void The_target_is_refreshed_every_so_many_updates()
    {
        var target = new TargetParameters(_shared, 3, TargetClock.Updates);
        var learner = Learner(Options, target: target);
        for (var segment = 0; segment < 20; segment++)
        {
            learner.RunSegment();
            Assert.Equal(_shared.Updates / 3, target.Refreshes);
            if (_shared.Updates > 0 && _shared.Updates % 3 == 0) Assert.Equal(_shared.Values, target.Values);
        }
        Assert.True(target.Refreshes > 3);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2 * Steps, 2)]
    [InlineData((3 * Steps) + 1, 3)]
    public void Parameters_are_fetched_every_so_many_steps_and_staleness_is_measured_from_there(int interval, int segments)
    {
        var learner = Learner(Options with { FetchInterval = interval });
        while (learner.AddGradient() != SegmentResult.Gradient) Assert.Equal(0, _shared.Updates);
        while (!learner.WantsParameters) learner.AddGradient();
        learner.Local.Gradient.Clear();
        for (var i = 0; i < 3 * segments; i++)
        {
            learner.RunSegment();
            Assert.Equal(i % segments, _log.Take().StalenessMax);
        }
    }

    [Fact]
    public void Between_two_fetches_the_gradient_is_of_the_old_copy()
    {
        var learner = Learner(Options with { FetchInterval = 100 * Steps, ReplayCapacity = 100 });
        while (learner.AddGradient() != SegmentResult.Gradient) Assert.Equal(0, _shared.Updates);
        learner.Local.Gradient.Clear();
        var old = _shared.Values.ToArray();
        var draws = RandomStream.Create(1, StreamRole.Replay);
        var batch = new TransitionBatch(TwoStates.SharedSpec.Observation, 16);
        _replay.TrySample(1, batch, ref draws);
        for (var i = 0; i < 5; i++)
        {
            learner.RunSegment();
            _replay.TrySample(1, batch, ref draws);
        }
        learner.AddGradient();
        _replay.TrySample(1, batch, ref draws);
        var states = States(batch.Observations);
        var next = States(batch.Next);
        var targets = batch.Rewards.Select((r, i) => r + (batch.Discounts[i] * Math.Max(Q(_target, next[i], 0), Q(_target, next[i], 1)))).ToArray();
        var errors = new double[Actions];
        for (var i = 0; i < 16; i++) errors[batch.Actions[i]] += (Q(old, states[i], batch.Actions[i]) - targets[i]) / 16;
        var bias = Network.Layout.Slice(learner.Local.Gradient, "q.bias");
        for (var a = 0; a < Actions; a++) Assert.Equal(errors[a], bias[a], 1e-4);
    }

    [Fact]
    public void After_a_gradient_was_too_old_the_next_begins_with_fresh_parameters()
    {
        var learner = Learner(Options with { FetchInterval = 100 * Steps });
        for (var i = 0; i < 60; i++) learner.RunSegment();
        // One in twelve is the twelfth since its copy was read.
        var stale = _shared.Rejected(GradientRejection.Stale);
        Assert.InRange(stale, 4, 5);
        Assert.Equal(60 * Steps, _shared.Frames);
        Assert.Equal((10, stale), (_log.Take() is var progress ? progress.StalenessMax : 0, progress.Rejected));
    }

    [Fact]
    public void A_gradient_of_an_unusual_loss_is_kept_back_and_counted_and_its_frames_too()
    {
        var target = new MovableTarget(_target);
        var learner = Learner(Options with { OutlierDeviations = 8 }, target: target);
        for (var i = 0; i < OutlierFilter.WarmUp + 200; i++) learner.RunSegment();
        Assert.Equal(0, _shared.AllRejected);
        _log.Take();
        var (before, updates) = (_shared.Values.ToArray(), _shared.Updates);
        target.Values = [.. _target.Select(value => value + 1000)];
        learner.RunSegment();
        Assert.Equal((1, updates, 1), (_shared.Rejected(GradientRejection.OutlierLoss), _shared.Updates, _log.Take().KeptBack));
        Assert.Equal(before, _shared.Values);
        Assert.Equal(-1, learner.Local.Gradient.IndexOfAnyExcept(0f));
        Assert.Equal((OutlierFilter.WarmUp + 201) * Steps, _shared.Frames);
        target.Values = _target;
        learner.RunSegment();
        Assert.Equal(updates + 1, _shared.Updates);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void An_observation_that_is_not_finite_fails_the_learner_and_never_enters_the_memory(float value)
    {
        var learner = Learner(Options);
        learner.RunSegment();
        var inserted = _replay.Inserted;
        _environment.Poison = value;
        var error = Assert.Throws<InvalidOperationException>(() =>
        {
            learner.RunSegment();
            learner.RunSegment();
        });
        Assert.Contains("'two-states'", error.Message);
        // What a segment led to belongs to the next.
        Assert.InRange(_replay.Inserted, inserted, inserted + Steps);
    }

    [Fact]
    public void A_segment_allocates_nothing()
    {
        var learner = Learner(Options with { DoubleQ = true });
        _environment.Moves.Capacity = 100_000;
        for (var i = 0; i < 200; i++) learner.RunSegment();
        _log.Take();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++) learner.RunSegment();
        // The environment's own notes, and a list of episodes that grows.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20 * Steps * 64);
    }

    private GorilaLearner Learner(GorilaOptions options, ITargetParameters? target = null)
    {
        var place = new LearnerPlace(0, 0, 1, 1_000_000, _shared, _shared.CreateLocal(), _log);
        var replay = new ReplayHere(_replay, 1, options.ReplayStart, place.Stream(StreamRole.Replay));
        return new GorilaLearner(place, new GorilaMemory(Network, options), target ?? new MovableTarget(_target), replay, _environment);
    }

    private static int[] States(ReadOnlySpan<byte> observations)
    {
        var rows = MemoryMarshal.Cast<byte, float>(observations).ToArray();
        return [.. rows.Where((_, i) => i % 2 == 1).Select(value => (int)value)];
    }

    private static double Loss(float[] parameters, int[] states, int[] actions, double[] targets, float clip) => targets.Select((y, i) =>
    {
        var error = Math.Abs(y - Q(parameters, states[i], actions[i]));
        return clip == 0 || error <= clip ? 0.5 * error * error : clip * (error - (0.5 * clip));
    }).Average();

    private static double Q(float[] parameters, int state, int action) =>
        (double)Network.Layout.Read(parameters, "q.weight")[state * Actions + action] + Network.Layout.Read(parameters, "q.bias")[action];

    private double Slope(int i, Func<float[], double> loss)
    {
        var (lower, higher) = (_shared.Values.ToArray(), _shared.Values.ToArray());
        lower[i] -= 1f / 512;
        higher[i] += 1f / 512;
        return (loss(higher) - loss(lower)) / ((double)higher[i] - lower[i]);
    }

    private sealed class MovableTarget(float[] values) : ITargetParameters
    {
        public float[] Values { get; set; } = values;
    }
}
