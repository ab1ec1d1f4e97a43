using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Rl.Distributed.Processes.Tests;

/// <summary>A process of the program, and what it has said so far.</summary>
internal sealed partial class RlProcess : IDisposable
{
    private readonly Process _process;
    private readonly List<(long At, string Text)> _lines = [];
    private readonly string? _logPath;
    private readonly long _logBegin;
    private readonly Task _read;

    private RlProcess(string name, Process process, string? logPath, long logBegin)
    {
        (Name, _process, _logPath, _logBegin, StartedAt) = (name, process, logPath, logBegin, Stopwatch.GetTimestamp());
        process.StandardInput.Close();
        _read = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public string Name { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Just after the process was there, as <see cref="Stopwatch.GetTimestamp"/> counts.</summary>
    public long StartedAt { get; }

    /// <summary>The lines of its streams, and those that it has added to its log if it has one.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines) return [.. _lines.Select(line => line.Text), .. LogLines()];
        }
    }

    /// <param name="name">For people who read a failed test.</param>
    /// <param name="logPath">The log that it writes, or goes on with; null: none.</param>
    /// <param name="prefix">What runs the program, such as <c>ip netns exec NAME</c>.</param>
    /// <param name="arguments">Of the program.</param>
    public static async Task<RlProcess> StartAsync(string name, string? logPath, IReadOnlyList<string> prefix, params string[] arguments)
    {
        string[] command = [.. prefix, Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet",
            Path.Combine(AppContext.BaseDirectory, "rl.dll"), .. arguments];
        // A process that resumes a run goes on with the log of the one before.
        var logBegin = File.Exists(logPath) ? new FileInfo(logPath).Length : 0;
        return new RlProcess(name, await Launcher.StartAsync(command, Secretless), logPath, logBegin);
    }

    // What the shell that runs the tests has set is not meant for them.
    private static IReadOnlyDictionary<string, string?> Secretless { get; } =
        new Dictionary<string, string?> { ["RL_SECRET"] = null, ["DOTNET_gcServer"] = "0" };

    /// <summary>Waits for a line that has this text.</summary>
    public async Task<string> SaysAsync(string text) =>
        await Wait.ForAsync($"said by {Name}: '{text}'", () => Task.FromResult(Find(text)), () => Find(text) is null ? EndedEarly() : null);

    /// <summary>The last line with this text; null where there is none.</summary>
    public string? Find(string text) => Lines.LastOrDefault(line => line.Contains(text, StringComparison.Ordinal));

    /// <summary>The pages that it serves on loopback.</summary>
    /// <param name="network">The network namespace that it is in; null: this process's.</param>
    public async Task<NodePagesClient> PagesAsync(string? network = null) =>
        new(Name, PagesAddress().Match(await SaysAsync("Pages of this node: ")).Groups[1].Value, EndedEarly, network);

    /// <summary>SIGKILL: it has no time to say anything.</summary>
    public void Kill() => _process.Kill();

    /// <summary>SIGTERM, SIGSTOP, SIGCONT.</summary>
    public void Signal(int signal)
    {
        if (SendSignal(_process.Id, signal) != 0) throw new InvalidOperationException($"{Name} takes no signal.");
    }

    public const int SigTerm = 15, SigStop = 19, SigCont = 18;

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync()
    {
        await Wait.UntilAsync($"ended: {Name}", () => _process.HasExited);
        await _read;
        return _process.ExitCode;
    }

    public void Dispose()
    {
        try
        {
            if (!_process.HasExited) _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has just ended by itself.
        }
        _process.WaitForExit();
        _process.Dispose();
    }

    private string? EndedEarly() => _process.HasExited ? $"{Name} ended with exit code {_process.ExitCode}." : null;

    private IEnumerable<string> LogLines()
    {
        if (_logPath is null || !File.Exists(_logPath)) return [];
        var log = new FileStream(_logPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete) { Position = _logBegin };
        using var reader = new StreamReader(log);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
            lock (_lines) _lines.Add((Stopwatch.GetTimestamp(), line));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    [GeneratedRegex("http://(127\\.0\\.0\\.1:\\d+)/health")]
    private static partial Regex PagesAddress();
}
