using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>A logger that publishes on the event stream. What it lets through is settled when it is made.</summary>
internal sealed class EngineLog(EmbeddedSystem system, string source, Type type, ILogMessageFormatter formatter) : ILoggingAdapter
{
    private readonly LogLevel _least = system.EventStream.LogLevel;

    public bool IsDebugEnabled => IsEnabled(LogLevel.DebugLevel);

    public bool IsInfoEnabled => IsEnabled(LogLevel.InfoLevel);

    public bool IsWarningEnabled => IsEnabled(LogLevel.WarningLevel);

    public bool IsErrorEnabled => IsEnabled(LogLevel.ErrorLevel);

    public bool IsEnabled(LogLevel logLevel) => logLevel >= _least;

    public void Log(LogLevel logLevel, Exception cause, string format)
    {
        if (IsEnabled(logLevel)) system.Publish(logLevel, cause, source, type, format);
    }

    public string Format(string format, object[] args) =>
        formatter is null ? string.Format(format, args) : formatter.Format(format, args);
}
