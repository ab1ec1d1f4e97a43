using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Environments;

namespace Rl.Distributed.Node.Tests;

/// <summary>Environments that come from elsewhere.</summary>
public sealed class EnvironmentSourceTests
{
    [Fact]
    public void Another_nodes_run_makes_this_one_import_nothing()
    {
        Assert.NotNull(KnownEnvironments.All.Find("gym:module:CartPole-v1"));
        Assert.NotNull(KnownEnvironments.Foreign().Find("gym:ALE/Breakout-v5"));
        Assert.Throws<EnvironmentException>(() => KnownEnvironments.Foreign().Find("gym:module:CartPole-v1"));
    }

    [Fact]
    public void Only_what_another_program_is_asked_for_is_slow()
    {
        Assert.All(KnownEnvironments.Foreign().Names, name => Assert.False(KnownEnvironments.IsSlow(KnownEnvironments.Foreign(), name)));
        Assert.True(KnownEnvironments.IsSlow(KnownEnvironments.Foreign(), "gym:CartPole-v1"));
        Assert.False(KnownEnvironments.IsSlow(KnownEnvironments.Foreign(), "gym:module:CartPole-v1"));
        Assert.False(KnownEnvironments.IsSlow(KnownEnvironments.Foreign(), "nothing"));
    }

    [Fact]
    public void The_environment_of_a_configuration_is_found_without_reading_it_all()
    {
        var config = ConfigLoader.Load("impala-catch", []);
        Assert.Equal("catch", ConfigLoader.EnvironmentName(ConfigWriter.Write(config)));
        var bridged = config with { Environment = new EnvironmentOptions { Name = "gym:CartPole-v1" } };
        Assert.Equal("gym:CartPole-v1", ConfigLoader.EnvironmentName(ConfigWriter.Write(bridged)));
        Assert.Null(ConfigLoader.EnvironmentName("frames: 3"));
        Assert.Null(ConfigLoader.EnvironmentName("a: [b"));
    }

    [Fact]
    public async Task They_are_listed() => Assert.Contains("gym:ID", (await CommandRun.RunAsync("list")).Output);

    [Fact]
    public async Task A_name_that_is_none_is_refused_with_the_pattern()
    {
        var run = await CommandRun.RunAsync("check-env", "gym:");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("write gym:ID", run.Error);
    }
}
