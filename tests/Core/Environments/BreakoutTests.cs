using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.MinAtar;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

public class BreakoutTests
{
    // Measured on MinAtar itself, 5000 episodes of a uniform policy (tests/Oracles/minatar/SCORES.md, section 5). The bounds are four
    // joint standard errors: theirs, and a third of it for our 40,000 episodes or more. An episode's length deviates by 7 to 8
    // steps, which leaves their mean 0.11, and it is printed to 0.1.
    [Theory]
    [InlineData(false, 0.531, 0.011, 11.4)]
    [InlineData(true, 0.375, 0.009, 9.8)]
    public void A_random_policy_scores_as_on_MinAtar(bool minimal, double meanReturn, double standardError, double meanLength)
    {
        var options = new EnvironmentOptions { Name = "minatar-breakout", MinimalActions = minimal };
        var play = Play.Of(options, 256, seed: 7);
        var choices = RandomStream.Create(7, StreamRole.Policy);
        var (episodes, rewards, steps) = (0, 0.0, 0);
        for (; steps < 2000; steps++)
        {
            foreach (ref var action in play.Actions.AsSpan()) action = choices.NextInt32(play.Batch.Spec.DiscreteActions);
            play.Step();
            episodes += play.Terminated.Count(ended => ended);
            rewards += play.Rewards.Sum();
        }
        Assert.True(episodes > 40_000);
        Assert.InRange(rewards / episodes, meanReturn - 4.2 * standardError, meanReturn + 4.2 * standardError);
        Assert.InRange(256.0 * steps / episodes, meanLength - 0.5, meanLength + 0.5);
    }

    [Fact]
    public void The_first_board_is_the_one_of_the_rules()
    {
        var game = Started(0);
        Assert.Equal(
            [(4, 9, 0), (0, 3, 1), (0, 3, 2), .. from y in Enumerable.Range(1, 3) from x in Enumerable.Range(0, 10) select (x, y, 3)],
            Bits(game).OrderBy(bit => bit.Channel));
        Assert.Contains((9, 3, 1), Bits(Started(1)));
    }

    [Fact]
    public void The_paddle_stops_at_the_walls()
    {
        // The ball needs six steps to come down, so the paddle has time to reach either wall.
        var game = Started(0);
        for (var i = 0; i < 5; i++) Move(ref game, 1);
        Assert.Contains((0, 9, 0), Bits(game));
        game = Started(0);
        for (var i = 0; i < 6; i++) Move(ref game, 3);
        Assert.Contains((9, 9, 0), Bits(game));
    }

    [Fact]
    public void The_last_action_outlives_a_reset()
    {
        var game = new Sticky<Breakout>(1, true, [0, 1, 3]);
        var moves = new Script(integers: [0, 0], doubles: [0.5, 0.5]);
        game.Reset(ref moves);
        game.Step(2, ref moves); // The last action is 0 at first, and always sticks here.
        Assert.Contains((4, 9, 0), Bits(game));

        game = new Sticky<Breakout>(0.5, true, [0, 1, 3]);
        moves = new Script(integers: [0, 0], doubles: [0.5, 0.49]);
        game.Reset(ref moves);
        game.Step(1, ref moves); // 0.5 is not below 0.5: the action is played, left, and remembered.
        game.Reset(ref moves);
        game.Step(2, ref moves);
        Assert.Contains((3, 9, 0), Bits(game));
    }

    [Fact]
    public void A_picture_shows_paddle_ball_trail_and_bricks()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "minatar-breakout", StickyActions = 0 }, 8);
        play.Step();
        var left = Enumerable.Range(0, 8).First(i => Board.IsSet(play.Observations.AsSpan(50 * i, 50), 4, 1, 4, 1));
        Assert.Equal("""
            +--------------------+
            |                    |
            |####################|
            |####################|
            |..##################|
            |  OO                |
            |                    |
            |                    |
            |                    |
            |                    |
            |        ==          |
            +--------------------+
            """, play.Picture(left));
    }

    private static Sticky<Breakout> Started(int side)
    {
        var game = new Sticky<Breakout>(0, true, [0, 1, 2, 3, 4, 5]);
        var script = new Script(integers: [side], doubles: []);
        game.Reset(ref script);
        return game;
    }

    private static void Move(ref Sticky<Breakout> game, int action)
    {
        var script = new Script(integers: [], doubles: [0.5]);
        game.Step(action, ref script);
    }

    private static List<(int X, int Y, int Channel)> Bits(Sticky<Breakout> game)
    {
        var observation = new byte[50];
        game.Observe(observation);
        return [.. from y in Enumerable.Range(0, 10) from x in Enumerable.Range(0, 10) from c in Enumerable.Range(0, 4)
                where Board.IsSet(observation, 4, x, y, c) select (x, y, c)];
    }

    /// <summary>Draws that are written down beforehand.</summary>
    private struct Script(int[] integers, double[] doubles) : IDraws
    {
        private int _integer, _double;

        public double Double() => doubles[_double++];

        public int Integer(int count) => integers[_integer++];
    }
}
