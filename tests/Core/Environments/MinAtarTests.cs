using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.MinAtar;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

public class MinAtarTests
{
    // Measured on MinAtar itself with that many episodes of a uniform policy (tests/Oracles/minatar/SCORES.md, section 5): the mean
    // return, its standard error, the mean length, printed to 0.1. The bounds are three joint standard errors.
    [Theory]
    [InlineData("minatar-asterix", false, 0.526, 0.016, 70.7, 3000)]
    [InlineData("minatar-asterix", true, 0.512, 0.016, 66.6, 3000)]
    [InlineData("minatar-freeway", false, 0.100, 0.021, 2501, 200)]
    [InlineData("minatar-freeway", true, 0.405, 0.040, 2501, 200)]
    [InlineData("minatar-seaquest", false, 0.095, 0.008, 30.6, 2000)]
    [InlineData("minatar-space-invaders", false, 2.853, 0.043, 51.9, 3000)]
    [InlineData("minatar-space-invaders", true, 4.046, 0.058, 57.9, 3000)]
    public void A_random_policy_scores_as_on_MinAtar(
        string name, bool minimal, double meanReturn, double standardError, double meanLength, int theirEpisodes)
    {
        var episodes = name == "minatar-freeway" ? 1 : 16;
        var (returns, lengths) = RandomEpisodes(new EnvironmentOptions { Name = name, MinimalActions = minimal }, 512, episodes);
        var ours = StandardDeviation(returns) / Math.Sqrt(returns.Count);
        Assert.InRange(returns.Average() - meanReturn, -3 * double.Hypot(ours, standardError), 3 * double.Hypot(ours, standardError));

        var joint = StandardDeviation(lengths) * Math.Sqrt(1.0 / lengths.Count + 1.0 / theirEpisodes);
        Assert.InRange(lengths.Average() - meanLength, -0.05 - 3 * joint, 0.05 + 3 * joint);
    }

    [Fact]
    public void Seaquest_has_room_for_as_many_enemies_as_can_come()
    {
        // Everything comes in row 4 and swims left through the player, who goes on when the game is over, and waits for six divers.
        // Delivering them leaves less than none, so that the player can come up, and enemies faster, every second step.
        var game = Seaquest.Create(ramping: true);
        var draws = new Same(0.9, 3);
        var observation = new byte[125];
        game.Reset(ref draws);
        for (var i = 0; i < 4; i++) game.Step(4, ref draws);
        for (var i = 0; i < 240; i++) game.Step(0, ref draws);
        game.Observe(observation);
        Assert.Equal(6, Enumerable.Range(0, 10).Count(x => Board.IsSet(observation, 10, x, 9, 8)));

        for (var i = 0; i < 4; i++) game.Step(2, ref draws);
        for (var i = 0; i < 100; i++) game.Step(4 - 2 * (i & 1), ref draws);
        game.Observe(observation);
        Assert.All(Enumerable.Range(0, 10), x => Assert.True(Board.IsSet(observation, 10, x, 4, 5)));
    }

    [Fact]
    public void Freeway_ends_after_2501_steps()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "minatar-freeway" }, 3);
        for (var i = 0; i < 2500; i++)
        {
            play.Step();
            Assert.DoesNotContain(true, play.Terminated);
        }
        play.Step();
        Assert.DoesNotContain(false, play.Terminated);
    }

    [Fact]
    public void Space_Invaders_without_sticky_actions_has_no_luck()
    {
        var options = new EnvironmentOptions { Name = "minatar-space-invaders", StickyActions = 0 };
        var (one, other) = (Play.Of(options, 2, seed: 1), Play.Of(options, 2, seed: 2));
        for (var i = 0; i < 500; i++)
        {
            one.Actions.AsSpan().Fill(i * i % 6);
            other.Actions.AsSpan().Fill(i * i % 6);
            one.Step();
            other.Step();
            Assert.Equal(one.Observations, other.Observations);
        }
    }

    [Fact]
    public void A_picture_shows_cannon_and_aliens()
    {
        Assert.Equal("""
            +--------------------+
            |    WWWWWWWWWWWW    |
            |    WWWWWWWWWWWW    |
            |    WWWWWWWWWWWW    |
            |    WWWWWWWWWWWW    |
            |                    |
            |                    |
            |                    |
            |                    |
            |                    |
            |          ^^        |
            +--------------------+
            """, Play.Of(new EnvironmentOptions { Name = "minatar-space-invaders" }, 1).Picture(0));
    }

    /// <summary>The first so many episodes of every copy, so that short ones are not favoured.</summary>
    private static (List<double> Returns, List<double> Lengths) RandomEpisodes(EnvironmentOptions options, int copies, int episodes)
    {
        var play = Play.Of(options, copies, seed: 7);
        var choices = RandomStream.Create(7, StreamRole.Policy);
        var (returns, lengths) = (new List<double>(), new List<double>());
        var (rewards, steps, finished) = (new double[copies], new int[copies], new int[copies]);
        while (returns.Count < copies * episodes)
        {
            foreach (ref var action in play.Actions.AsSpan()) action = choices.NextInt32(play.Batch.Spec.DiscreteActions);
            play.Step();
            for (var i = 0; i < copies; i++)
            {
                rewards[i] += play.Rewards[i];
                steps[i]++;
                if (!play.Terminated[i]) continue;
                if (finished[i]++ < episodes)
                {
                    returns.Add(rewards[i]);
                    lengths.Add(steps[i]);
                }
                (rewards[i], steps[i]) = (0, 0);
            }
        }
        return (returns, lengths);
    }

    private static double StandardDeviation(List<double> values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }

    /// <summary>The same number again and again.</summary>
    private readonly struct Same(double number, int integer) : IDraws
    {
        public double Double() => number;

        public int Integer(int count) => integer;
    }
}
