using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

public class RegistryTests
{
    private static readonly EnvironmentRegistry Registry = EnvironmentRegistry.Default;

    [Fact]
    public void A_mistyped_name_gives_the_nearest_one()
    {
        var error = Assert.Throws<ArgumentException>(() => Create(new EnvironmentOptions { Name = "carpole" }));
        Assert.Contains("no environment 'carpole'; did you mean 'cartpole'?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_are_those_that_can_be_made()
    {
        foreach (var name in Registry.Names)
        {
            var batch = Create(new EnvironmentOptions { Name = name });
            Assert.Equal(name, batch.Spec.Name);
            Assert.Equal(Registry.Spec(new EnvironmentOptions { Name = name }), batch.Spec);
            Assert.NotEmpty(Registry.Describe(name).Description);
        }
        Assert.Contains("minatar-breakout", Registry.Names);
    }

    [Fact]
    public void An_option_that_does_not_apply_is_an_error()
    {
        EnvironmentOptions[] changed = [new() { Ramping = false }, new() { MinimalActions = true }];
        foreach (var options in changed)
        {
            var error = Assert.Throws<ArgumentException>(() => Create(options));
            Assert.Contains("'cartpole' has no option", error.Message, StringComparison.Ordinal);
            Assert.Contains("minatar-breakout", error.Message, StringComparison.Ordinal);
            Create(options with { Name = "minatar-breakout" });
        }
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void A_sticky_probability_is_between_0_and_1(double sticky) =>
        Assert.Throws<ArgumentException>(() => Create(new EnvironmentOptions { Name = "minatar-breakout", StickyActions = sticky }));

    [Fact]
    public void Minimal_actions_are_fewer()
    {
        Assert.Equal(6, Create(new EnvironmentOptions { Name = "minatar-breakout" }).Spec.DiscreteActions);
        Assert.Equal(3, Create(new EnvironmentOptions { Name = "minatar-breakout", MinimalActions = true }).Spec.DiscreteActions);
    }

    [Fact]
    public void Two_environments_cannot_share_a_name()
    {
        var entry = Registry.Describe("catch");
        Assert.Throws<ArgumentException>(() => new EnvironmentRegistry(entry, entry));
        Assert.Equal(["catch", "mine"], new EnvironmentRegistry(entry with { Name = "mine" }, entry).Names);
    }

    private static IEnvironmentBatch Create(EnvironmentOptions options) =>
        Registry.Create(options, 2, RandomStream.Create(1, StreamRole.Environment));
}
