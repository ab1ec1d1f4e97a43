using System.Collections.Immutable;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;
using Serilog.Core;

namespace Rl.Distributed.Node.Tests;

/// <summary>Whole runs of learners that share memory: small ones, on Catch and in the T-maze.</summary>
public sealed class AsyncRunTests
{
    private readonly MemoryFileSystem _files = new();

    public static TheoryData<string> Names => [.. Algorithms.All.Where(algorithm => algorithm.Options != new TrainingConfig().Learner.GetType()).Select(each => each.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Every_algorithm_learns_catch_in_a_simulated_run_that_repeats_to_the_bit(string algorithm)
    {
        var config = Config(algorithm, frames: algorithm == "gorila" ? 50_000 : 150_000);
        var (first, second) = (await Trained(config, "first"), await Trained(config, "second"));
        Assert.Equal(Weights(first), Weights(second));
        Assert.NotEqual(Weights(first), Weights(await Trained(config with { Seed = 2, Frames = 1000 }, "other")));
        // Of value-based learners three in ten keep exploring.
        var mean = first.Checkpoint.Tensor("episodes.returns").Floats.Average();
        Assert.True(mean >= (algorithm is "a3c" or "a2c" ? 0.9 : algorithm == "gorila" ? 0.6 : 0.2), $"mean return {mean}");
    }

    [Theory]
    [InlineData("a3c")]
    [InlineData("async-nstep-q")]
    [InlineData("gorila")]
    public async Task Learners_on_threads_share_what_they_learn(string algorithm)
    {
        var frames = algorithm == "gorila" ? 60_000 : 200_000;
        var result = await TrainingRun.RunAsync(Config(algorithm, frames));
        Assert.InRange(result.Frames, frames, frames + (2 * 16 * 5));
        Assert.False(result.Interrupted);
        Assert.True(result.MeanReturn100 >= 0.2, $"mean return {result.MeanReturn100}");
        Assert.True(result.Updates > frames / 5 * (algorithm == "gorila" ? 0.95 : 0.99), $"{result.Updates} updates");
    }

    [Fact]
    public async Task An_LSTM_carries_the_sign_of_a_maze_to_its_junction()
    {
        var config = Config("a3c", frames: 150_000) with
        {
            Environment = new EnvironmentOptions { Name = "tmaze", Length = 3 },
            Network = new NetworkOptions { Hidden = [32], Lstm = 32 },
        };
        config = config with { Workers = config.Workers with { UnrollLength = 20 } };
        Assert.Equal(4, (await Trained(config, "maze")).Checkpoint.Tensor("episodes.returns").Floats.Average(), 0.3f);
    }

    [Fact]
    public async Task Shards_in_one_process_learn_and_repeat_to_the_bit()
    {
        var config = Sharded(Config("async-nstep-q", frames: 60_000), 3);
        var (first, second) = (await Trained(config, "first"), await Trained(config, "second"));
        Assert.Equal(Weights(first), Weights(second));
        Assert.InRange(first.Checkpoint.Tensor("episodes.returns").Floats.Average(), 0.0f, 1.0f);
        Assert.Equal(9, first.Checkpoint.Tensor("shards").Count);
        var resumed = await Trained(Sharded(config with { Frames = 70_000 }, 2), "resumed", first);
        Assert.InRange(resumed.Frames, 70_000, 70_100);
    }

    [Fact]
    public async Task Shards_on_threads_learn()
    {
        var result = await TrainingRun.RunAsync(Sharded(Config("a3c", frames: 300_000), 2));
        Assert.InRange(result.Frames, 300_000, 300_000 + 5);
        Assert.True(result.MeanReturn100 >= 0.2, $"mean return {result.MeanReturn100}");
        Assert.NotNull(result.ShardSkewMean);
    }

    [Theory]
    [InlineData(2, 1, "has 2 shards (parameterServer.shards) and no other nodes")]
    [InlineData(0, 1, "this run has no shards")]
    public async Task Room_for_shards_that_does_not_fit_is_refused(int shards, int room, string reason)
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => TrainingRun.RunAsync(
            Sharded(Config("a3c", frames: 1000), shards), new TrainingRunOptions { LocalShards = room }, CancellationToken.None));
        Assert.Contains(reason, error.Message);
    }

