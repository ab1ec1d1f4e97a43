using System.Globalization;
using Rl.Distributed.Runtime;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Rl.Distributed.Node.Engines;

/// <summary>What happens in a simulated cluster, with virtual times: the events that matter, and on request everything.</summary>
/// <param name="simulation">Whose clock it is.</param>
/// <param name="trace">Gets everything, logs and messages too; null: nobody wants it.</param>
internal sealed class Timeline(EmbeddedEngine.Simulation simulation, TextWriter? trace)
{
    private readonly List<string> _lines = [];
    private readonly DateTimeOffset _start = simulation.Now;

    public IReadOnlyList<string> Lines => _lines;

    public bool Traces => trace is not null;

    public TimeSpan Now => simulation.Now - _start;

    /// <summary>Something that matters.</summary>
    public void Add(string text)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"{Now.TotalSeconds,9:F3} s  {text}");
        _lines.Add(line);
        trace?.WriteLine(line);
    }

    /// <summary>Something that only the trace has.</summary>
    public void Trace(string text) => trace?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Now.TotalSeconds,9:F3} s    {text}"));

    /// <summary>For the log of one node.</summary>
    public ILogger LoggerOf(string node) => trace is null
        ? Logger.None
        : new LoggerConfiguration().MinimumLevel.Information().WriteTo.Sink(new Sink(this, node)).CreateLogger();

    private sealed class Sink(Timeline timeline, string node) : ILogEventSink
    {
        public void Emit(LogEvent logEvent) => timeline.Trace(
            $"{node} {logEvent.Level.ToString().ToLowerInvariant()}: {logEvent.RenderMessage(CultureInfo.InvariantCulture)}"
            + (logEvent.Exception is { } reason ? $" ({reason.GetType().Name}: {reason.Message})" : ""));
    }
}
