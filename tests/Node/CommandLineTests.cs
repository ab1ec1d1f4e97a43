using System.Text.Json;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Output;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;
using static Rl.Distributed.Node.Tests.CommandRun;

namespace Rl.Distributed.Node.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("--help", 0)]
    [InlineData("train --help", 0)]
    [InlineData("--version", 0)]
    [InlineData("list", 0)]
    [InlineData("schema", 0)]
    [InlineData("", 2)]
    [InlineData("tarin impala-catch", 2)]
    [InlineData("train", 2)]
    [InlineData("train impala-catsh", 2)]
    [InlineData("train impala-catch extra", 2)]
    [InlineData("train impala-catch --sett a=b", 2)]
    [InlineData("train impala-catch --set learner.batch=0", 2)]
    [InlineData("train impala-catch --seed abc", 2)]
    [InlineData("train a3c-cartpole --shards 65", 2)]
    [InlineData("node --join 127.0.0.1:1 --shards -1", 2)]
    [InlineData("train impala-catch --resume somewhere", 2)]
    [InlineData("train --resume nowhere", 2)]
    [InlineData("eval", 2)]
    [InlineData("eval nowhere", 2)]
    [InlineData("eval nowhere --episodes 0", 2)]
    [InlineData("eval nowhere --seed -1", 2)]
    [InlineData("play nowhere --fps 0", 2)]
    [InlineData("bench impala-catsh", 2)]
    [InlineData("bench --seconds 0", 2)]
    [InlineData("check-env catsh", 2)]
    [InlineData("check-env catch --trace nowhere.jsonl", 2)]
    public async Task Exit_codes_tell_wrong_usage(string command, int expected)
    {
        var run = await RunAsync(command.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.True(expected == run.ExitCode, $"{run.ExitCode}: {run.Error}");
        if (expected == 0) Assert.NotEmpty(run.Output);
        else Assert.NotEmpty(run.Error);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_misspelt_option_names_the_nearest_one() => Assert.Contains("did you mean '--frames'?", (await RunAsync("train", "impala-catch", "--fram", "3")).Error);

    [Fact]
    public async Task A_misspelt_command_names_the_nearest_one() => Assert.Contains("did you mean 'train'?", (await RunAsync("tarin")).Error);

    [Fact]
    public async Task Listing_shows_presets_environments_and_algorithms()
    {
        var output = (await RunAsync("list")).Output;
        Assert.Contains("impala-breakout", output);
        Assert.Contains("minatar-breakout", output);
        Assert.Contains("V-trace", output);
    }

    [Theory]
    [InlineData("tmaze", "length = 10 ", "[1 to 1000]")]
    [InlineData("repeat-previous", "size = 1 ", "[1 to 100]")]
    [InlineData("deepsea", "size = 10 ", "[2 to 64]")]
    [InlineData("deepsea", "stochastic = false ", "[true or false]")]
    [InlineData("tetris", "tetrisObservation = board ", "[board, bertsekas, bcts]")]
    [InlineData("catch", "frameStack = 1 ", "[1 to 64]")]
    public async Task Listing_an_environment_shows_its_options_with_their_defaults_and_ranges(string name, string option, string range)
    {
        var run = await RunAsync("list", name);
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith($"{name}: ", run.Output);
        Assert.Contains(range, Assert.Single(run.Output.Split('\n'), line => line.Trim().StartsWith(option, StringComparison.Ordinal)));
        Assert.DoesNotContain("noOpStarts", run.Output);
        Assert.DoesNotContain("name = ", run.Output);
    }

    [Fact]
    public async Task Listing_an_environment_that_is_none_names_the_nearest_one()
    {
        var run = await RunAsync("list", "tmase");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("did you mean 'tmaze'?", run.Error);
    }

    [Fact]
    public async Task Training_leaves_a_run_directory_and_one_object_on_the_last_line()
    {
        var path = _directory.File("run");
        var run = await RunAsync(FakeTraining.Finish, "train", "impala-catch", "--run-dir", path, "--seed", "5", "--frames", "1e3", "--json");
        Assert.Equal(0, run.ExitCode);
        var lines = run.Output.TrimEnd('\n').Split('\n');
        using var json = JsonDocument.Parse(Assert.Single(lines));
        Assert.Equal(
            ["preset", "environment", "seed", "frames", "interrupted", "seconds", "framesPerSecond", "meanReturn100", "updates", "policyLagMean",
                "evaluation", "bestEvaluation", "shardSkewMean", "shardSkewMax", "runDirectory"],
            json.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal(1000, json.RootElement.GetProperty("frames").GetInt64());
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("meanReturn100").ValueKind);
        Assert.Equal([".lock", "config.yaml", "log.txt", "metrics.csv", "result.json"], Directory.GetFiles(path).Select(file => Path.GetFileName(file)).Order());
        Assert.Equal(3, File.ReadAllLines(Path.Combine(path, "metrics.csv")).Length);
        Assert.Contains("seed: 5\n", File.ReadAllText(Path.Combine(path, "config.yaml")));
        using var result = JsonDocument.Parse(File.ReadAllText(Path.Combine(path, "result.json")));
        Assert.Equal(1000, result.RootElement.GetProperty("frames").GetInt64());
        Assert.Equal("catch", result.RootElement.GetProperty("environment").GetString());
        Assert.False(result.RootElement.GetProperty("interrupted").GetBoolean());
    }

    [Fact]
    public async Task A_deterministic_run_on_an_engine_that_cannot_is_refused_before_a_run_is_made()
    {
        Assert.SkipWhen(SimulatedHost.Missing is null, "The embedded engine can.");
        var path = _directory.File("run");
        var run = await RunAsync(FakeTraining.Finish, "train", "impala-catch", "--run-dir", path, "--deterministic");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("-p:Engine=embedded", run.Error);
        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public async Task The_options_of_the_command_line_reach_the_run()
    {
        Assert.SkipWhen(SimulatedHost.Missing is not null, $"{EngineHost.Name} refuses --deterministic.");
        TrainingConfig? seen = null;
        var deterministic = false;
        var run = await RunAsync(
            (config, options, token) =>
            {
                (seen, deterministic) = (config, options.Deterministic);
                return FakeTraining.Finish(config, options, token);
            },
            "train", "impala-catch", "--run-dir", _directory.File("run"), "--env", "cartpole", "--workers", "3", "--set", "learner.discount=0.5", "--deterministic");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(("cartpole", 3, 0.5f, true), (seen!.Environment.Name, seen.Workers.Count, seen.Learner.Discount, deterministic));
    }

    [Theory]
    [InlineData("pendulum")]
    [InlineData("mountaincarcontinuous")]
    public async Task An_environment_with_continuous_actions_is_refused_before_a_run_is_made(string name)
    {
        var path = _directory.File("run");
        var run = await RunAsync(FakeTraining.Finish, "train", "impala-cartpole", "--run-dir", path, "--env", name);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains($"Environment '{name}' has continuous actions; this algorithm needs discrete ones.", run.Error);
        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public async Task An_interrupted_run_says_how_to_go_on_and_goes_on_from_there()
    {
        var path = _directory.File("run");
        using var stop = new CancellationTokenSource();
        var first = await RunAsync(FakeTraining.StopAt(400, stop), stop.Token, "train", "impala-catch", "--run-dir", path, "--frames", "1000");
        Assert.Equal(130, first.ExitCode);
        Assert.Contains("rl train --resume ", first.Error);
        Assert.Contains("\"interrupted\": true", File.ReadAllText(Path.Combine(path, "result.json")));

        LoadedFrom? seen = null;
        var second = await RunAsync(
            (config, options, token) =>
            {
                seen = new LoadedFrom(options.Resume!.Frames, options.Resume.Checkpoint.Tensor("parameters").Floats[0], config.Frames);
                return FakeTraining.Finish(config, options, token);
            },
            "train", "--resume", path, "--frames", "2000");
        Assert.True(second.ExitCode == 0, second.Error);
        Assert.Equal(new LoadedFrom(400, 400f, 2000), seen);
        Assert.Equal(4, File.ReadAllLines(Path.Combine(path, "metrics.csv")).Length);
        Assert.Contains("frames: 2000\n", File.ReadAllText(Path.Combine(path, "config.yaml")));

        var third = await RunAsync(FakeTraining.Finish, "train", "--resume", path, "--frames", "300");
        Assert.Equal(2, third.ExitCode);
        Assert.Contains("give more with --frames", third.Error);
    }

    [Fact]
    public async Task One_command_line_begins_a_run_goes_on_with_it_and_ends_with_it()
    {
        var path = _directory.File("run");
        string[] command = ["train", "impala-catch", "--run-dir", path, "--continue", "--frames", "1000"];
        var killed = await RunAsync((_, _, _) => throw new InvalidOperationException("Killed before the configuration was written."), command);
        Assert.Equal(1, killed.ExitCode);
        Assert.False(File.Exists(Path.Combine(path, "config.yaml")));

        using var stop = new CancellationTokenSource();
        var seen = new List<long?>();
        async Task<CommandRun> ContinueAsync(TrainingRunner train) => await RunAsync(
            (config, options, token) =>
            {
                seen.Add(options.Resume?.Frames);
                return train(config, options, token);
            },
            command);
        // Ends without a checkpoint, as a run does that is killed before its first one.
        Assert.Equal(0, (await ContinueAsync(FakeTraining.Finish)).ExitCode);
        Assert.Equal(130, (await ContinueAsync(FakeTraining.StopAt(400, stop))).ExitCode);
        Assert.Equal(0, (await ContinueAsync(FakeTraining.StopAt(1000, stop))).ExitCode);
        Assert.Equal([null, null, 400], seen);

        var complete = await ContinueAsync(FakeTraining.Finish);
        Assert.Equal((0, 3), (complete.ExitCode, seen.Count));
        Assert.Contains("is complete: 1,000 frames", complete.Error);
    }

    [Theory]
    [InlineData("train impala-catch --continue", "--run-dir")]
    [InlineData("train --resume RUN --continue", "--resume needs it not")]
    [InlineData("train impala-breakout --run-dir RUN --continue", "holds a run of impala-catch")]
    [InlineData("node --join 127.0.0.1:1 --continue", "--continue: a node that acts")]
    public async Task Continuing_is_refused_where_it_is_unclear_what(string command, string hint)
    {
        var path = _directory.File("run");
        await RunAsync("train", "impala-catch", "--run-dir", path);
        var run = await RunAsync([.. command.Split(' ').Select(word => word == "RUN" ? path : word)]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(hint, run.Error);
    }

    [Fact]
    public async Task A_run_that_was_stopped_before_its_first_checkpoint_cannot_be_resumed()
    {
        var path = _directory.File("run");
        await RunAsync(FakeTraining.Finish, "train", "impala-catch", "--run-dir", path);
        var run = await RunAsync(FakeTraining.Finish, "train", "--resume", path);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("There is no checkpoint in", run.Error);
    }

    [Fact]
    public async Task A_failure_is_a_line_on_the_screen_and_a_stack_trace_in_the_log()
    {
        var path = _directory.File("run");
        var run = await RunAsync((_, _, _) => throw new InvalidOperationException("The loss is no number."), "train", "impala-catch", "--run-dir", path, "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal("", run.Output);
        Assert.Contains("rl: The loss is no number.\n", run.Error);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.Contains("   at ", File.ReadAllText(Path.Combine(path, "log.txt")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Benchmarks_print_a_list_of_figures()
    {
        var run = await RunAsync(FakeTraining.Forever, "bench", "impala-catch", "--seconds", "0.2", "--json");
        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output.TrimEnd('\n').Split('\n')[^1]);
        var figure = Assert.Single(json.RootElement.GetProperty("results").EnumerateArray());
        Assert.Equal("impala-catch", figure.GetProperty("name").GetString());
        Assert.Equal("frames/s", figure.GetProperty("unit").GetString());
        Assert.InRange(figure.GetProperty("value").GetDouble(), 500, 2000);
    }

    [Fact]
    public async Task An_environment_can_be_checked()
    {
        var run = await RunAsync("check-env", "catch");
        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Contains("ok  ", run.Output);
    }

    [Fact]
    public async Task A_resumed_run_is_told_how_many_unrolls_had_been_consumed()
    {
        var path = _directory.File("run");
        using var stop = new CancellationTokenSource();
        await RunAsync(FakeTraining.StopAt(6400, stop), stop.Token, "train", "impala-catch", "--run-dir", path);
        var columns = MetricsCsv.Header.Split(',');
        var row = columns.Select(column => column == "unrolls_consumed" ? "13" : "");
        File.AppendAllText(Path.Combine(path, "metrics.csv"), string.Join(',', row) + "\n");

        var consumed = 0L;
        await RunAsync(
            (config, options, token) =>
            {
                consumed = options.UnrollsConsumed;
                return FakeTraining.Finish(config, options, token);
            },
            "train", "--resume", path);
        Assert.Equal(13, consumed);
    }

    [Fact]
    public async Task A_resume_that_does_not_fit_leaves_the_runs_configuration_as_it_was()
    {
        var path = _directory.File("run");
        using var stop = new CancellationTokenSource();
        await RunAsync(FakeTraining.StopAt(6400, stop), stop.Token, "train", "impala-catch", "--run-dir", path);
        var before = File.ReadAllText(Path.Combine(path, "config.yaml"));
        var run = await RunAsync(
            (_, _, _) => throw new CheckpointFormatException("another network"), "train", "--resume", path, "--set", "network.hidden=[8]");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(before, File.ReadAllText(Path.Combine(path, "config.yaml")));
    }

    private sealed record LoadedFrom(long Frames, float Weight, long Target);
}

/// <summary>Stands in for the ring.</summary>
internal static class FakeTraining
{
    public static Task<TrainingResult> Finish(TrainingConfig config, TrainingRunOptions options, CancellationToken cancellationToken)
    {
        options.Started?.Invoke();
        Report(config, options, config.Frames / 2);
        Report(config, options, config.Frames);
        return Task.FromResult(Result(config, options, config.Frames));
    }

    /// <summary>Presses Ctrl-C at these frames, and stops as the ring does: with a checkpoint.</summary>
    public static Output.TrainingRunner StopAt(long frames, CancellationTokenSource stop) => async (config, options, _) =>
    {
        options.Started?.Invoke();
        Report(config, options, frames);
        await stop.CancelAsync();
        await options.Checkpoints!.SaveAsync(new Checkpoint { Tensors = [new NamedTensor("parameters", [1], [(float)frames])] }, frames, CancellationToken.None);
        return Result(config, options, frames);
    };

    /// <summary>A thousand frames a second until it is stopped.</summary>
    public static async Task<TrainingResult> Forever(TrainingConfig config, TrainingRunOptions options, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested)
        {
            var elapsed = TimeProvider.System.GetElapsedTime(began);
            options.Progress?.Report(new TrainingProgress { Frames = (long)(1000 * elapsed.TotalSeconds), Elapsed = elapsed });
            await Task.Delay(10, CancellationToken.None);
        }
        return Result(config, options, 0);
    }

    private static void Report(TrainingConfig config, TrainingRunOptions options, long frames) =>
        options.Progress!.Report(new TrainingProgress { Frames = frames, TotalFrames = config.Frames });

    private static TrainingResult Result(TrainingConfig config, TrainingRunOptions options, long frames) => new()
    {
        Preset = config.Preset,
        Environment = config.Environment.Name,
        Seed = config.Seed,
        Frames = frames,
        Interrupted = frames < config.Frames,
        Seconds = 1,
        FramesPerSecond = frames,
        MeanReturn100 = double.NaN,
        Updates = 3,
        RunDirectory = options.RunDirectory,
    };
}
