using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

/// <summary>One's own environment, made a batch.</summary>
public class EnvironmentBatchTests
{
    [Fact]
    public void It_keeps_the_contract()
    {
        var checks = EnvironmentContract.Check((count, random) => new EnvironmentBatch(() => new Lamps(), count, random), steps: 300, needsLuck: false);
        Assert.True(checks.All(check => check.Passed), string.Join('\n', checks));
    }

    [Fact]
    public void Flags_are_packed_with_the_first_in_the_lowest_bit_and_forgotten_before_the_next_step()
    {
        var play = new Batch(2);
        Assert.Equal([1, 0, 4, 1, 0, 4], play.Observations);
        play.Step(0, 9);
        Assert.Equal([1, 0, 0, 0, 2, 0], play.Observations);
        play.Step(7, 18);
        Assert.Equal([128, 0, 0, 0, 0, 4], play.Observations);
    }

    [Fact]
    public void An_ended_episode_shows_its_last_observation_and_the_next_one_its_first()
    {
        var play = new Batch(2);
        for (var step = 0; step < Lamps.Limit; step++) play.Step(3, 4);
        Assert.Equal([8, 0, 0, 16, 0, 0], play.Finals);
        Assert.Equal([1, 0, 4, 1, 0, 4], play.Observations);
        Assert.Equal([true, true], play.Truncated);
        Assert.Equal([3f, 4f], play.Rewards);
    }

    [Fact]
    public void A_step_before_the_first_reset_is_refused()
    {
        using var batch = new EnvironmentBatch(() => new Lamps(), 1, default);
        Assert.Contains("Reset comes before Step", Assert.Throws<InvalidOperationException>(() => batch.Step([0], new StepResults
        {
            Observations = new byte[3], FinalObservations = new byte[3], Rewards = new float[1], Terminated = new bool[1], Truncated = new bool[1],
        })).Message);
    }

    [Fact]
    public void Disposing_the_batch_disposes_every_copy()
    {
        var copies = new List<Lamps>();
        new EnvironmentBatch(() => Add(new Lamps()), 3, default).Dispose();
        Assert.All(copies, copy => Assert.True(copy.IsDisposed));
        Assert.Equal(3, copies.Count);

        Lamps Add(Lamps lamps)
        {
            copies.Add(lamps);
            return lamps;
        }
    }

    [Theory]
    [InlineData(0, 0, "0 lower and 0 upper bounds")]
    [InlineData(2, 1, "2 lower and 1 upper bounds")]
    public void Bounds_come_in_pairs(int low, int high, string expected) => Assert.Contains(expected, SpecProblem.Of(
        new EnvironmentSpec("x", new ObservationSpec(ElementType.Bit, 1), new ContinuousActionSpec([.. new float[low]], [.. new float[high]]))));

    [Theory]
    [InlineData(1f, 1f, false)]
    [InlineData(1f, -1f, false)]
    [InlineData(float.NegativeInfinity, 1f, false)]
    [InlineData(0f, float.NaN, false)]
    [InlineData(-1f, 1f, true)]
    public void Bounds_are_finite_and_in_order(float low, float high, bool sound) => Assert.Equal(sound, SpecProblem.Of(
        new EnvironmentSpec("x", new ObservationSpec(ElementType.Bit, 1), new ContinuousActionSpec([low], [high]))) is null);

    /// <summary>Nineteen lamps: the one of the action is lit; the first and the last at the beginning.</summary>
    private sealed class Lamps : IDiscreteEnvironment, IDisposable
    {
        public const int Limit = 5;

        private int _steps;

        public bool IsDisposed { get; private set; }

        public EnvironmentSpec Spec { get; } = new("lamps", new ObservationSpec(ElementType.Bit, 19), new DiscreteActionSpec(19));

        public void Reset(ref RandomStream random, ObservationWriter observation)
        {
            _steps = 0;
            observation.Flags[0] = observation.Flags[18] = true;
        }

        public Outcome Step(int action, ref RandomStream random, ObservationWriter observation)
        {
            observation.Flags[action] = true;
            return new Outcome(action, Truncated: ++_steps == Limit);
        }

        public void Dispose() => IsDisposed = true;
    }

    private sealed class Batch
    {
        private readonly EnvironmentBatch _batch;

        public Batch(int count)
        {
            _batch = new EnvironmentBatch(() => new Lamps(), count, default);
            (Observations, Finals, Rewards, Truncated) = (new byte[3 * count], new byte[3 * count], new float[count], new bool[count]);
            _batch.Reset(Observations);
        }

        public byte[] Observations { get; }

        public byte[] Finals { get; }

        public float[] Rewards { get; }

        public bool[] Truncated { get; }

        public void Step(params ReadOnlySpan<int> actions) => _batch.Step(actions, new StepResults
        {
            Observations = Observations, FinalObservations = Finals, Rewards = Rewards, Terminated = new bool[Rewards.Length], Truncated = Truncated,
        });
    }
}
