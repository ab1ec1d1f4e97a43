using System.Globalization;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Display;

namespace Rl.Distributed.Node.Output;

/// <summary>Makes the program's loggers.</summary>
internal static class Logs
{
    private const string FileTemplate = "{Timestamp:yyyy-MM-dd HH:mm:ss.fff} [{Level:u3}] {Message:lj}{NewLine}{Exception}";

    /// <summary>Everything from <paramref name="level"/> on goes to the file, warnings go to people too, in one line
    /// and without stack traces.</summary>
    public static Logger Create(string path, LogEventLevel level, TextWriter people) => new LoggerConfiguration()
        .MinimumLevel.Is(level)
        .WriteTo.File(path, outputTemplate: FileTemplate, formatProvider: CultureInfo.InvariantCulture, shared: false)
        .WriteTo.Sink(new OneLineSink(people), LogEventLevel.Warning)
        .CreateLogger();

    /// <summary>For commands that have no file: warnings, or all from <paramref name="level"/> on, to people.</summary>
    public static Logger ToPeople(TextWriter people, LogEventLevel level = LogEventLevel.Warning) => new LoggerConfiguration()
        .MinimumLevel.Is(level)
        .WriteTo.Sink(new OneLineSink(people))
        .CreateLogger();

    private sealed class OneLineSink(TextWriter people) : ILogEventSink
    {
        // Without the quotation marks that texts have by default.
        private static readonly MessageTemplateTextFormatter Message = new("{Message:lj}", CultureInfo.InvariantCulture);

        public void Emit(LogEvent logEvent)
        {
            // A fatal event ends the command, which says so itself.
            if (logEvent.Level == LogEventLevel.Fatal) return;
            using var line = new StringWriter(CultureInfo.InvariantCulture);
            line.Write($"{logEvent.Level.ToString().ToLowerInvariant()}: ");
            Message.Format(logEvent, line);
            lock (people) people.WriteLine(line.ToString());
        }
    }
}