    [Fact]
    public async Task A_resumed_run_goes_on_where_the_checkpoint_ended()
    {
        var config = Config("a3c", frames: 20_000);
        var begun = await Trained(config, "begun");
        var resumed = await Trained(config with { Frames = 40_000 }, "resumed", begun);
        Assert.InRange(resumed.Frames, 40_000, 40_100);
        Assert.Equal("1", resumed.Checkpoint.Text("epoch"));
        Assert.Equal("16", resumed.Checkpoint.Text("episodes.restarted"));
        Assert.True(
            resumed.Checkpoint.Tensor("counters").Int64s[1] > begun.Checkpoint.Tensor("counters").Int64s[1], "Updates began anew.");
        Assert.True(Episodes(resumed) > Episodes(begun), "Episodes began anew.");
        Assert.Equal(Weights(resumed), Weights(await Trained(config with { Frames = 40_000 }, "again", begun)));

        static long Episodes(LoadedCheckpoint loaded) => long.Parse(loaded.Checkpoint.Text("episodes"));
    }

    [Fact]
    public async Task Learners_of_one_replay_memory_learn_from_what_all_of_them_did_and_a_run_repeats_to_the_bit()
    {
        var config = Config("gorila", frames: 50_000);
        config = config with { Learner = (GorilaOptions)config.Learner with { Replay = ReplayScope.Global, ReplayCapacity = 30_000, ReplayStart = 1600 } };
        var first = await Trained(config, "first");
        Assert.Equal(Weights(first), Weights(await Trained(config, "second")));
        var mean = first.Checkpoint.Tensor("episodes.returns").Floats.Average();
        Assert.True(mean >= 0.6, $"mean return {mean}");
        // The segment that fills the memory is the first to be learned from. Each learner's own would have held 16 times as many frames back.
        Assert.InRange(first.Checkpoint.Tensor("counters").Int64s[1], (50_000 - 1800) / 5 * 0.95, (50_000 - 1600) / 5 + 1);
    }

    [Fact]
    public async Task A_resumed_run_of_replay_memories_fills_them_anew_before_it_goes_on_learning()
    {
        var config = Config("gorila", frames: 10_000);
        var begun = await Trained(config, "begun");
        var resumed = await Trained(config with { Frames = 20_000 }, "resumed", begun);
        var updates = resumed.Checkpoint.Tensor("counters").Int64s[1] - begun.Checkpoint.Tensor("counters").Int64s[1];
        // 16 memories of 100 steps each; the segment that fills one is learned from.
        Assert.InRange(updates, 1, (10_000 - 1600) / 5 + 16);
        Assert.Equal(Weights(resumed), Weights(await Trained(config with { Frames = 20_000 }, "again", begun)));
    }

    [Theory]
    [InlineData(ReplayScope.Local, "16 memories of 30,000,000 steps, 66 bytes each, take 31.7 GB, and there are 30.0 GB here")]
    [InlineData(ReplayScope.Global, null)]
    public void Replay_memories_that_do_not_fit_into_the_machine_are_refused_before_they_are_made(ReplayScope scope, string? refusal)
    {
        var config = Config("gorila", frames: 1000) with { Environment = new EnvironmentOptions { Name = "minatar-breakout" } };
        config = config with { Learner = (GorilaOptions)config.Learner with { Replay = scope, ReplayCapacity = 30_000_000 } };
        var recipe = new AsyncRecipe(config);
        if (refusal is null) recipe.CheckReplay(16, available: 30_000_000_000);
        else Assert.Contains(refusal, Assert.Throws<ArgumentException>(() => recipe.CheckReplay(16, 30_000_000_000)).Message);
    }

