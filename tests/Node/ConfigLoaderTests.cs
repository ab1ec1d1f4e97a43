using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Tests;

public sealed class ConfigLoaderTests
{
    public static TheoryData<string> PresetNames => [.. Presets.Names];

    [Fact]
    public void There_are_presets() => Assert.Contains("impala-breakout", Presets.Names);

    [Theory]
    [MemberData(nameof(PresetNames))]
    public void Every_preset_is_valid_and_described(string name)
    {
        var config = ConfigLoader.Load(name, []);
        Assert.Equal(name, config.Preset);
        Assert.NotEmpty(Presets.Description(name));
    }

    [Theory]
    [MemberData(nameof(PresetNames))]
    public void The_resolved_configuration_of_a_preset_reads_back_equal(string name)
    {
        var config = ConfigLoader.Load(name, [Set("seed=18446744073709551615"), Set("learner.maxGradientNorm=inf")]);
        var written = ConfigWriter.Write(config);
        Assert.Equal(config, ConfigLoader.Parse(written, "config.yaml", "", []));
    }

    [Fact]
    public void An_override_wins_over_the_preset_and_makes_what_is_missing()
    {
        var config = ConfigLoader.Parse("frames: 10", "file.yaml", "mine", [Set("frames=2e3"), Set("learner.batch=64"), Set("network.hidden=[8, 9]")]);
        Assert.Equal((2000, 64, "mine"), (config.Frames, ((ImpalaOptions)config.Learner).Batch, config.Preset));
        Assert.Equal([8, 9], config.Network.Hidden.ToArray());
    }

    [Fact]
    public void Env_is_short_for_environment()
    {
        var config = ConfigLoader.Load("impala-breakout", [Set("env.count=8"), Set("env.stickyActions=0.5"), Set("env.name=minatar-asterix")]);
        Assert.Equal((8, 0.5, "minatar-asterix"), (config.Workers.EnvironmentsPerWorker, config.Environment.StickyActions, config.Environment.Name));
        Assert.StartsWith("--set env.sticky=1: unknown key 'environment.sticky'", Error(() => ConfigLoader.Load("impala-catch", [Set("env.sticky=1")])));
    }

    [Theory]
    [InlineData("learner.btch=3", "--set learner.btch=3: unknown key 'learner.btch'; did you mean 'learner.batch'?")]
    [InlineData("learner.batch=many", "--set learner.batch=many: 'learner.batch' is 'many'; expected a whole number.")]
    [InlineData("learner.discount=2", "--set learner.discount=2: 'learner.discount' is 2, out of its range, 0 to 1.")]
    [InlineData("workers.rewardScale=inf", "--set workers.rewardScale=inf: 'workers.rewardScale' is inf; expected a finite number, above 0.")]
    [InlineData("frames.x=2", "--set frames.x=2: 'frames' is a mapping; expected a single value.")]
    [InlineData("algorithm=impla", "--set algorithm=impla: 'algorithm' is 'impla'; expected one of impala, a3c, a2c, async-q, async-nstep-q, async-sarsa, gorila; did you mean 'impala'?")]
    [InlineData("environment.name=catsh", "--set environment.name=catsh: there is no environment 'catsh'; did you mean 'catch'?")]
    [InlineData("environment.name=pendulum", "--set environment.name=pendulum: Environment 'pendulum' has continuous actions; this algorithm needs discrete ones.")]
    [InlineData("network.torso=mlpp", "--set network.torso=mlpp: there is no torso 'mlpp'; did you mean 'mlp'?")]
    [InlineData("network.torso=nature", "--set network.torso=nature: Torso 'nature' needs images")]
    [InlineData("network.lstm=64", "--set network.lstm=64: network.lstm is 64, but impala has no LSTM")]
    [InlineData("network.dueling=true", "--set network.dueling=true: Dueling is for action values")]
    [InlineData("learner.optimizer.nesterov=true", "--set learner.optimizer.nesterov=true: Nesterov has no meaning")]
    [InlineData("learner.batch=33", "--set learner.batch=33: learner.batch (33) is not a multiple of workers.environmentsPerWorker (32)")]
    [InlineData("preset=../x", "--set preset=../x: preset '../x' names the run directory")]
    public void A_wrong_override_is_named(string assignment, string expected) =>
        Assert.StartsWith(expected, Error(() => ConfigLoader.Load("impala-cartpole", [Set(assignment)])));

