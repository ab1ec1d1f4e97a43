using System.Diagnostics;
using Rl.Distributed.Tests;

namespace Rl.Distributed.Processes.Tests;

/// <summary>The processes of one test, their folder, and what they said where the test fails. All end with the test.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private const int LinesShown = 100;

    private readonly List<RlProcess> _processes = [];

    /// <summary>Where the learner listens, also after a restart: a port that was free a moment ago.</summary>
    public string Seed { get; init; } = $"127.0.0.1:{FreePort.Next()}";

    public string Folder { get; } = Directory.CreateTempSubdirectory("rl-processes-").FullName;

    public string RunFolder => Path.Combine(Folder, "run");

    /// <summary>Starts a run that leaves all acting to other nodes. It writes metrics and checkpoints often.</summary>
    public Task<RlProcess> StartLearnerAsync(string preset, long frames, params string[] more) =>
        StartLeaderAsync(["train", preset], frames, more);

    /// <summary>The same, as a node that is told its roles.</summary>
    public Task<RlProcess> StartLearningNodeAsync(string preset, long frames) =>
        StartLeaderAsync(["node", preset, "--role", "learner,replay,parameter-server"], frames, []);

    /// <summary>Continues it, where it was.</summary>
    public Task<RlProcess> ResumeLearnerAsync(long frames, params string[] more) => StartAsync(
        "learner resumed", Path.Combine(RunFolder, "log.txt"), [], ["train", "--resume", RunFolder, "--frames", $"{frames}", .. Led, .. more]);

    /// <summary>Starts a node with one worker.</summary>
    public Task<RlProcess> StartActorAsync(string name, params string[] more) =>
        StartAsync(name, null, [], ["node", "--join", Seed, "--workers", "1", "--http", "127.0.0.1:0", .. more]);

    /// <summary>Starts a node that has room for one shard, and no workers.</summary>
    public Task<RlProcess> StartShardAsync(string name) =>
        StartAsync(name, null, [], ["node", "--join", Seed, "--workers", "0", "--shards", "1", "--http", "127.0.0.1:0"]);

    public async Task<RlProcess> StartAsync(string name, string? log, IReadOnlyList<string> prefix, params string[] arguments)
    {
        var process = await RlProcess.StartAsync(name, log, prefix, arguments);
        _processes.Add(process);
        return process;
    }

    /// <summary>A file with a secret.</summary>
    public string Secret(string name, string secret)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, secret);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    /// <summary>Says how long something took: speed is shown, not asserted.</summary>
    public static void Show(string what, long since) =>
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: {Stopwatch.GetElapsedTime(since).TotalSeconds:0.00} s");

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes) process.Kill();
        foreach (var process in _processes)
        {
            await process.EndAsync();
            foreach (var line in process.Lines.Where(line => !line.Contains("Saved checkpoint", StringComparison.Ordinal)).TakeLast(LinesShown))
                TestContext.Current.TestOutputHelper?.WriteLine($"{process.Name}> {line}");
            process.Dispose();
        }
        Directory.Delete(Folder, recursive: true);
    }

    private Task<RlProcess> StartLeaderAsync(string[] command, long frames, string[] more) => StartAsync(
        "learner", Path.Combine(RunFolder, "log.txt"), [], [
            .. command, "--frames", $"{frames}", "--run-dir", RunFolder, "--set", "run.metricsSeconds=0.1", "--set", "run.checkpointSeconds=1",
            .. Led, .. more]);

    private string[] Led => ["--listen", Seed, "--workers", "0", "--http", "127.0.0.1:0"];
}