    [Fact]
    public async Task A_checkpoint_of_another_algorithm_is_refused()
    {
        var begun = await Trained(Config("a3c", frames: 1000), "begun");
        var error = await Assert.ThrowsAsync<CheckpointFormatException>(() => Trained(Config("async-q", frames: 2000), "other", begun));
        Assert.Contains("'a3c'", error.Message);
    }

    [Fact]
    public async Task A_cancelled_run_ends_soon_with_a_checkpoint()
    {
        using var stop = new CancellationTokenSource();
        var store = Store("cancelled");
        var config = Config("a3c", frames: 1_000_000_000) with { Run = new RunOptions { MetricsSeconds = 0.01 } };
        var options = new TrainingRunOptions { Checkpoints = store, Progress = new Progress(_ => stop.Cancel()) };
        var result = await TrainingRun.RunAsync(config, options, stop.Token);
        Assert.InRange(result.Frames, 1, 999_999_999);
        Assert.True(result.Interrupted);
        Assert.Equal(result.Frames, store.LoadLatest().Frames);
    }

    [Theory]
    [InlineData("a3c")]
    [InlineData("async-q")]
    public async Task Progress_is_told_at_each_hundredth_of_a_run_however_short(string algorithm)
    {
        Assert.SkipWhen(SimulatedHost.Missing is not null, $"{EngineHost.Name}: the simulation is the embedded engine's.");
        var frames = new List<long>();
        var options = new TrainingRunOptions { Deterministic = true, Progress = new Progress(value => frames.Add(value.Frames)) };
        var config = Config(algorithm, frames: 300_000) with { Run = new RunOptions { MetricsSeconds = 86400 } };
        await TrainingRun.RunAsync(config, options, CancellationToken.None);
        Assert.InRange(frames.Count, 45, 101);
    }

    [Fact]
    public async Task Numbers_that_do_not_come_back_end_the_run_with_the_reason()
    {
        var config = Config("a3c", frames: 10_000_000);
        config = config with { Learner = (A3cOptions)config.Learner with { LearningRate = 1e30 } };
        var error = await Assert.ThrowsAsync<TrainingDivergedException>(() => TrainingRun.RunAsync(config));
        Assert.Contains("learningRate", error.Message);
    }

    [Fact]
    public async Task A_checkpoint_that_cannot_be_written_ends_the_run_with_its_reason()
    {
        _files.StepsUntilCrash = 1;
        await Assert.ThrowsAsync<CrashException>(() => TrainingRun.RunAsync(
            Config("a3c", frames: 20_000), new TrainingRunOptions { Checkpoints = Store("full") }, CancellationToken.None));
    }

    [Theory]
    [InlineData("a3c-cartpole", "network.normalizeObservations=true", "no learner that sees all observations")]
    [InlineData("async-q-cartpole", "network.lstm=8", "has no LSTM; a3c and a2c do")]
    [InlineData("a2c-cartpole", "learner.update.rule=momentum", "a2c makes one update of all learners")]
    [InlineData("a3c-cartpole", "learner.segmentLength=3", "unknown key 'learner.segmentLength'")]
    [InlineData("a3c-cartpole", "learner.batch=3", "unknown key 'learner.batch'")]
    [InlineData("gorila-breakout", "network.lstm=8", "has no LSTM")]
    [InlineData("gorila-breakout", "learner.replayStart=1_000_000", "learning would never begin")]
    [InlineData("a3c-cartpole", "network.dueling=true", "Dueling is for action values")]
    [InlineData("a2c-cartpole", "parameterServer.shards=2", "a2c has its parameters in one process")]
    [InlineData("impala-catch", "parameterServer.shards=1", "impala has its parameters in one process")]
    [InlineData("a3c-cartpole", "parameterServer.shards=65", "parameterServer.shards")]
    [InlineData("a3c-cartpole", "parameterServer.maxRolledBackUpdates=1", "parameterServer.maxRolledBackUpdates")]
    public void What_does_not_fit_together_is_refused(string preset, string option, string reason) =>
        Assert.Contains(reason, Assert.Throws<ConfigException>(() => ConfigLoader.Load(preset, [ConfigOverride.Parse(option)])).Message);