    [Fact]
    public void A_batch_that_the_credits_can_never_fill_is_refused() =>
        Assert.Contains("raise workers.credits", Assert.Throws<ConfigException>(
            () => ConfigRules.CheckWorkers(
                ConfigLoader.Load("impala-cartpole", [Set("learner.batch=320"), Set("workers.count=2")]), EnvironmentRegistry.Default)).Message);

    [Theory]
    [InlineData(false, "--env cartpole: Torso 'minatar' needs images")]
    [InlineData(true, "--set network.torso=nature: Torso 'nature' needs images")]
    public void What_does_not_fit_together_is_blamed_on_what_was_typed(bool torso, string expected)
    {
        var typed = new ConfigOverride("environment.name", "cartpole", "--env cartpole");
        Assert.StartsWith(expected, Error(() => ConfigLoader.Load("impala-breakout", torso ? [typed, Set("network.torso=nature")] : [typed])));
    }

    [Theory]
    [InlineData("network.hidden=[2000000000]", "network.hidden")]
    [InlineData("network.hidden=[64, 100000, 100000]", "network.hidden")]
    [InlineData("network.lstm=60000", "network.lstm")]
    public void A_network_that_no_array_holds_is_refused_with_its_key(string assignment, string key) =>
        Assert.StartsWith(
            $"--set {assignment}: {key} = ", Error(() => ConfigLoader.Load("a3c-cartpole", [Set(assignment)])));

    [Fact]
    public void A_network_that_no_memory_holds_is_refused_with_its_key_and_sizes()
    {
        var config = ConfigLoader.Load("a3c-cartpole", [Set("network.hidden=[10_000_000]"), Set("learner.parallelism=2")]);
        var error = Error(() =>
        {
            ConfigRules.CheckMemory(config, EnvironmentRegistry.Default, 2_000_000_000);
            return config;
        });
        Assert.StartsWith("network.hidden = [10000000] makes a network of 80,000,", error);
        Assert.Contains(" GB at least; there are 2.0.", error);
        ConfigRules.CheckMemory(config, EnvironmentRegistry.Default, 4_000_000_000);
        ConfigRules.CheckMemory(ConfigLoader.Load("a3c-cartpole", []), EnvironmentRegistry.Default, 10_000_000);
    }

    [Fact]
    public void A_minibatch_that_no_memory_holds_is_refused_with_its_key()
    {
        var config = ConfigLoader.Load(
            "gorila-breakout",
            [
                Set("environment.name=cartpole"), Set("network.torso=mlp"), Set("network.hidden=[8192]"), Set("learner.batchSize=65536"),
                Set("learner.parallelism=2"),
            ]);
        var error = Error(() =>
        {
            ConfigRules.CheckMemory(config, EnvironmentRegistry.Default, 6_000_000_000);
            return config;
        });
        Assert.StartsWith("learner.batchSize = 65536 makes minibatches that take ", error);
        ConfigRules.CheckMemory(config with { Learner = ((GorilaOptions)config.Learner) with { BatchSize = 32 } }, EnvironmentRegistry.Default, 6_000_000_000);
    }

    [Fact]
    public void A_run_that_could_never_be_continued_is_refused() =>
        Assert.Contains("no checkpoint would ever be written", Error(() => ConfigLoader.Load("impala-cartpole", [Set("run.checkpointSeconds=0")])));

    [Fact]
    public void An_override_without_a_value_is_refused() => Assert.StartsWith("--set frames: expected key=value", Error(() => Set("frames")));

    [Fact]
    public void A_missing_preset_names_the_nearest_one() => Assert.Contains("did you mean 'impala-catch'?", Error(() => ConfigLoader.Load("impala-catsh", [])));

    [Fact]
    public void A_missing_file_is_told_by_its_path() => Assert.StartsWith("nowhere/mine.yaml: the file cannot be read", Error(() => ConfigLoader.Load("nowhere/mine.yaml", [])));

    private static ConfigOverride Set(string assignment) => ConfigOverride.Parse(assignment);

    private static string Error(Func<object> load) => Assert.Throws<ConfigException>(load).Message;
}
