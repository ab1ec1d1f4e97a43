using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Node.Commands;
using Rl.Distributed.Node.Output;
using Rl.Distributed.Node.Pictures;
using Rl.Distributed.Node.Tests.Pictures;
using static Rl.Distributed.Node.Tests.CommandRun;

namespace Rl.Distributed.Node.Tests;

public sealed class PlayTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private string Gif => _directory.File("play.gif");

    [Fact]
    public async Task An_environment_is_played_at_random_in_plain_text_where_there_is_no_terminal()
    {
        var run = await RunAsync("play", "catch", "--episodes", "2");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("catch  episode 2  step 8", run.Output);
        Assert.Contains("episode 2: return ", run.Output);
        Assert.DoesNotContain("\e", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_environment_can_be_recorded()
    {
        foreach (var name in EnvironmentRegistry.Default.Names)
        {
            var run = await RunAsync("play", name, "--gif", Gif, "--max-frames", "3");
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            var gif = ReadGif();
            Assert.Equal(3, gif.Frames.Count);
            Assert.All(gif.Frames, frame => Assert.True(frame.Colors.Distinct().Count() > 2, name));
        }
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_animation_and_another_seed_another()
    {
        foreach (var target in new[] { "minatar-asterix", "pendulum", await UntrainedRun.CreateAsync(_directory.File("run"), "impala-catch") })
        {
            var files = new List<byte[]>();
            foreach (var seed in new[] { "7", "7", "8" })
            {
                Assert.Equal(0, (await RunAsync("play", target, "--gif", Gif, "--seed", seed, "--max-frames", "40")).ExitCode);
                files.Add(await File.ReadAllBytesAsync(Gif));
            }
            Assert.Equal(files[0], files[1]);
            Assert.NotEqual(files[1], files[2]);
        }
    }

    [Fact]
    public async Task A_trained_agent_is_recorded_with_a_picture_a_step()
    {
        var run = await RunAsync("play", await UntrainedRun.CreateAsync(_directory.File("run"), "impala-catch"), "--episodes", "2", "--gif", Gif);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var gif = ReadGif();
        Assert.Equal(18, gif.Frames.Count);
        // Fifteen a second.
        Assert.Equal([7, 6, 7, 7], gif.Frames.Take(4).Select(frame => frame.Delay));
        var lines = run.Output.TrimEnd().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("episode 2: return ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith($"wrote {Gif}: 18 frames, ", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_animation_shows_what_the_environment_drew()
    {
        Assert.Equal(0, (await RunAsync("play", "minatar-breakout", "--seed", "5", "--gif", Gif, "--max-frames", "1")).ExitCode);
        var environment = EnvironmentRegistry.Default.Create(
            new EnvironmentOptions { Name = "minatar-breakout" }, 1, RandomStream.Create(5, StreamRole.EvaluationEnvironment));
        environment.Reset(new byte[environment.Spec.Observation.ByteCount]);
        var canvas = new TextCanvas();
        environment.Render(0, canvas);
        var image = new CanvasPainter().Paint(canvas, new Caption("minatar-breakout", 1, 0, 0));
        Assert.Equal(Colors.Of(image), Assert.Single(ReadGif().Frames).Colors);
    }

    [Fact]
    public async Task Numbered_pictures_show_the_same_as_an_animation()
    {
        await RunAsync("play", "cartpole", "--gif", Gif, "--max-frames", "12", "--episodes", "9");
        var run = await RunAsync("play", "cartpole", "--gif", _directory.File("play.png"), "--max-frames", "12", "--episodes", "9");
        Assert.Contains($"wrote {_directory.File("play-0001.png")} to play-0012.png: 12 frames, ", run.Output);
        var frames = ReadGif().Frames;
        for (var i = 0; i < 12; i++)
            Assert.Equal(frames[i].Colors, PngTests.Read(await File.ReadAllBytesAsync(_directory.File($"play-{i + 1:0000}.png"))).Colors);
        Assert.Equal(13, Directory.GetFiles(_directory.Path).Length);
    }

    [Theory]
    [InlineData(12, "stopped at --max-frames 12, 3 steps into episode 2")]
    [InlineData(9, "stopped at --max-frames 9, 0 steps into episode 2")]
    [InlineData(27, null)]
    public async Task A_recording_that_is_cut_says_where(int most, string? line)
    {
        var run = await RunAsync("play", "catch", "--gif", Gif, "--max-frames", $"{most}");
        Assert.Equal(most, ReadGif().Frames.Count);
        Assert.Equal(line is not null, run.Output.Contains("stopped at", StringComparison.Ordinal));
        if (line is not null) Assert.Contains(line, run.Output);
    }

    [Fact]
    public async Task A_terminal_shows_what_is_recorded_without_waiting()
    {
        using var output = new StringWriter();
        var host = new CommandHost { Output = output, Error = output, OutputIsTerminal = true, Clock = new StoppedClock() };
        var play = CommandLine.RunAsync(["play", "catch", "--gif", Gif], host, CancellationToken.None);
        Assert.Equal(0, await play.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Contains("\e[48;5;220m", output.ToString());
        Assert.Contains("27 frames", output.ToString());
    }

    [Fact]
    public async Task What_is_interrupted_leaves_nothing_and_what_was_there_stays()
    {
        await File.WriteAllTextAsync(Gif, "older");
        var run = await RunAsync(FakeTraining.Finish, new CancellationToken(canceled: true), "play", "catch", "--gif", Gif);
        Assert.Equal(130, run.ExitCode);
        Assert.Equal([Gif], Directory.GetFiles(_directory.Path));
        Assert.Equal("older", await File.ReadAllTextAsync(Gif));
    }

    [Theory]
    [InlineData("play.jpg", "the name must end in .gif, for an animation, or in .png")]
    [InlineData("nowhere/play.gif", "there is no directory ")]
    [InlineData("folder.gif", "this is a directory")]
    public async Task A_file_that_cannot_be_written_is_told_before_anything_is_played(string name, string reason)
    {
        Directory.CreateDirectory(_directory.File("folder.gif"));
        var run = await RunAsync("play", "catch", "--gif", _directory.File(name));
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.StartsWith($"rl: --gif {_directory.File(name)}: {reason}", run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_directory.Path));
    }

    [Fact]
    public async Task What_is_no_run_and_no_environment_is_told_with_the_nearest_environment()
    {
        var run = await RunAsync("play", "cartpol");
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith(
            "rl: There is no run directory or checkpoint file 'cartpol', and no environment of that name; did you mean 'cartpole'? ",
            run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Options_of_an_environment_are_bound_like_those_of_a_run()
    {
        Assert.Equal(0, (await RunAsync("play", "minatar-breakout", "--set", "environment.stickyActions=0", "--gif", Gif, "--max-frames", "20")).ExitCode);
        var plain = await File.ReadAllBytesAsync(Gif);
        Assert.Equal(0, (await RunAsync("play", "minatar-breakout", "--set", "environment.stickyActions=1", "--gif", Gif, "--max-frames", "20")).ExitCode);
        Assert.NotEqual(plain, await File.ReadAllBytesAsync(Gif));
    }

    [Theory]
    [InlineData("minatar-breakout", "environment.stickyAction=0", "unknown key 'environment.stickyAction'; did you mean 'environment.stickyActions'?")]
    [InlineData("minatar-breakout", "environment.stickyActions=2", "'environment.stickyActions' is 2, out of its range")]
    [InlineData("minatar-breakout", "learner.batch=2", "unknown key 'learner'")]
    [InlineData("catch", "environment.minimalActions=true", "'catch' has no option minimalActions; leave it out.")]
    [InlineData("catch", "environment.name=pendulum", "the environment is catch already")]
    public async Task A_wrong_option_is_told_by_its_words(string environment, string option, string reason)
    {
        var run = await RunAsync("play", environment, "--set", option);
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.StartsWith($"rl: --set {option}: {reason}", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_takes_no_options()
    {
        var run = await RunAsync("play", await UntrainedRun.CreateAsync(_directory.File("run"), "impala-catch"), "--set", "environment.ramping=false");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("a run plays in the environment that it was trained in", run.Error);
    }

    [Fact]
    public async Task A_run_directory_wins_over_an_environment_of_its_name_and_another_directory_does_not()
    {
        var name = Path.GetFullPath("acrobot");
        Directory.CreateDirectory(name);
        try
        {
            Assert.Contains("acrobot  episode 1", (await RunAsync("play", "acrobot", "--episodes", "1")).Output);
            await UntrainedRun.CreateAsync(name, "impala-catch");
            Assert.Contains("catch  episode 1", (await RunAsync("play", "acrobot", "--episodes", "1")).Output);
        }
        finally
        {
            Directory.Delete(name, recursive: true);
        }
    }

    private GifDecoder ReadGif() => new(File.ReadAllBytes(Gif));

    /// <summary>Whoever waits by it waits for ever.</summary>
    private sealed class StoppedClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Timer();

        private sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
