using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Rl.Distributed.Bench.Processes;

/// <summary>A process of the program `rl`: its log, its pages, its end.</summary>
internal sealed partial class RlNode : IDisposable
{
    public const int SigStop = 19;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60), Pause = TimeSpan.FromMilliseconds(5);

    private readonly Process _process;
    private readonly string? _logPath;
    private readonly List<string> _lines = [];
    private readonly Lazy<HttpClient> _pages;

    /// <param name="program">The path of `rl`.</param>
    /// <param name="logPath">The log that it writes; null: it logs to its error stream.</param>
    /// <param name="arguments">Its command line.</param>
    public RlNode(string program, string? logPath, params string[] arguments)
    {
        _logPath = logPath;
        StartedAt = Stopwatch.GetTimestamp();
        _process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _pages = new Lazy<HttpClient>(() => new HttpClient
        {
            BaseAddress = new Uri(PagesAddress().Match(Says("Pages of this node: ")).Groups[1].Value),
        });
    }

    /// <summary>Just before the process was made.</summary>
    public long StartedAt { get; }

    /// <summary>How other nodes know it; waits until it is a member.</summary>
    public string Address
    {
        get
        {
            var address = "";
            Until("its cluster", () =>
            {
                using var page = Page();
                address = page.RootElement.GetProperty("address").GetString()!;
                return page.RootElement.GetProperty("members").EnumerateArray().Any(member => member.GetProperty("address").GetString() == address);
            });
            return address;
        }
    }

    /// <summary>Frames that its run has learned from.</summary>
    public long Frames
    {
        get
        {
            using var page = Page();
            return page.RootElement.GetProperty("run").GetProperty("frames").GetInt64();
        }
    }

    /// <summary>Resident bytes.</summary>
    public long Resident
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public TimeSpan Processor
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Waits for a line with this text.</summary>
    public string Says(string text)
    {
        string? found = null;
        Until($"said: '{text}'", () => (found = Lines().LastOrDefault(line => line.Contains(text, StringComparison.Ordinal))) is not null);
        return found!;
    }

    /// <summary>The sum of a metric's samples whose line has all these texts.</summary>
    public double Metric(string name, params string[] labels) => _pages.Value.GetStringAsync("/metrics").Result.Split('\n')
        .Where(line => line.StartsWith(name, StringComparison.Ordinal) && labels.All(label => line.Contains(label, StringComparison.Ordinal)))
        .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    /// <summary>Bytes that came from another node, or went to it.</summary>
    public double Bytes(string direction, string kind, string address = "") =>
        Metric("rl_bytes_total", $"direction=\"{direction}\"", $"kind=\"{kind}\"", address);

    /// <summary>Polls until a condition holds.</summary>
    /// <exception cref="TimeoutException">It did not within a minute, or the process has ended; the message has what it said last.</exception>
    public void Until(string what, Func<bool> condition)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(begun) > Limit)
                throw new TimeoutException($"Not {what}. It said:\n{string.Join('\n', Lines().TakeLast(20))}");
            Thread.Sleep(Pause);
        }
    }

    public void Signal(int signal) => _ = SendSignal(_process.Id, signal);

    /// <summary>SIGKILL.</summary>
    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        if (_pages.IsValueCreated) _pages.Value.Dispose();
    }

    private JsonDocument Page() => JsonDocument.Parse(_pages.Value.GetStringAsync("/cluster").Result);

    private void Add(string? line)
    {
        if (line is null) return;
        lock (_lines) _lines.Add(line);
    }

    private List<string> Lines()
    {
        List<string> lines;
        lock (_lines) lines = [.. _lines];
        if (_logPath is null || !File.Exists(_logPath)) return lines;
        using var reader = new StreamReader(new FileStream(_logPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        lines.AddRange(reader.ReadToEnd().Split('\n'));
        return lines;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    [GeneratedRegex("(http://127\\.0\\.0\\.1:\\d+)/health")]
    private static partial Regex PagesAddress();
}
