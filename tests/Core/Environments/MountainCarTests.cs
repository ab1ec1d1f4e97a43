using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.ClassicControl;

namespace Rl.Distributed.Core.Tests.Environments;

public class MountainCarTests
{
    [Theory]
    [InlineData("mountaincar", 200)]
    [InlineData("mountaincarcontinuous", 999)]
    public void Pushing_right_all_the_time_never_arrives_and_is_truncated_at_the_limit(string name, int limit)
    {
        var play = Play.Of(new EnvironmentOptions { Name = name }, 3);
        Push(play, _ => 1);
        for (var step = 1; step <= 2 * limit; step++)
        {
            play.Step();
            Assert.DoesNotContain(true, play.Terminated);
            Assert.All(play.Truncated, truncated => Assert.Equal(step % limit == 0, truncated));
        }
    }

    [Theory]
    [InlineData("mountaincar", 0.5f, -1)]
    [InlineData("mountaincarcontinuous", 0.45f, 99.9f)]
    public void Pushing_the_way_it_rolls_arrives_at_the_flag(string name, float flag, float lastReward)
    {
        var play = Play.Of(new EnvironmentOptions { Name = name }, 8);
        var arrived = new bool[8];
        for (var step = 1; step < 200; step++)
        {
            Push(play, i => play.Shown(i)[1] < 0 ? -1 : 1);
            play.Step();
            for (var i = 0; i < 8; i++)
            {
                arrived[i] |= play.Terminated[i];
                Assert.Equal(play.Terminated[i] ? lastReward : lastReward < 0 ? -1 : -0.1f, play.Rewards[i]);
                if (play.Terminated[i]) Assert.InRange(BitConverter.ToSingle(play.Finals, i * 8), flag, 0.6f);
            }
        }
        Assert.DoesNotContain(false, arrived);
    }

    [Theory]
    [InlineData("mountaincar")]
    [InlineData("mountaincarcontinuous")]
    public void Cars_start_at_rest_near_the_bottom(string name)
    {
        var play = Play.Of(new EnvironmentOptions { Name = name }, 5000);
        double sum = 0;
        for (var i = 0; i < 5000; i++)
        {
            Assert.InRange(play.Shown(i)[0], -0.6f, -0.4f);
            Assert.Equal(0, play.Shown(i)[1]);
            sum += play.Shown(i)[0];
        }
        // Of 5,000 draws of variance 0.2²/12; bounds of 4 standard errors.
        Assert.InRange(sum / 5000, -0.5 - 0.00327, -0.5 + 0.00327);
    }

    [Fact]
    public void The_wall_on_the_left_stops_the_car()
    {
        var car = new MountainCar();
        car.Load([-1.19, -0.05]);
        Assert.Equal(new Outcome(-1), car.Step(0));
        Assert.Equal([-1.2, 0], State(car));
    }

    [Fact]
    public void The_wall_stops_the_continuous_car_at_the_float_next_to_it()
    {
        var car = new MountainCarContinuous();
        car.Load([-1.19, -0.05]);
        car.Step(-1);
        Assert.Equal([-1.2000000476837158, 0], State(car));
        car.Load(State(car));
        car.Step(-1);
        Assert.Equal(-0.0015f - 0.0025 * Math.Cos(3 * -1.2000000476837158), State(car)[1], 1e-9);
    }

    [Theory]
    [InlineData(3f, 1f)]
    [InlineData(-1.5f, -1f)]
    public void A_stronger_push_than_the_motor_has_moves_no_more_but_is_charged(float given, float strongest)
    {
        var (one, other) = (new MountainCarContinuous(), new MountainCarContinuous());
        one.Load([-0.5, 0]);
        other.Load([-0.5, 0]);
        Assert.Equal(-0.1 * given * given, one.Step(given).Reward, 12);
        Assert.Equal(-0.1, other.Step(strongest).Reward, 12);
        Assert.Equal(State(other), State(one));
    }

    [Fact]
    public void A_car_that_rolls_back_at_the_flag_has_not_arrived()
    {
        var car = new MountainCar();
        car.Load([0.6, -0.03]);
        Assert.False(car.Step(1).Terminated);
        Assert.InRange(State(car)[0], MountainCar.Goal, 0.6);
    }

    [Theory]
    [InlineData(-1.3, 0)]
    [InlineData(double.NaN, 0)]
    [InlineData(0, 0.0701)]
    public void A_state_that_no_car_is_in_cannot_be_loaded(double position, double speed)
    {
        Assert.Throws<ArgumentException>(() => new MountainCar().Load([position, speed]));
        Assert.Throws<ArgumentException>(() => new MountainCarContinuous().Load([position, speed]));
    }

    [Fact]
    public void A_picture_shows_the_car_at_the_bottom_and_the_flag_on_the_hill()
    {
        const byte car = 220, flag = 196;
        var canvas = new TextCanvas();
        Play.Of(new EnvironmentOptions { Name = "mountaincar" }, 1).Batch.Render(0, canvas);
        Assert.Equal((61, 16), (canvas.Width, canvas.Height));
        Assert.Equal(13, Row(canvas, car));
        Assert.InRange(Row(canvas, flag), 0, 3);
    }

    /// <summary>The lowest row with something of that colour.</summary>
    private static int Row(TextCanvas canvas, byte color) => Enumerable.Range(0, canvas.Height)
        .Last(y => Enumerable.Range(0, canvas.Width).Any(x => canvas.ColorAt(x, y) == color || canvas.BackgroundAt(x, y) == color));

    /// <summary>Pushes of -1, 0 or 1, in either kind of actions.</summary>
    private static void Push(Play play, Func<int, int> push)
    {
        for (var i = 0; i < play.Actions.Length; i++)
        {
            play.Actions[i] = 1 + push(i);
            if (play.Forces.Length > 0) play.Forces[i] = push(i);
        }
    }

    private static double[] State<TTask>(TTask task)
        where TTask : struct
    {
        var state = new double[2];
        if (task is MountainCar car) car.Save(state);
        if (task is MountainCarContinuous continuous) continuous.Save(state);
        return state;
    }
}
