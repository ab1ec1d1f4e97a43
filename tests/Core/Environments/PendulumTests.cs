using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.ClassicControl;

namespace Rl.Distributed.Core.Tests.Environments;

public class PendulumTests
{
    [Theory]
    [InlineData(2.5f, 2)]
    [InlineData(float.MaxValue, 2)]
    [InlineData(-1e9f, -2)]
    public void A_torque_beyond_the_motor_is_the_strongest_it_has_and_costs_no_more(float given, float strongest)
    {
        var (one, other) = (Start(3, 0.5), Start(3, 0.5));
        Assert.Equal(other.Step(strongest), one.Step(given));
        Assert.Equal(State(other), State(one));
        Assert.NotEqual(State(other), State(Stepped(Start(3, 0.5), 0)));
    }

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(2 * Math.PI, 0, 0, 0)]
    [InlineData(Math.PI, 0, 0, -Math.PI * Math.PI)]
    [InlineData(-5 * Math.PI, 0, 0, -Math.PI * Math.PI)]
    [InlineData(-7.5, 2, 1, -(1.2168146928204138 * 1.2168146928204138) - 0.4 - 0.001)]
    public void The_cost_is_of_the_angle_from_upright_the_shorter_way_of_the_turn_and_of_the_torque(
        double angle, double spin, float torque, double reward) =>
        Assert.Equal(reward, Start(angle, spin).Step(torque).Reward, 12);

    [Fact]
    public void It_turns_at_most_8_radians_a_second()
    {
        var pendulum = Start(Math.PI / 2, 7.9);
        pendulum.Step(2);
        Assert.Equal([Math.PI / 2 + 0.4, 8], State(pendulum));
    }

    [Fact]
    public void No_episode_terminates_and_each_has_exactly_200_steps()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "pendulum" }, 3);
        for (var step = 1; step <= 600; step++)
        {
            play.Step();
            Assert.DoesNotContain(true, play.Terminated);
            Assert.All(play.Truncated, truncated => Assert.Equal(step % 200 == 0, truncated));
        }
    }

    [Fact]
    public void First_states_point_everywhere_and_turn_at_most_1_radian_a_second()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "pendulum" }, 5000);
        double cos = 0, sin = 0, spin = 0, squares = 0;
        for (var i = 0; i < 5000; i++)
        {
            var shown = play.Shown(i);
            Assert.InRange(shown[2], -1f, 1f);
            (cos, sin, spin, squares) = (cos + shown[0], sin + shown[1], spin + shown[2], squares + shown[2] * (double)shown[2]);
        }
        // Of standard deviation √½ each, and √⅓ of the speed; bounds of 4 standard errors.
        Assert.InRange(cos / 5000, -0.04, 0.04);
        Assert.InRange(sin / 5000, -0.04, 0.04);
        Assert.InRange(spin / 5000, -0.0327, 0.0327);
        Assert.InRange(squares / 5000, 1.0 / 3 - 0.0169, 1.0 / 3 + 0.0169);
    }

    [Theory]
    [InlineData(double.PositiveInfinity, 0)]
    [InlineData(0, 8.1)]
    [InlineData(0, double.NaN)]
    public void A_state_that_no_pendulum_is_in_cannot_be_loaded(double angle, double spin) =>
        Assert.Throws<ArgumentException>(() => Start(angle, spin));

    [Fact]
    public void A_picture_shows_an_upright_rod_above_its_joint()
    {
        var canvas = new TextCanvas();
        Start(0, 0).Render(canvas);
        Assert.Equal((33, 17), (canvas.Width, canvas.Height));
        Assert.Equal(196, canvas.ColorAt(16, 0));
        Assert.All(Enumerable.Range(1, 6), row => Assert.Equal(214, canvas.ColorAt(16, row)));
        Assert.Equal(255, canvas.ColorAt(16, 8));
        Assert.All(Enumerable.Range(9, 8), row => Assert.Equal(' ', canvas.CharacterAt(16, row)));
        Start(Math.PI / 2, 0).Render(canvas);
        Assert.Equal(196, canvas.ColorAt(0, 8));
        Assert.Equal(' ', canvas.CharacterAt(32, 8));
    }

    private static Pendulum Start(double angle, double spin)
    {
        var pendulum = new Pendulum();
        pendulum.Load([angle, spin]);
        return pendulum;
    }

    private static Pendulum Stepped(Pendulum pendulum, float torque)
    {
        pendulum.Step(torque);
        return pendulum;
    }

    private static double[] State(Pendulum pendulum)
    {
        var state = new double[2];
        pendulum.Save(state);
        return state;
    }
}