    [Theory]
    [InlineData("local", 7, false)]
    [InlineData("local", 8, true)]
    [InlineData("global", 23, false)]
    [InlineData("global", 24, true)]
    public void A_memory_with_hardly_more_steps_than_environments_is_refused(string scope, int capacity, bool isEnough)
    {
        string[] options =
        [
            $"learner.replay={scope}", $"learner.replayCapacity={capacity}", "learner.replayStart=1", "workers.environmentsPerWorker=4", "workers.count=3",
        ];
        var load = () => { ConfigLoader.Load("gorila-breakout", [.. options.Select(ConfigOverride.Parse)]); };
        if (isEnough) load();
        else Assert.Contains("learner.replayCapacity is", Assert.Throws<ConfigException>(load).Message);
    }

    [Fact]
    public void A_minibatch_larger_than_any_message_is_refused_and_the_largest_is_named()
    {
        var message = Assert.Throws<ConfigException>(() => Load("65536")).Message;
        Assert.Contains("learner.batchSize is 65536: a minibatch", message);
        var most = message.Split("Give it ")[1].Split(' ')[0];
        var options = (GorilaOptions)Load(most).Learner;
        Assert.Throws<ConfigException>(() => Load($"{options.BatchSize + 1}"));

        static TrainingConfig Load(string size)
        {
            string[] options = ["environment.name=discomaze", "environment.size=41", "network.torso=mlp", $"learner.batchSize={size}"];
            return ConfigLoader.Load("gorila-breakout", [.. options.Select(ConfigOverride.Parse)]);
        }
    }

    private static TrainingConfig Config(string algorithm, long frames)
    {
        var learner = (AsyncLearnerOptions)Activator.CreateInstance(Algorithms.Find(algorithm).Options)!;
        learner = learner with { LearningRate = algorithm == "a2c" ? 3e-2 : 3e-3, Parallelism = 2 };
        return new TrainingConfig
        {
            Preset = "test",
            Algorithm = algorithm,
            Seed = 1,
            Frames = frames,
            Environment = new EnvironmentOptions { Name = "catch" },
            Network = new NetworkOptions { Torso = "mlp", Hidden = [64] },
            Workers = new() { Count = 16, EnvironmentsPerWorker = 1, UnrollLength = 5 },
            Learner = learner switch
            {
                AsyncQOptions values => values with { TargetInterval = 1000, ExplorationFrames = 30_000 },
                GorilaOptions values => values with
                {
                    TargetInterval = 200, ExplorationFrames = 15_000, ReplayCapacity = 2000, ReplayStart = 100, FinalEpsilon = 0.05f,
                    LearningRate = 1e-3, Update = new() { Decay = 0.95, Epsilon = 1e-4 },
                },
                _ => learner,
            },
        };
    }

    private static TrainingConfig Sharded(TrainingConfig config, int shards) => config with
    {
        ParameterServer = config.ParameterServer with { Shards = shards, MaxRolledBackUpdates = 100, PublishMilliseconds = 1 },
        Workers = config.Workers with { Count = 4 },
    };

    private async Task<LoadedCheckpoint> Trained(TrainingConfig config, string name, LoadedCheckpoint? resume = null)
    {
        Assert.SkipWhen(SimulatedHost.Missing is not null, $"{EngineHost.Name}: the simulation is the embedded engine's.");
        var store = Store(name);
        var options = new TrainingRunOptions { Checkpoints = store, Resume = resume, Deterministic = true };
        await TrainingRun.RunAsync(config, options, CancellationToken.None);
        return store.LoadLatest();
    }

    private CheckpointStore Store(string name) => new(_files, "/" + name, 3, "", Logger.None);

    private static ImmutableArray<float> Weights(LoadedCheckpoint loaded) => [.. loaded.Checkpoint.Tensor("parameters").Floats];

    private sealed class Progress(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
