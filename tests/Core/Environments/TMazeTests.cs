using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Core.Tests.Environments;

public class TMazeTests
{
    private const int North = 0, East = 1, South = 2;

    // As read from left to right: 011 has its first element 0.
    private const string NorthSign = "011", SouthSign = "110", Corridor = "101", Junction = "010";

    [Fact]
    public void The_sign_is_fair_and_shown_once()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "tmaze" }, 1000);
        var signs = Enumerable.Range(0, 1000).Select(i => Shown(play, i)).ToList();
        Assert.All(signs, sign => Assert.True(sign is NorthSign or SouthSign));
        Assert.InRange(signs.Count(sign => sign == NorthSign), 440, 560);
        // The even copies stay at the start, the odd ones move on: both see the corridor.
        for (var i = 0; i < 1000; i++) play.Actions[i] = i % 2 == 0 ? North : East;
        play.Step();
        for (var i = 0; i < 1000; i++) Assert.Equal(Corridor, Shown(play, i));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(70)]
    public void A_policy_with_memory_is_always_right(int length)
    {
        var play = Play.Of(new EnvironmentOptions { Name = "tmaze", Length = length }, 200);
        var signs = Enumerable.Range(0, 200).Select(i => Shown(play, i)).ToArray();
        for (var step = 1; step <= 3 * (length + 1); step++)
        {
            var isChoice = step % (length + 1) == 0;
            for (var i = 0; i < 200; i++) play.Actions[i] = !isChoice ? East : signs[i] == NorthSign ? North : South;
            play.Step();
            for (var i = 0; i < 200; i++)
            {
                Assert.Equal(isChoice ? 4f : 0f, play.Rewards[i]);
                Assert.Equal(isChoice, play.Terminated[i]);
                if (isChoice) signs[i] = Shown(play, i);
                else Assert.Equal((step + 1) % (length + 1) == 0 ? Junction : Corridor, Shown(play, i));
            }
        }
    }

    [Fact]
    public void A_policy_without_memory_is_right_half_of_the_time()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "tmaze" }, 500);
        var (right, wrong) = (0, 0);
        for (var step = 0; step < 4 * 11; step++)
        {
            for (var i = 0; i < 500; i++) play.Actions[i] = Shown(play, i) == Junction ? South : East;
            play.Step();
            for (var i = 0; i < 500; i++)
            {
                if (!play.Terminated[i]) continue;
                Assert.True(play.Rewards[i] is 4f or -0.1f);
                if (play.Rewards[i] > 0) right++;
                else wrong++;
            }
        }
        Assert.Equal(2000, right + wrong);
        Assert.InRange(right, 900, 1100);
    }

    [Fact]
    public void A_wrong_key_means_staying_for_a_tenth()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "tmaze", Length = 3 }, 1);
        foreach (var (action, reward, shown) in new[]
        {
            (East, 0f, Corridor), (South, -0.1f, Corridor), (East, 0f, Corridor), (North, -0.1f, Corridor), (East, 0f, Junction),
        })
        {
            play.Actions[0] = action;
            play.Step();
            Assert.Equal((reward, shown), (play.Rewards[0], Shown(play, 0)));
            Assert.False(play.Terminated[0] | play.Truncated[0]);
        }
        play.Actions[0] = East;
        play.Step();
        Assert.Equal((-0.1f, false, true), (play.Rewards[0], play.Terminated[0], play.Truncated[0]));
        Assert.Equal(Junction, Bits(play.Finals[0]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    public void An_episode_is_truncated_after_twice_the_length(int length)
    {
        var play = Play.Of(new EnvironmentOptions { Name = "tmaze", Length = length }, 1);
        for (var step = 1; step <= 6 * length; step++)
        {
            play.Actions[0] = North;
            play.Step();
            Assert.Equal(step % (2 * length) == 0, play.Truncated[0]);
            Assert.False(play.Terminated[0]);
            Assert.Equal(play.Truncated[0], Shown(play, 0) is NorthSign or SouthSign);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    public void A_length_out_of_range_is_refused_by_name(int length)
    {
        var error = Assert.Throws<ArgumentException>(() => Play.Of(new EnvironmentOptions { Name = "tmaze", Length = length }, 1));
        Assert.Contains($"Length of 'tmaze' is 1 to 1000, but is {length}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_shows_agent_and_goal()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "tmaze", Length = 4 }, 1);
        var (north, south) = Shown(play, 0) == NorthSign ? ("G", ".") : (".", "G");
        play.Actions[0] = East;
        play.Step();
        Assert.Equal($"    ###\n#####{north}#\n#.@...#\n#####{south}#\n    ###", play.Picture(0));
    }

    private static string Shown(Play play, int index) => Bits(play.Observations[index]);

    private static string Bits(byte bits) => string.Concat(Enumerable.Range(0, 3).Select(element => bits >> element & 1));
}
