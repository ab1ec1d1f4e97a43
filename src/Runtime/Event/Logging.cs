using Akka.Actor;
using Rl.Distributed.Runtime.Engine;

namespace Akka.Event;

public enum LogLevel
{
    DebugLevel,
    InfoLevel,
    WarningLevel,
    ErrorLevel,
}

/// <summary>Something to be logged, published on the event stream.</summary>
public abstract class LogEvent
{
    private protected LogEvent(DateTime timestamp, Exception cause, string logSource, Type logClass, object message)
    {
        (Timestamp, Cause, LogSource, LogClass, Message) = (timestamp, cause, logSource, logClass, message);
    }

    public Exception Cause { get; protected set; }

    /// <summary>UTC, by the system's clock.</summary>
    public DateTime Timestamp { get; private set; }

    /// <summary>Usually the path of an actor.</summary>
    public string LogSource { get; protected set; }

    public Type LogClass { get; protected set; }

    public object Message { get; protected set; }

    public abstract LogLevel LogLevel();

    public override string ToString() =>
        $"[{LogLevel().ToString().Replace("Level", "", StringComparison.Ordinal).ToUpperInvariant()}][{Timestamp:O}][{LogSource}] {Message}"
        + (Cause is null ? "" : Environment.NewLine + "Cause: " + Cause);
}

public class Debug : LogEvent
{
    internal Debug(DateTime timestamp, Exception cause, string logSource, Type logClass, object message)
        : base(timestamp, cause, logSource, logClass, message)
    {
    }

    public override LogLevel LogLevel() => Event.LogLevel.DebugLevel;
}

public class Info : LogEvent
{
    internal Info(DateTime timestamp, Exception cause, string logSource, Type logClass, object message)
        : base(timestamp, cause, logSource, logClass, message)
    {
    }

    public override LogLevel LogLevel() => Event.LogLevel.InfoLevel;
}

public class Warning : LogEvent
{
    internal Warning(DateTime timestamp, Exception cause, string logSource, Type logClass, object message)
        : base(timestamp, cause, logSource, logClass, message)
    {
    }

    public override LogLevel LogLevel() => Event.LogLevel.WarningLevel;
}

public class Error : LogEvent
{
    internal Error(DateTime timestamp, Exception cause, string logSource, Type logClass, object message)
        : base(timestamp, cause, logSource, logClass, message)
    {
    }

    public override LogLevel LogLevel() => Event.LogLevel.ErrorLevel;
}

/// <summary>Makes a line from a format and its arguments.</summary>
public interface ILogMessageFormatter
{
    string Format(string format, params object[] args);

    string Format(string format, IEnumerable<object> args);
}

/// <summary>Publishes log events of one source.</summary>
public interface ILoggingAdapter
{
    bool IsDebugEnabled { get; }

    bool IsInfoEnabled { get; }

    bool IsWarningEnabled { get; }

    bool IsErrorEnabled { get; }

    bool IsEnabled(LogLevel logLevel);

    void Log(LogLevel logLevel, Exception cause, string format);
}

public static class Logging
{
    /// <summary>A logger whose source is the actor.</summary>
    /// <param name="context">Of the actor.</param>
    /// <param name="logMessageFormatter">Null for <see cref="string.Format(string, object[])"/>.</param>
    public static ILoggingAdapter GetLogger(this IActorContext context, ILogMessageFormatter logMessageFormatter = null) =>
        new EngineLog((EmbeddedSystem)context.System, context.Self.Path.ToString(), context.Props.Type, logMessageFormatter);
}
