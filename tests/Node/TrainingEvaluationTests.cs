using System.Text.Json;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Evaluation;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;
using Serilog.Core;
using static Rl.Distributed.Node.Tests.CommandRun;

namespace Rl.Distributed.Node.Tests;

/// <summary>Greedy episodes while a run trains.</summary>
public sealed class TrainingEvaluationTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TemporaryDirectory _directory = new();
    private readonly MemoryFileSystem _files = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("impala", false)]
    [InlineData("impala", true)]
    [InlineData("async-q", false)]
    [InlineData("async-q", true)]
    public async Task The_last_evaluation_is_what_eval_says_and_the_best_ones_parameters_are_kept(string algorithm, bool deterministic)
    {
        SkipWithoutSimulation(deterministic);
        var run = _directory.File("run");
        string[] words =
        [
            "train", algorithm == "impala" ? "impala-catch" : "async-q-cartpole", "--run-dir", run, "--frames", "30000", "--set", "env.name=catch",
            "--set", "run.evaluateEpisodes=50", "--set", "run.evaluateFrames=10000", "--json", .. (string[])(deterministic ? ["--deterministic"] : []),
        ];
        var trained = await RunAsync(TrainingRun.RunAsync, words);
        Assert.True(trained.ExitCode == 0, trained.Error);
        using var result = JsonDocument.Parse(trained.Output);
        var (last, best) = (result.RootElement.GetProperty("evaluation"), result.RootElement.GetProperty("bestEvaluation"));
        Assert.Equal(result.RootElement.GetProperty("frames").GetInt64(), last.GetProperty("frames").GetInt64());
        Assert.Equal(await EvalAsync(run), last.GetProperty("meanReturn").GetDouble());
        Assert.Equal(await EvalAsync(Path.Combine(run, "checkpoints", CheckpointStore.BestName)), best.GetProperty("meanReturn").GetDouble());
        Assert.True(best.GetProperty("meanReturn").GetDouble() >= last.GetProperty("meanReturn").GetDouble());
        var rows = File.ReadAllLines(Path.Combine(run, "metrics.csv")).Select(row => row.Split(',')).ToList();
        var frames = rows.Skip(1).Select(row => row[Array.IndexOf(rows[0], "eval_frames")]).Distinct().Where(text => text.Length > 0);
        Assert.Equal(last.GetProperty("frames").ToString(), frames.Last());
        // On threads an evaluation may take longer than the run does.
        if (deterministic) Assert.Equal([1, 2, 3], frames.Select(text => long.Parse(text) / 10_000));
    }

    [Fact]
    public async Task Of_parameters_in_shards_the_last_ones_are_evaluated()
    {
        var run = _directory.File("run");
        var trained = await RunAsync(
            TrainingRun.RunAsync, "train", "a3c-cartpole", "--run-dir", run, "--frames", "20000", "--set", "env.name=catch",
            "--set", "parameterServer.shards=2", "--set", "run.evaluateEpisodes=50", "--set", "run.evaluateFrames=1000", "--json");
        Assert.True(trained.ExitCode == 0, trained.Error);
        using var result = JsonDocument.Parse(trained.Output);
        var (last, best) = (result.RootElement.GetProperty("evaluation"), result.RootElement.GetProperty("bestEvaluation"));
        Assert.Equal(result.RootElement.GetProperty("frames").GetInt64(), best.GetProperty("frames").GetInt64());
        Assert.Equal(await EvalAsync(run), last.GetProperty("meanReturn").GetDouble());
    }

    [Theory]
    [InlineData("impala")]
    [InlineData("a3c")]
    [InlineData("async-sarsa")]
    public async Task A_deterministic_run_has_the_same_weights_with_evaluations_and_without(string algorithm)
    {
        SkipWithoutSimulation();
        var with = await TrainedAsync(Config(algorithm, episodes: 20));
        Assert.NotNull(with.Result.Evaluation);
        var without = await TrainedAsync(Config(algorithm, episodes: 0));
        Assert.Null(without.Result.Evaluation);
        Assert.Equal(without.Weights, with.Weights);
        Assert.NotEqual(without.Weights, (await TrainedAsync(Config(algorithm, episodes: 0) with { Seed = 2 })).Weights);
    }

    [Fact]
    public void One_evaluation_plays_at_a_time_and_what_falls_due_meanwhile_is_left_out()
    {
        var evaluation = Evaluation(Config("a3c", episodes: 50_000) with { Frames = long.MaxValue }, new TrainingRunOptions());
        evaluation.OnReport(999);
        foreach (var frames in (long[])[1000, 2000, 3000]) evaluation.OnReport(frames);
        Assert.True(SpinWait.SpinUntil(() => evaluation.Last is not null, Patience));
        Assert.Equal(1000, evaluation.Last!.Frames);
        var next = 10_000L;
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                evaluation.OnReport(next += 1000);
                return evaluation.Last.Frames != 1000;
            },
            Patience));
        Assert.InRange(evaluation.Last.Frames, 11_000, long.MaxValue);
    }

    [Fact]
    public void What_fails_in_an_evaluation_does_not_end_training()
    {
        _files.StepsUntilCrash = 1;
        var evaluation = Evaluation(Config("a3c", episodes: 2), new TrainingRunOptions { Deterministic = true, Checkpoints = Store() });
        evaluation.OnReport(1000);
        Assert.Equal(1000, evaluation.Last?.Frames);
        // Nothing is the best whose parameters are not on the disk.
        Assert.Null(evaluation.Best);
    }

    [Fact]
    public async Task A_resumed_run_keeps_the_best_parameters_of_the_time_before()
    {
        SkipWithoutSimulation();
        var store = Store();
        var config = Config("a3c", episodes: 5);
        await TrainAsync(config, store);
        var best = new GreedyReturn(700, 1.5, 0.25, 5);
        store.SaveBest(new float[3], best);
        Assert.Equal(best, store.LoadBest());
        var resumed = await TrainAsync(config with { Frames = config.Frames * 2 }, store, store.LoadLatest());
        Assert.Equal(best, resumed.BestEvaluation);
        Assert.Equal(best, store.LoadBest());
        var anew = await TrainAsync(config, store);
        Assert.NotEqual(best, anew.BestEvaluation);
        Assert.Equal(anew.BestEvaluation, store.LoadBest());
    }

    private static async Task<double> EvalAsync(string path)
    {
        var run = await RunAsync("eval", path, "--episodes", "50", "--json");
        using var json = JsonDocument.Parse(run.Output);
        return json.RootElement.GetProperty("meanReturn").GetDouble();
    }

    private static TrainingEvaluation Evaluation(TrainingConfig config, TrainingRunOptions options)
    {
        var plan = RunPlan.Create(config, options, SequentialRunner.Instance, (_, _) => Task.CompletedTask);
        return TrainingEvaluation.Create(config, options, plan, TestContext.Current.CancellationToken)!;
    }

    private async Task<(TrainingResult Result, float[] Weights)> TrainedAsync(TrainingConfig config)
    {
        var store = Store();
        var result = await TrainAsync(config, store);
        return (result, store.LoadLatest().Checkpoint.Tensor("parameters").Floats.ToArray());
    }

    private static Task<TrainingResult> TrainAsync(TrainingConfig config, CheckpointStore store, LoadedCheckpoint? resume = null) =>
        TrainingRun.RunAsync(config, new TrainingRunOptions { Checkpoints = store, Deterministic = true, Resume = resume }, CancellationToken.None);

    private CheckpointStore Store() => new(_files, "/run", 3, "", Logger.None);

    private static TrainingConfig Config(string algorithm, int episodes) => new()
    {
        Preset = "test",
        Algorithm = algorithm,
        Seed = 1,
        Frames = algorithm == "impala" ? 20_000 : 5000,
        Environment = new EnvironmentOptions { Name = "catch" },
        Network = new NetworkOptions { Torso = "mlp", Hidden = [32] },
        Workers = new() { Count = 2, EnvironmentsPerWorker = 16, UnrollLength = 5 },
        Learner = algorithm switch
        {
            "impala" => new ImpalaOptions { Batch = 32 },
            "a3c" => new A3cOptions { Parallelism = 1 },
            _ => new AsyncQOptions { Parallelism = 1 },
        },
        Run = new RunOptions { EvaluateEpisodes = episodes, EvaluateFrames = 1000 },
    };

    private static void SkipWithoutSimulation(bool deterministic = true) =>
        Assert.SkipWhen(deterministic && SimulatedHost.Missing is not null, $"{EngineHost.Name}: the simulation is the embedded engine's.");
}
