using Akka.Event;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>Log lines of a transport. What a peer can cause at will is written at most once a second, with its number.
/// Thread-safe.</summary>
internal sealed class TcpLog(Action<LogLevel, string> write)
{
    private const long IntervalMs = 1000;

    private readonly Throttle _rejected = new(), _refused = new(), _dropped = new(), _gone = new(), _unreachable = new();

    private sealed class Throttle
    {
        private long _next = long.MinValue, _count;

        public bool TryPass(long more, out long count)
        {
            lock (this)
            {
                count = _count += more;
                var now = Environment.TickCount64;
                if (now < _next) return false;
                (_next, _count) = (now + IntervalMs, 0);
                return true;
            }
        }
    }

    public void Failed(string line) => write(LogLevel.ErrorLevel, Clean(line));

    public void Rejected(string what) => Write(LogLevel.WarningLevel, _rejected, 1, "Rejected", what);

    public void Refused(string what) => Write(LogLevel.WarningLevel, _refused, 1, "Refused", what);

    public void Dropped(long count, string what) => Write(LogLevel.WarningLevel, _dropped, count, "Dropped", what);

    /// <returns>False where it is not written now.</returns>
    public bool Unreachable(string what) => Write(LogLevel.WarningLevel, _unreachable, 1, "Cannot reach", what);

    public void Gone(string what) => Write(LogLevel.InfoLevel, _gone, 1, "Lost the connection with", what);

    private bool Write(LogLevel level, Throttle throttle, long more, string verb, string what)
    {
        if (!throttle.TryPass(more, out var count)) return false;
        write(level, Clean(count == 1 ? $"{verb} {what}" : $"{verb} {count}, the last: {what}"));
        return true;
    }

    /// <summary>Paths and reasons hold what a peer wrote: it must not begin a line of its own.</summary>
    private static string Clean(string line) =>
        line.Any(char.IsControl) ? new string(line.Select(c => char.IsControl(c) ? '?' : c).ToArray()) : line;
}
