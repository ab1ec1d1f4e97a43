using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Gymnasium.Tests;

/// <summary>What cannot be made says why, and what to do.</summary>
public sealed class MakingTests
{
    [Theory]
    [InlineData("Wolk-v0", "Did you mean: `Walk`?")]
    [InlineData("SeesDict-v0", "gymnasium.wrappers.FlattenObservation")]
    [InlineData("ManyChoices-v0", "Only Discrete actions")]
    [InlineData("Unbounded-v0", "finite bounds")]
    [InlineData("RaisesWhenMade-v0", "ValueError: not made")]
    [InlineData("RaisesAtReset-v0", "ValueError: no reset today")]
    [InlineData("ManyActions-v0", "Register an id with at most 65536 actions")]
    [InlineData("ManyNumbers-v0", "Register an id with at most 65536 actions")]
    [InlineData("WrongShape-v0", "shape [3], but the observation space says [7]")]
    public void An_environment_that_cannot_be_played_says_why(string id, string why)
    {
        var error = Assert.Throws<EnvironmentException>(() => new Play(id, options: new EnvironmentOptions { Restarts = 0 }));
        Assert.StartsWith($"gym:{id}: ", error.Message);
        Assert.Contains(why, error.Message);
    }

    [Fact]
    public void Copies_that_need_more_memory_than_can_be_shared_are_refused()
    {
        var error = Assert.Throws<EnvironmentException>(() => new Play("Large-v0", count: 16));
        Assert.Contains("16 copies need more than 2 GB of shared memory. Raise environment.subprocesses", error.Message);
    }

    [Fact]
    public void A_missing_Python_is_named_with_the_cure()
    {
        var error = Refused(new PythonHost("/no/such/python3", PythonHost.Default.Variables));
        Assert.Contains("'/no/such/python3' cannot be started", error);
        Assert.Contains("RL_PYTHON", error);
    }

    [Fact]
    public void A_program_that_is_no_Python_is_no_riddle() =>
        Assert.Contains("exit code 1", Refused(new PythonHost("false", PythonHost.Default.Variables)));

    [Theory]
    [InlineData("numpy")]
    [InlineData("gymnasium")]
    public void A_missing_package_is_named_with_the_cure(string package)
    {
        var python = package == "numpy" ? PythonHere.Any : PythonHere.Numpy;
        using var standIn = new StandIn((package, $"raise ModuleNotFoundError('not here', name='{package}')"));
        var error = Refused(standIn.Host(python));
        Assert.Contains($"has no {package}", error);
        Assert.Contains("-m pip install", error);
    }

    [Fact]
    public void Atari_needs_its_emulator()
    {
        using var standIn = new StandIn(("gymnasium", StandIn.Resource("gymnasium.py")));
        var error = Refused(standIn.Host(PythonHere.Numpy), "gym:ALE/Game-v5");
        Assert.Contains("gymnasium[atari]", error);
    }

    [Fact]
    public void What_an_id_makes_is_asked_once_and_the_process_that_was_asked_plays()
    {
        using var play = new Play("Walk-v0", count: 2);
        Assert.Equal("import\n", play.StandIn.Log);
        play.Registry.Spec(new EnvironmentOptions { Name = "gym:Walk-v0" });
        Assert.Equal("import\n", play.StandIn.Log);
    }

    [Theory]
    [InlineData("gym:")]
    [InlineData("gym:a b")]
    [InlineData("gym:a:b:c")]
    [InlineData("gym:;rm")]
    public void Names_that_no_id_has_are_refused(string name) => Assert.Throws<EnvironmentException>(() => new GymnasiumSource().Find(name));

    [Fact]
    public void Names_of_others_are_left_to_others() => Assert.Null(new GymnasiumSource().Find("cartpole"));

    [Fact]
    public void Another_nodes_run_names_no_module()
    {
        var source = new GymnasiumSource(plainIds: true);
        Assert.NotNull(source.Find("gym:ALE/Breakout-v5"));
        Assert.Null(source.Find("gym:antigravity:X-v0"));
        Assert.NotNull(new GymnasiumSource().Find("gym:antigravity:X-v0"));
    }

    [Fact]
    public void Options_of_Atari_are_for_Atari()
    {
        var registry = new EnvironmentRegistry([], [new GymnasiumSource()]);
        Assert.Contains("frameSkip", Assert.Throws<ArgumentException>(
            () => registry.Spec(new EnvironmentOptions { Name = "gym:CartPole-v1", FrameSkip = 2 })).Message);
    }

    private static string Refused(PythonHost host, string name = "gym:Walk-v0")
    {
        var registry = new EnvironmentRegistry([], [new GymnasiumSource(host)]);
        return Assert.Throws<EnvironmentException>(() => registry.Spec(new EnvironmentOptions { Name = name })).Message;
    }
}
