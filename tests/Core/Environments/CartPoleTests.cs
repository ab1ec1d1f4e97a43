using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.ClassicControl;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

public class CartPoleTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(33)]
    public void The_vector_batch_gives_the_episodes_of_the_single_carts_to_the_bit(int count)
    {
        var stream = RandomStream.Create(3, StreamRole.Environment);
        var fast = new Play(new CartPoleBatch(new EnvironmentOptions(), count, stream));
        var plain = new Play(new GameBatch<TimeLimited<CartPole, int>, int>(new EnvironmentOptions(), count, stream));
        var choices = RandomStream.Create(3, StreamRole.Policy);
        var ends = 0;
        Assert.Equal(plain.Observations, fast.Observations);
        for (var step = 0; step < 600; step++)
        {
            for (var i = 0; i < count; i++)
            {
                // Half of the carts are balanced, so that they reach the limit.
                var observation = MemoryMarshal.Cast<byte, float>(fast.Observations.AsSpan(i * 16, 16));
                fast.Actions[i] = plain.Actions[i] = i % 2 == 0 ? Balance(observation) : choices.NextInt32(2);
            }
            fast.Step();
            plain.Step();
            Assert.Equal(plain.Observations, fast.Observations);
            Assert.Equal(plain.Finals, fast.Finals);
            Assert.Equal(plain.Terminated, fast.Terminated);
            Assert.Equal(plain.Truncated, fast.Truncated);
            Assert.Equal(plain.Rewards, fast.Rewards);
            ends += fast.Terminated.Count(ended => ended);
        }
        if (count > 1) Assert.True(ends > 0);
    }

    [Fact]
    public void A_balanced_pole_is_truncated_after_exactly_500_steps_and_not_terminated()
    {
        var play = new Play(new CartPoleBatch(new EnvironmentOptions(), 1, RandomStream.Create(4, StreamRole.Environment)));
        for (var step = 1; step <= 1000; step++)
        {
            play.Actions[0] = Balance(MemoryMarshal.Cast<byte, float>(play.Observations));
            play.Step();
            Assert.False(play.Terminated[0]);
            Assert.Equal(step % 500 == 0, play.Truncated[0]);
            Assert.Equal(1f, play.Rewards[0]);
        }
        Assert.NotEqual(play.Finals, play.Observations);
    }

    [Fact]
    public void First_states_are_uniform_within_a_twentieth()
    {
        var play = new Play(new CartPoleBatch(new EnvironmentOptions(), 5000, RandomStream.Create(5, StreamRole.Environment)));
        var values = MemoryMarshal.Cast<byte, float>(play.Observations);
        double sum = 0, squares = 0;
        foreach (var value in values)
        {
            Assert.InRange(value, -0.05f, 0.05f);
            sum += value;
            squares += (double)value * value;
        }
        // Of 20,000 draws of variance 0.1²/12; bounds of 4 standard errors.
        Assert.InRange(sum / values.Length, -4 * 0.02887 / 141.4, 4 * 0.02887 / 141.4);
        Assert.InRange(squares / values.Length, 0.01 / 12 * 0.97, 0.01 / 12 * 1.03);
    }

    [Fact]
    public void A_step_agrees_with_the_equations_in_terms_of_the_library_sine_and_cosine()
    {
        var draws = RandomStream.Create(6, StreamRole.Environment);
        var worst = 0.0;
        for (var i = 0; i < 20_000; i++)
        {
            var cart = new CartPole();
            double[] state = [Uniform(ref draws, 2.4), Uniform(ref draws, 3), Uniform(ref draws, CartPole.MaxAngle), Uniform(ref draws, 4)];
            var action = i & 1;
            cart.Load(state);
            cart.Step(action);
            var after = new double[4];
            cart.Save(after);
            var expected = Textbook(state, action);
            for (var k = 0; k < 4; k++) worst = Math.Max(worst, Math.Abs(after[k] - expected[k]));
        }
        Assert.InRange(worst, 0, 2e-15);
    }

    [Fact]
    public void A_pole_that_has_fallen_cannot_be_loaded() => Assert.Throws<ArgumentException>(() => new CartPole().Load([0, 0, 0.3, 0]));

    [Fact]
    public void A_picture_shows_cart_and_pole()
    {
        var play = new Play(new CartPoleBatch(new EnvironmentOptions(), 1, RandomStream.Create(5, StreamRole.Environment)));
        var rows = play.Picture(0).Split('\n');
        Assert.Equal(12, rows.Length);
        Assert.All(rows[1..9], row => Assert.InRange(row.Trim().Length, 2, 4));
        Assert.Equal(9, rows[10].Trim().Length);
        Assert.Equal(new string('▀', 30) + "█" + new string('▀', 30), rows[11]);
    }

    private static double[] Textbook(double[] state, int action)
    {
        var (x, speed, angle, spin) = (state[0], state[1], state[2], state[3]);
        var (sin, cos) = Math.SinCos(angle);
        var drive = ((action == 1 ? 10 : -10) + 0.05 * spin * spin * sin) / 1.1;
        var turn = (9.8 * sin - cos * drive) / (0.5 * (4.0 / 3.0 - 0.1 * cos * cos / 1.1));
        var pull = drive - 0.05 * turn * cos / 1.1;
        return [x + 0.02 * speed, speed + 0.02 * pull, angle + 0.02 * spin, spin + 0.02 * turn];
    }

    private static double Uniform(ref RandomStream draws, double bound) => bound * (2 * draws.NextDouble() - 1);

    private static int Balance(ReadOnlySpan<float> s) => 0.1f * s[0] + 0.3f * s[1] + 3f * s[2] + s[3] > 0 ? 1 : 0;
}
