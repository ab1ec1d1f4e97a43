using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Wrappers;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

public class WrapperTests
{
    private static readonly EnvironmentOptions CartPole = new(), Catch = new() { Name = "catch" }, Pendulum = new() { Name = "pendulum" };

    public static TheoryData<EnvironmentOptions> Wrapped() =>
    [
        Catch with { FrameStack = 4 },
        CartPole with { FrameStack = 3 },
        Pendulum with { FrameStack = 2 },
        new EnvironmentOptions { Name = "minatar-seaquest", FrameStack = 4 },
        CartPole with { ActionRepeat = 3 },
        Pendulum with { ActionRepeat = 2 },
        Catch with { StickyActions = 0.3 },
        Pendulum with { StickyActions = 0.3 },
        Catch with { TimeLimit = 4 },
        Pendulum with { TimeLimit = 30 },
        CartPole with { StickyActions = 0.25, ActionRepeat = 2, TimeLimit = 10, FrameStack = 4 },
    ];

    [Theory]
    [MemberData(nameof(Wrapped))]
    public void Whatever_stands_around_an_environment_it_keeps_the_contract(EnvironmentOptions options)
    {
        var checks = EnvironmentContract.Check(options, steps: 1000);
        Assert.True(checks.All(check => check.Passed), string.Join('\n', checks));
        var batch = EnvironmentRegistry.Default.Create(options, 2, RandomStream.Create(1, StreamRole.Environment));
        Assert.Equal(EnvironmentRegistry.Default.Spec(options), batch.Spec);
    }

    [Fact]
    public void A_stack_starts_with_the_first_frame_and_ends_with_the_final_one()
    {
        var (plain, stacked) = (Play.Of(Catch, 1), Play.Of(Catch with { FrameStack = 3 }, 1));
        var stacking = new FrameStacking(stacked.Batch.Spec.Observation);
        var expected = new byte[stacking.StackBytes];
        stacking.Fill(plain.Observations, expected);
        Assert.Equal(expected, stacked.Observations);
        for (var step = 1; step <= 20; step++)
        {
            plain.Step();
            stacked.Step();
            Assert.Equal(plain.Terminated[0], stacked.Terminated[0]);
            Assert.Equal(step % 9 == 0, stacked.Terminated[0]);
            stacking.Push(expected, stacked.Terminated[0] ? plain.Finals : plain.Observations, expected);
            if (stacked.Terminated[0])
            {
                Assert.Equal(expected, stacked.Finals);
                stacking.Fill(plain.Observations, expected);
            }
            Assert.Equal(expected, stacked.Observations);
        }
    }

    [Fact]
    public void An_entry_may_stack_by_itself_and_the_options_have_the_last_word()
    {
        var entry = EnvironmentRegistry.Default.Describe("catch");
        var registry = new EnvironmentRegistry(entry with { FrameStack = 4 });
        Assert.Equal([10, 5, 4], registry.Spec(Catch).Observation.Shape);
        Assert.Equal([10, 5, 2], registry.Spec(Catch with { FrameStack = 2 }).Observation.Shape);
        Assert.Equal([10, 5], registry.Spec(Catch with { FrameStack = 1 }).Observation.Shape);
        var own = new EnvironmentRegistry(entry with { Options = [nameof(EnvironmentOptions.FrameStack), nameof(EnvironmentOptions.TimeLimit)] });
        Assert.Equal(own.Spec(Catch), own.Create(Catch with { FrameStack = 2, TimeLimit = 3 }, 1, default).Spec);
    }

    [Fact]
    public void A_repeated_action_gives_the_sum_of_its_rewards_and_stops_at_an_end()
    {
        var (plain, repeated) = (Play.Of(CartPole, 1), Play.Of(CartPole with { ActionRepeat = 4 }, 1));
        var ends = 0;
        for (var step = 0; step < 60; step++)
        {
            plain.Actions[0] = repeated.Actions[0] = step % 2;
            var rewards = 0f;
            for (var i = 0; i < 4; i++)
            {
                plain.Step();
                rewards += plain.Rewards[0];
                if (plain.Terminated[0]) break;
            }
            repeated.Step();
            Assert.Equal((rewards, plain.Terminated[0]), (repeated.Rewards[0], repeated.Terminated[0]));
            Assert.Equal(plain.Observations, repeated.Observations);
            if (!plain.Terminated[0]) continue;
            Assert.Equal(plain.Finals, repeated.Finals);
            if (rewards < 4) ends++;
        }
        Assert.True(ends > 0, "no episode ended between two actions");
    }

