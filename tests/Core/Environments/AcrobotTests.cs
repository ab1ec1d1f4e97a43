using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.ClassicControl;

namespace Rl.Distributed.Core.Tests.Environments;

public class AcrobotTests
{
    [Fact]
    public void Without_torque_small_swings_keep_their_energy()
    {
        var acrobot = Start(0.5, -0.3, 0, 0);
        var before = Energy(State(acrobot));
        // Fourth order at 0.2 s: each step loses a little, but not more.
        for (var step = 0; step < 50; step++) acrobot.Step(1);
        Assert.InRange(Energy(State(acrobot)) / before, 0.98, 1.0);
    }

    [Fact]
    public void At_rest_it_stays_and_mirrored_torques_give_mirrored_motions()
    {
        var (still, left, right) = (Start(0, 0, 0, 0), Start(0, 0, 0, 0), Start(0, 0, 0, 0));
        for (var step = 0; step < 20; step++)
        {
            still.Step(1);
            left.Step(step % 8 < 4 ? 0 : 2);
            right.Step(step % 8 < 4 ? 2 : 0);
        }
        Assert.Equal([0, 0, 0, 0], State(still));
        Assert.Equal(State(left), State(right).Select(value => -value));
        Assert.NotEqual(0, State(left)[0]);
    }

    [Fact]
    public void Torque_with_the_turn_of_the_elbow_swings_it_over_the_line()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "acrobot" }, 4);
        var returns = new double[4];
        var ended = 0;
        for (var step = 1; step <= 500 && ended < 4; step++)
        {
            // Torque with the lower rod's speed adds energy at every step.
            for (var i = 0; i < 4; i++) play.Actions[i] = play.Shown(i)[5] > 0 ? 2 : 0;
            play.Step();
            for (var i = 0; i < 4; i++)
            {
                if (returns[i] == -step + 1) returns[i] += play.Rewards[i];
                Assert.Equal(play.Terminated[i] ? 0f : -1f, play.Rewards[i]);
                if (play.Terminated[i] && returns[i] == -step + 1) ended++;
            }
        }
        Assert.Equal(4, ended);
    }

    [Fact]
    public void An_idle_episode_is_truncated_after_exactly_500_steps()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "acrobot" }, 2);
        play.Actions.AsSpan().Fill(1);
        for (var step = 1; step <= 1000; step++)
        {
            play.Step();
            Assert.DoesNotContain(true, play.Terminated);
            Assert.All(play.Truncated, truncated => Assert.Equal(step % 500 == 0, truncated));
        }
    }

    [Fact]
    public void Angles_stay_within_a_half_turn_and_speeds_within_their_limits()
    {
        var acrobot = Start(3, -3, Acrobot.MaxSpin1, -Acrobot.MaxSpin2);
        for (var step = 0; step < 200; step++)
        {
            acrobot.Step(step / 7 % 3);
            acrobot.Load(State(acrobot)); // Refuses what is beyond.
        }
    }

    [Fact]
    public void First_states_are_uniform_within_a_tenth()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "acrobot" }, 5000);
        double sum = 0, squares = 0;
        for (var i = 0; i < 5000; i++)
        {
            var shown = play.Shown(i);
            foreach (var value in (ReadOnlySpan<double>)[Math.Asin(shown[1]), Math.Asin(shown[3]), shown[4], shown[5]])
            {
                Assert.InRange(value, -0.1000001, 0.1000001);
                (sum, squares) = (sum + value, squares + value * value);
            }
        }
        // Of 20,000 draws of variance 0.2²/12; bounds of 4 standard errors.
        Assert.InRange(sum / 20_000, -4 * 0.05774 / 141.4, 4 * 0.05774 / 141.4);
        Assert.InRange(squares / 20_000, 0.04 / 12 * 0.97, 0.04 / 12 * 1.03);
    }

    [Theory]
    [InlineData(3.2, 0, 0, 0)]
    [InlineData(0, double.NaN, 0, 0)]
    [InlineData(0, 0, 13, 0)]
    [InlineData(0, 0, 0, double.NegativeInfinity)]
    public void A_state_that_no_acrobot_is_in_cannot_be_loaded(double angle1, double angle2, double spin1, double spin2) =>
        Assert.Throws<ArgumentException>(() => Start(angle1, angle2, spin1, spin2));

    [Fact]
    public void A_picture_shows_two_rods_below_the_line()
    {
        var canvas = new TextCanvas();
        Start(0, Math.PI / 2, 0, 0).Render(canvas);
        Assert.Equal((41, 21), (canvas.Width, canvas.Height));
        Assert.Equal("▀   ▄████▀█     ", new string([.. Enumerable.Range(5, 16).Select(row => canvas.CharacterAt(20, row))]));
        Assert.Equal(255, canvas.ColorAt(20, 10));
        Assert.Equal(39, canvas.ColorAt(20, 12));
        Assert.Equal(214, canvas.ColorAt(25, 15));
        Assert.Equal(196, canvas.ColorAt(30, 15));
    }

    /// <summary>Of motion and height over hanging straight down, in J.</summary>
    private static double Energy(double[] s)
    {
        var (angle1, angle2, spin1, spin2) = (s[0], s[1], s[2], s[3]);
        var motion = 0.5 * (1.25 * spin1 * spin1) + 0.5 * (spin1 + spin2) * (spin1 + spin2)
            + 0.5 * (spin1 * spin1 + 0.25 * (spin1 + spin2) * (spin1 + spin2) + spin1 * (spin1 + spin2) * Math.Cos(angle2));
        return motion + 9.8 * (1.5 * (1 - Math.Cos(angle1)) + 0.5 * (1 - Math.Cos(angle1 + angle2)));
    }

    private static Acrobot Start(double angle1, double angle2, double spin1, double spin2)
    {
        var acrobot = new Acrobot();
        acrobot.Load([angle1, angle2, spin1, spin2]);
        return acrobot;
    }

    private static double[] State(Acrobot acrobot)
    {
        var state = new double[4];
        acrobot.Save(state);
        return state;
    }
}
