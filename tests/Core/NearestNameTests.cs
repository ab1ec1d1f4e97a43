namespace Rl.Distributed.Core.Tests;

public class NearestNameTests
{
    private static readonly string[] Names = ["cartpole", "catch", "minatar-breakout", "minatar-seaquest"];

    [Theory]
    [InlineData("carpole", "cartpole")]
    [InlineData("CartPole", "cartpole")]
    [InlineData("cacth", "catch")]
    [InlineData("minatar-brakeout", "minatar-breakout")]
    [InlineData("breakout", "minatar-breakout")]
    [InlineData("catch-v0", "catch")]
    [InlineData("pong", null)]
    [InlineData("", null)]
    [InlineData("x", null)]
    public void The_nearest_name_is_the_one_that_was_meant(string name, string? meant) => Assert.Equal(meant, NearestName.Find(name, Names));

    [Fact]
    public void A_swap_of_neighbours_is_one_edit() => Assert.Equal("abcd", NearestName.Find("abdc", ["axdx", "abcd"]));

    [Fact]
    public void Of_equally_near_names_the_first_wins() => Assert.Equal("cat", NearestName.Find("bat", ["cat", "rat"]));
}