    [Fact]
    public void Copies_that_stand_side_by_side_have_luck_of_their_own()
    {
        var play = Play.Of(CartPole with { ActionRepeat = 2 }, 3);
        Assert.Equal(3, Enumerable.Range(0, 3).Select(i => play.Shown(i)[0]).Distinct().Count());
    }

    [Fact]
    public void A_time_limit_truncates_and_starts_anew_and_an_end_starts_its_count_again()
    {
        var play = Play.Of(Catch with { TimeLimit = 6 }, 1);
        for (var step = 1; step <= 18; step++)
        {
            play.Step();
            Assert.Equal((false, step % 6 == 0), (play.Terminated[0], play.Truncated[0]));
            Assert.NotEqual(play.Truncated[0], play.Finals.AsSpan().IndexOfAnyExcept((byte)0) < 0 || step % 6 != 0);
        }
        play = Play.Of(Catch with { TimeLimit = 9 }, 1);
        for (var step = 1; step <= 18; step++)
        {
            play.Step();
            Assert.Equal((step % 9 == 0, step % 9 == 0), (play.Terminated[0], play.Truncated[0]));
        }
        play = Play.Of(Catch with { TimeLimit = 10 }, 1);
        for (var step = 1; step <= 30; step++)
        {
            play.Step();
            Assert.Equal((step % 9 == 0, false), (play.Terminated[0], play.Truncated[0]));
        }
    }

    [Fact]
    public void An_end_that_is_the_learners_only_does_not_start_the_count_of_a_time_limit_again()
    {
        var notes = new StepNotes[1];
        var batch = new TimeLimit(new LifeLossWrapper(new Losing(), LifeLoss.Reset), limit: 4);
        var (observations, finals, terminated, truncated) = (new byte[4], new byte[4], new bool[1], new bool[1]);
        batch.Reset(observations);
        for (var step = 1; step <= 20; step++)
        {
            notes[0] = StepNotes.None;
            batch.Step([0], new StepResults
            {
                Observations = observations, FinalObservations = finals, Rewards = new float[1], Terminated = terminated, Truncated = truncated,
                Notes = notes,
            });
            Assert.Equal((step % 2 == 0, step % 4 == 0), (terminated[0], truncated[0]));
            Assert.Equal(step % 4 == 2 ? StepNotes.GameGoesOn : StepNotes.None, notes[0]);
        }
    }

    [Theory]
    [InlineData(0.25)]
    [InlineData(1.0)]
    public void An_action_sticks_as_often_as_it_should(double probability)
    {
        const int copies = 50, steps = 200;
        var inner = new Recorder(copies);
        var play = new Play(new StickyActions(inner, probability, RandomStream.Create(1, StreamRole.Environment)));
        var (last, stuck) = (new int[copies], 0);
        for (var step = 1; step <= steps; step++)
        {
            play.Actions.AsSpan().Fill(step);
            play.Step();
            for (var i = 0; i < copies; i++)
            {
                Assert.True(inner.Played[i] == step || inner.Played[i] == last[i]);
                if (inner.Played[i] != step) stuck++;
                last[i] = inner.Played[i];
            }
        }
        Assert.InRange(stuck / (double)(copies * steps), probability - 0.02, probability + 0.02);
    }

    [Fact]
    public void MinAtar_keeps_its_own_sticky_actions()
    {
        var options = new EnvironmentOptions { Name = "minatar-breakout", StickyActions = 0.5 };
        Assert.IsNotType<StickyActions>(EnvironmentRegistry.Default.Create(options, 1, default));
        Assert.IsType<StickyActions>(EnvironmentRegistry.Default.Create(Catch with { StickyActions = 0.5 }, 1, default));
    }

