using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.ClassicControl;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Gymnasium.Tests;

/// <summary>The real package, where this machine has it.</summary>
public sealed class RealGymnasiumTests
{
    [Fact]
    public void Its_CartPole_is_ours()
    {
        using var play = new Play(null, PythonHere.Gymnasium, "CartPole-v1", count: 4, new EnvironmentOptions { Subprocesses = 2 });
        TestContext.Current.TestOutputHelper?.WriteLine($"the real gymnasium of {PythonHere.Gymnasium} was used");
        var ours = new CartPole[4];
        var steps = new int[4];
        var choices = RandomStream.Create(1, StreamRole.Policy);
        var (actions, numbers, ended) = (new int[4], new float[4], 0);
        for (var copy = 0; copy < 4; copy++) Load(copy);
        for (var step = 0; step < 300; step++)
        {
            // The first copy plays well enough to stay for long, the others do not.
            for (var copy = 0; copy < 4; copy++)
                actions[copy] = copy == 0 ? play.Seen(0)[2] + play.Seen(0)[3] > 0 ? 1 : 0 : choices.NextInt32(2);
            play.Step(actions);
            for (var copy = 0; copy < 4; copy++)
            {
                var outcome = ours[copy].Step(actions[copy]);
                Assert.Equal(outcome.Terminated, play.Terminated[copy]);
                Assert.Equal(++steps[copy] == CartPole.StepLimit, play.Truncated[copy]);
                Assert.Equal(1, play.Rewards[copy]);
                var over = play.Terminated[copy] || play.Truncated[copy];
                ours[copy].Observe(numbers);
                var seen = over ? play.Final(copy) : play.Seen(copy);
                for (var i = 0; i < 4; i++) Assert.Equal(numbers[i], seen[i], 1e-3f);
                if (over) ended++;
                Load(copy, over);
            }
        }
        Assert.True(ended > 20, $"{ended} episodes");

        // Its state is double and shown in single precision: taken up again at each step, the two cannot drift apart.
        void Load(int copy, bool begins = true)
        {
            if (begins) steps[copy] = 0;
            ours[copy].Load([.. play.Seen(copy).Select(number => (double)number)]);
        }
    }

    [Fact]
    public void Its_tables_of_numbers_are_bits()
    {
        using var play = new Play(null, PythonHere.Gymnasium, "FrozenLake-v1", count: 2);
        Assert.Equal(new ObservationSpec(ElementType.Bit, 16), play.Batch.Spec.Observation);
        play.Step(0, 1);
    }

    [Fact]
    public void Its_errors_suggest_names() => Assert.Contains("CartPole", Assert.Throws<EnvironmentException>(
        () => new Play(null, PythonHere.Gymnasium, "CartPol-v1", count: 1)).Message);
}
