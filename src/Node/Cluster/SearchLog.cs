using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Rl.Distributed.Node.Clustering;

/// <summary>What an engine logs for a node that looks for its cluster, as people want to read it: its warnings, which come with each attempt,
/// become one line every few seconds with the last reason. Once the cluster is found they pass as they are; all else always does.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class SearchLog : ILogEventSink, IDisposable
{
    private static readonly TimeSpan FirstInterval = TimeSpan.FromSeconds(2), Interval = TimeSpan.FromSeconds(5);

    private readonly ILogger _people;
    private readonly string _seeds;
    private readonly ITimer _timer;
    private volatile bool _isFound;
    private volatile string _reason = "no answer yet";

    /// <param name="people">Gets the lines.</param>
    /// <param name="seeds">Where the node looks.</param>
    /// <param name="clock">For the intervals.</param>
    public SearchLog(ILogger people, string seeds, TimeProvider clock)
    {
        (_people, _seeds) = (people, seeds);
        Logger = new LoggerConfiguration().MinimumLevel.Verbose().WriteTo.Sink(this).CreateLogger();
        _timer = clock.CreateTimer(_ => Remind(), null, FirstInterval, Interval);
    }

    /// <summary>Where the engine logs.</summary>
    public ILogger Logger { get; }

    /// <summary>The cluster is found.</summary>
    public void Found()
    {
        _isFound = true;
        _timer.Dispose();
    }

    public void Emit(LogEvent logEvent)
    {
        if (_isFound || logEvent.Level != LogEventLevel.Warning) _people.Write(logEvent);
        else if (Text(logEvent) is var text && !text.StartsWith("Dropped", StringComparison.Ordinal)) _reason = text;
    }

    public void Dispose() => _timer.Dispose();

    private void Remind()
    {
        if (!_isFound) _people.Information("Still looking for the cluster at {Seeds}: {Reason}", _seeds, _reason);
    }

    // What the engine says, without where in the engine it was said.
    private static string Text(LogEvent logEvent) =>
        logEvent.Properties.TryGetValue("Message", out var message) && message is ScalarValue { Value: { } text }
            ? text.ToString() ?? "" : logEvent.RenderMessage();
}
