using System.Collections.Immutable;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;
using Serilog.Core;

namespace Rl.Distributed.Node.Tests;

/// <summary>Whole runs of the ring: small ones, on Catch.</summary>
public sealed class TrainingRunTests
{
    private readonly MemoryFileSystem _files = new();

    [Fact]
    public async Task An_agent_learns_catch_in_a_simulated_run()
    {
        var result = await Run(Config(frames: 150_000), deterministic: true);
        Assert.True(result.MeanReturn100 >= 0.95, $"mean return {result.MeanReturn100}");
        Assert.InRange(result.Frames, 150_000, 151_000);
        Assert.Equal(result.Frames / 640, result.Updates);
    }

    [Fact]
    public async Task An_agent_learns_catch_on_threads()
    {
        var result = await Run(Config(frames: 300_000), deterministic: false);
        Assert.True(result.MeanReturn100 >= 0.9, $"mean return {result.MeanReturn100}");
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_weights_to_the_bit_and_another_seed_gives_others()
    {
        var first = await Trained(Config(frames: 20_000), "first");
        var second = await Trained(Config(frames: 20_000), "second");
        var other = await Trained(Config(frames: 20_000) with { Seed = 2 }, "other");
        Assert.Equal(Weights(first), Weights(second));
        Assert.NotEqual(Weights(first), Weights(other));
    }

    [Fact]
    public async Task Two_resumes_from_one_checkpoint_agree_to_the_bit_and_go_on_where_it_ended()
    {
        var checkpoint = await Trained(Config(frames: 20_000), "begun");
        var first = await Trained(Config(frames: 40_000), "first", checkpoint);
        var second = await Trained(Config(frames: 40_000), "second", checkpoint);
        Assert.Equal(Weights(first), Weights(second));
        Assert.NotEqual(Weights(checkpoint), Weights(first));
        Assert.Equal(40_320, first.Frames);
        Assert.Equal("1", first.Checkpoint.Text("epoch"));
        Assert.Equal("64", first.Checkpoint.Text("episodes.restarted"));
    }

    [Fact]
    public async Task A_resumed_run_consumes_every_unroll_once_and_gives_restarted_workers_new_incarnations()
    {
        var begun = await Trained(Config(frames: 20_000), "begun");
        var resumed = await Trained(Config(frames: 40_000), "resumed", begun);
        var rows = resumed.Checkpoint.Tensor("ledger").Int64s.Chunk(4).SkipLast(1).ToArray();
        Assert.Equal([(0, 0), (0, 4096), (1, 0), (1, 4096)], rows.Select(row => ((int)row[0], (int)row[1])));
        Assert.All(rows, row => Assert.Equal(row[2] + 1, row[3]));
        Assert.Equal(resumed.Frames / 640, rows.Sum(row => row[3]));
    }

    [Fact]
    public async Task Unrolls_consumed_after_the_checkpoint_are_counted_as_rolled_back_from_then_on()
    {
        var begun = await Trained(Config(frames: 20_000), "begun");
        var resumed = await Trained(Config(frames: 40_000), "resumed", begun, unrollsConsumed: 35);
        Assert.Equal("3", resumed.Checkpoint.Text("unrolls.rolledBack"));
        var again = await Trained(Config(frames: 60_000), "again", resumed);
        Assert.Equal("3", again.Checkpoint.Text("unrolls.rolledBack"));
    }

    [Fact]
    public async Task A_deterministic_run_writes_checkpoints_by_frames_where_only_seconds_are_configured()
    {
        SkipWithoutSimulation();
        await TrainingRun.RunAsync(
            Config(frames: 64_000), new TrainingRunOptions { Checkpoints = Store("tenths", keep: 100), Deterministic = true }, CancellationToken.None);
        Assert.Equal(10, _files.List("/tenths").Count);
    }

    [Fact]
    public async Task Progress_is_told_at_each_hundredth_of_a_run_however_short()
    {
        SkipWithoutSimulation();
        var frames = new List<long>();
        var options = new TrainingRunOptions { Deterministic = true, Progress = new Progress(value => frames.Add(value.Frames)) };
        await TrainingRun.RunAsync(Config(frames: 128_000) with { Run = new RunOptions { MetricsSeconds = 86400 } }, options, CancellationToken.None);
        Assert.Equal([.. Enumerable.Range(1, 100).Select(i => i * 1280), 128_000], frames);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_report_that_fails_ends_the_run_with_its_reason(bool deterministic)
    {
        SkipWithoutSimulation(deterministic);
        var options = new TrainingRunOptions
        {
            Deterministic = deterministic,
            Progress = new Progress(_ => throw new IOException("the disk is full")),
        };
        var run = TrainingRun.RunAsync(
            Config(frames: 1_000_000_000) with { Run = new RunOptions { MetricsSeconds = 0.01 } }, options, CancellationToken.None);
        Assert.Contains("the disk is full", (await Assert.ThrowsAsync<IOException>(() => run)).Message);
    }

    [Fact]
    public async Task A_checkpoint_that_cannot_be_written_ends_the_run_with_its_reason()
    {
        _files.StepsUntilCrash = 1;
        await Assert.ThrowsAsync<CrashException>(() => TrainingRun.RunAsync(
            Config(frames: 20_000), new TrainingRunOptions { Checkpoints = Store("full") }, CancellationToken.None));
    }

    [Fact]
    public async Task More_frames_than_time_can_count_are_no_problem()
    {
        using var stop = new CancellationTokenSource();
        TrainingProgress? seen = null;
        var progress = new Progress(value =>
        {
            seen = value;
            stop.Cancel();
        });
        await TrainingRun.RunAsync(
            Config(frames: long.MaxValue) with { Run = new RunOptions { MetricsSeconds = 0.01 } }, new TrainingRunOptions { Progress = progress }, stop.Token);
        Assert.NotNull(seen);
    }

    [Theory]
    [InlineData(16, 1, "multiple")]
    [InlineData(48, 2, "multiple")]
    [InlineData(640, 1, "workers.credits")]
    public async Task Batches_that_can_never_be_filled_are_refused(int batch, int credits, string expected)
    {
        var config = Config(frames: 1000);
        config = config with { Learner = new ImpalaOptions { Batch = batch }, Workers = config.Workers with { Credits = credits } };
        Assert.Contains(expected, (await Assert.ThrowsAsync<ArgumentException>(() => TrainingRun.RunAsync(config))).Message);
    }

    [Fact]
    public async Task A_cancelled_run_ends_soon_with_a_checkpoint()
    {
        using var stop = new CancellationTokenSource();
        var store = Store("cancelled");
        var progress = new Progress(_ => stop.Cancel());
        var result = await TrainingRun.RunAsync(
            Config(frames: 1_000_000_000) with { Run = new RunOptions { MetricsSeconds = 0.01 } },
            new TrainingRunOptions { Checkpoints = store, Progress = progress }, stop.Token);
        Assert.InRange(result.Frames, 1, 999_999_999);
        Assert.Equal(result.Frames, store.LoadLatest().Frames);
    }

    [Fact]
    public async Task Checkpoints_are_written_each_time_the_frames_cross_a_multiple()
    {
        SkipWithoutSimulation();
        var store = Store("often", keep: 100);
        await TrainingRun.RunAsync(
            Config(frames: 10_000) with { Run = new RunOptions { CheckpointFrames = 3000 } },
            new TrainingRunOptions { Checkpoints = store, Deterministic = true }, CancellationToken.None);
        var frames = _files.List("/often").Select(name => long.Parse(name.Split('-', '.')[1])).Order();
        Assert.Equal([3200, 6400, 9600, 10_240], frames);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_learning_rate_without_sense_ends_the_run_with_the_reason(bool deterministic)
    {
        SkipWithoutSimulation(deterministic);
        var config = Config(frames: 100_000);
        config = config with { Learner = (ImpalaOptions)config.Learner with { Optimizer = new OptimizerOptions { Kind = OptimizerKind.Sgd, LearningRate = 1e30f } } };
        var error = await Assert.ThrowsAsync<TrainingDivergedException>(() => Run(config, deterministic));
        Assert.Contains("learningRate", error.Message);
    }

    [Fact]
    public async Task A_checkpoint_of_another_network_is_refused_with_both_sizes()
    {
        var checkpoint = await Trained(Config(frames: 1_000), "small");
        var config = Config(frames: 2_000) with { Network = new NetworkOptions { Torso = "mlp", Hidden = [8] } };
        var error = await Assert.ThrowsAsync<CheckpointFormatException>(() => TrainingRun.RunAsync(
            config, new TrainingRunOptions { Resume = checkpoint }, CancellationToken.None));
        Assert.Contains("parameters", error.Message);
    }

    private static TrainingConfig Config(long frames) => new()
    {
        Preset = "test",
        Seed = 1,
        Frames = frames,
        Environment = new EnvironmentOptions { Name = "catch" },
        Network = new NetworkOptions { Torso = "mlp", Hidden = [64, 64] },
        Workers = new WorkerOptions { Count = 2, EnvironmentsPerWorker = 32, UnrollLength = 20 },
        Learner = new ImpalaOptions { Batch = 32, Optimizer = new OptimizerOptions { LearningRate = 2e-3f } },
    };

    private static void SkipWithoutSimulation(bool deterministic = true) =>
        Assert.SkipWhen(deterministic && SimulatedHost.Missing is not null, $"{EngineHost.Name}: the simulation is the embedded engine's.");

    private static Task<TrainingResult> Run(TrainingConfig config, bool deterministic)
    {
        SkipWithoutSimulation(deterministic);
        return TrainingRun.RunAsync(config, new TrainingRunOptions { Deterministic = deterministic }, CancellationToken.None);
    }

    private async Task<LoadedCheckpoint> Trained(TrainingConfig config, string name, LoadedCheckpoint? resume = null, long unrollsConsumed = 0)
    {
        SkipWithoutSimulation();
        var store = Store(name);
        await TrainingRun.RunAsync(
            config,
            new TrainingRunOptions { Checkpoints = store, Resume = resume, UnrollsConsumed = unrollsConsumed, Deterministic = true },
            CancellationToken.None);
        return store.LoadLatest();
    }

    private CheckpointStore Store(string name, int keep = 3) => new(_files, "/" + name, keep, "", Logger.None);

    private static ImmutableArray<float> Weights(LoadedCheckpoint loaded) => [.. loaded.Checkpoint.Tensor("parameters").Floats];

    private sealed class Progress(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
