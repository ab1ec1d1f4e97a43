using System.Diagnostics;

namespace Rl.Distributed.Gymnasium.Tests;

/// <summary>Nothing is left behind: no process, no zombie, no file.</summary>
public sealed class LifetimeTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    // A parent as ours is one, which asks for an environment that hangs, and waits to be killed.
    private const string Parent = """
        import json, os, socket, struct, subprocess, sys, time
        script, where, id = sys.argv[1:]
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(where)
        listener.listen()
        child = subprocess.Popen([sys.executable, "-", where], stdin=subprocess.PIPE)
        child.stdin.write(open(script, "rb").read())
        child.stdin.close()
        channel, _ = listener.accept()
        request = json.dumps({"do": "make", "id": id, "kwargs": {}, "atari": None}).encode()
        channel.sendall(b"\2" + struct.pack("<i", len(request)) + request)
        print(child.pid, flush=True)
        time.sleep(1000)
        """;

    [Fact]
    public void Processes_end_with_their_batch_after_closing_their_environments()
    {
        var play = new Play("Walk-v0", count: 3);
        var process = play.Batch.ProcessIds.Single();
        Assert.False(IsGone(process));
        play.Batch.Dispose();
        Assert.True(IsGone(process, zombieCounts: false), "the process is there, or its zombie");
        Assert.Equal(3, play.StandIn.Log.Split('\n').Count(line => line == "close"));
        play.Dispose();
    }

    [Fact]
    public async Task What_an_environment_has_started_ends_with_its_batch()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("processes are looked up in /proc.");
        var play = new Play("LeavesAChild-v0");
        var child = int.Parse(play.StandIn.Log.Split('\n').First(line => line.StartsWith("child ", StringComparison.Ordinal))["child ".Length..]);
        Assert.False(IsGone(child));
        play.Dispose();
        await Until(() => IsGone(child));
    }

    [Fact]
    public async Task A_process_that_was_asked_and_not_used_ends_when_it_is_not_needed()
    {
        using var standIn = new StandIn();
        var clock = new LateClock();
        var source = new GymnasiumSource(standIn.Host(PythonHere.Numpy), clock: clock);
        source.Find("gym:Walk-v0")!.Spec(new() { Name = "gym:Walk-v0" });
        Assert.DoesNotContain("close", standIn.Log);
        await Until(() => !Folders().Any());
        clock.Fire();
        await Until(() => standIn.Log.Contains("close"));
    }

    [Theory]
    [InlineData("Walk-v0")]
    [InlineData("HangsWhenMade-v0")]
    public async Task Processes_end_with_a_parent_that_is_killed(string id)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("only Linux ends a process with its parent.");
        using var standIn = new StandIn();
        var host = standIn.Host(PythonHere.Numpy);
        var folder = Directory.CreateTempSubdirectory("rl-tests-");
        try
        {
            var script = Path.Combine(folder.FullName, "script.py");
            using (var reader = new StreamReader(typeof(GymnasiumSource).Assembly.GetManifestResourceStream("rl_gymnasium.py")!))
                File.WriteAllText(script, reader.ReadToEnd());
            var info = new ProcessStartInfo(host.Executable, ["-c", Parent, script, Path.Combine(folder.FullName, "socket"), id])
            {
                RedirectStandardOutput = true,
            };
            foreach (var (name, value) in host.Variables) info.Environment[name] = value;
            using var parent = Process.Start(info)!;
            var child = int.Parse((await parent.StandardOutput.ReadLineAsync())!);
            await Until(() => standIn.Log.Contains(id == "Walk-v0" ? "import" : "hanging"));
            Assert.False(IsGone(child));
            parent.Kill();
            await Until(() => IsGone(child));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Nothing_stays_on_disk_while_a_batch_plays()
    {
        using var play = new Play("Walk-v0");
        // Other tests of this process may be making theirs.
        await Until(() => !Folders().Any());
        play.Step(0);
    }

    private static IEnumerable<string> Folders() => new[] { "/dev/shm", Path.GetTempPath() }.Where(Directory.Exists)
        .SelectMany(parent => Directory.GetDirectories(parent, $"rl-gym-{Environment.ProcessId}-*"));

    private static bool IsGone(int process, bool zombieCounts = true)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return zombieCounts && stat[stat.LastIndexOf(')') + 2] == 'Z';
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    private static async Task Until(Func<bool> condition)
    {
        for (var waited = Stopwatch.StartNew(); !condition();)
        {
            Assert.True(waited.Elapsed < Deadline, "it did not come about in time");
            await Task.Delay(20);
        }
    }

    /// <summary>A clock whose timers wait until they are told.</summary>
    private sealed class LateClock : TimeProvider
    {
        private readonly List<Action> _due = [];

        public void Fire() => _due.ForEach(action => action());

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _due.Add(() => callback(state));
            return new NoTimer();
        }

        private sealed class NoTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