    [Fact]
    public void What_makes_no_sense_is_refused()
    {
        EnvironmentOptions[] bad =
        [
            Catch with { FrameStack = 0 }, Catch with { ActionRepeat = 0 }, Catch with { TimeLimit = -1 }, Catch with { StickyActions = 1.5 },
            Catch with { LifeLoss = (LifeLoss)7 }, Catch with { LifeLoss = LifeLoss.Roll },
        ];
        foreach (var options in bad) Assert.Throws<ArgumentException>(() => EnvironmentRegistry.Default.Spec(options));
        var error = Assert.Throws<ArgumentException>(() => EnvironmentRegistry.Default.Spec(Catch with { LifeLoss = LifeLoss.Reset }));
        Assert.Contains("'catch' has no lives to lose", error.Message, StringComparison.Ordinal);
        // An entry that promises lives its batches do not have.
        var registry = new EnvironmentRegistry(EnvironmentRegistry.Default.Describe("catch") with { HasLives = true });
        Assert.Throws<ArgumentException>(() => registry.Create(Catch with { LifeLoss = LifeLoss.Reset }, 1, default));
        Assert.Throws<ArgumentException>(() => new TimeLimit(new Recorder(2), 3));
        Assert.Throws<ArgumentException>(() => new ActionRepeat(new Recorder(2), 3));
    }

    [Fact]
    public void Notes_lives_and_the_end_pass_through_all_of_it()
    {
        var inner = new Recorder(1);
        IEnvironmentBatch all = new SideBySide(1, default, _ => new TimeLimit(new ActionRepeat(new StickyActions(inner, 0.1, default), 2), 50));
        all = new FrameStack(new LifeLossWrapper(all, LifeLoss.Roll), 2);
        var bytes = new byte[all.Spec.Observation.ByteCount];
        all.Reset(bytes);
        var notes = new StepNotes[1];
        all.Step([1], new StepResults
        {
            Observations = bytes, FinalObservations = new byte[bytes.Length], Rewards = new float[1], Terminated = new bool[1],
            Truncated = new bool[1], Notes = notes,
        });
        Assert.Equal(StepNotes.NoBootstrap, notes[0]);
        Assert.Equal(7, ((IHasLives)all).Lives[0]);
        ((IDisposable)all).Dispose();
        Assert.True(inner.IsDisposed);
    }

    /// <summary>Notes the actions that reach it; has 7 lives, and a note at the first step.</summary>
    private sealed class Recorder(int count) : IEnvironmentBatch, IHasLives, IDisposable
    {
        private readonly int[] _lives = [.. Enumerable.Repeat(7, count)];
        private int _steps;

        public EnvironmentSpec Spec { get; } = new("recorder", new ObservationSpec(ElementType.Float32, 1), new DiscreteActionSpec(1000));

        public int Count => count;

        public int[] Played { get; } = new int[count];

        public bool IsDisposed { get; private set; }

        public ReadOnlySpan<int> Lives => _lives;

        public void Reset(Span<byte> observations) => observations.Clear();

        public void Step(ReadOnlySpan<int> actions, in StepResults results)
        {
            actions.CopyTo(Played);
            results.Observations.Clear();
            results.Rewards.Clear();
            results.Terminated.Clear();
            results.Truncated.Clear();
            if (_steps++ == 0 && !results.Notes.IsEmpty) results.Notes[0] = StepNotes.NoBootstrap;
        }

        public void Step(ReadOnlySpan<float> actions, in StepResults results) => throw new NotSupportedException();

        public void Render(int index, TextCanvas canvas) => canvas.Clear(1, 1);

        public void Dispose() => IsDisposed = true;
    }

    /// <summary>Loses a life of many at every second step.</summary>
    private sealed class Losing : IEnvironmentBatch, IHasLives
    {
        private readonly int[] _lives = [100];
        private int _steps;

        public EnvironmentSpec Spec { get; } = new("losing", new ObservationSpec(ElementType.Float32, 1), new DiscreteActionSpec(1));

        public int Count => 1;

        public ReadOnlySpan<int> Lives => _lives;

        public void Reset(Span<byte> observations)
        {
            observations.Clear();
            (_steps, _lives[0]) = (0, 100);
        }

        public void Step(ReadOnlySpan<int> actions, in StepResults results)
        {
            results.Observations.Clear();
            results.Rewards.Clear();
            results.Terminated.Clear();
            results.Truncated.Clear();
            if (++_steps % 2 == 0) _lives[0]--;
        }

        public void Step(ReadOnlySpan<float> actions, in StepResults results) => throw new NotSupportedException();

        public void Render(int index, TextCanvas canvas) => canvas.Clear(1, 1);
    }
}
