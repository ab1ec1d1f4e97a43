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

    [Fact]
    public void Copies_that_were_made_are_disposed_of_where_another_cannot_be()
    {
        var copies = new List<Lamps>();
        Assert.Throws<InvalidOperationException>(() => new EnvironmentBatch(
            () =>
            {
                if (copies.Count == 2) throw new InvalidOperationException("out of lamps");
                copies.Add(new Lamps());
                return copies[^1];
            }, 3, default));
        Assert.All(copies, copy => Assert.True(copy.IsDisposed));
        var lamps = new Lamps();
        Assert.Throws<EnvironmentException>(() => new CheckedBatch(new EnvironmentBatch(() => lamps, 1, default), "lamps", count: 2));
        Assert.True(lamps.IsDisposed);
    }

    [Fact]
    public void Copies_tell_their_lives_to_the_batch_and_whoever_watches_it()
    {
        IEnvironmentBatch batch = new CheckedBatch(new EnvironmentBatch(() => new Candle(), 2, default), "candle", 2);
        var (bytes, rewards, flags) = (new byte[2], new float[2], new bool[2]);
        batch.Reset(bytes);
        Assert.Equal([3, 3], ((IHasLives)batch).Lives);
        for (var lives = 2; lives >= 0; lives--)
        {
            batch.Step([0, 1], new StepResults
            {
                Observations = bytes, FinalObservations = new byte[2], Rewards = rewards, Terminated = flags, Truncated = new bool[2],
            });
            // Where the last is lost the next game begins.
            Assert.Equal([3, lives > 0 ? lives : 3], ((IHasLives)batch).Lives);
        }
        Assert.Equal([false, true], flags);
        Assert.True(new EnvironmentBatch(() => new Lamps(), 1, default).Lives.IsEmpty);
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

    /// <summary>Three lives; action 1 costs one.</summary>
    private sealed class Candle : IDiscreteEnvironment, IHasLives
    {
        private readonly int[] _lives = [0];

        public EnvironmentSpec Spec { get; } = new("candle", new ObservationSpec(ElementType.UInt8, 1), new DiscreteActionSpec(2));

        public ReadOnlySpan<int> Lives => _lives;

        public void Reset(ref RandomStream random, ObservationWriter observation) => _lives[0] = 3;

        public Outcome Step(int action, ref RandomStream random, ObservationWriter observation)
        {
            _lives[0] -= action;
            return new Outcome(0, Terminated: _lives[0] == 0);
        }
    }

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
