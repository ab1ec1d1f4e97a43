using Akka.Event;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>Log lines of a transport. What a peer can cause at will is written at most once a second, with its number. Thread-safe.</summary>
internal sealed class TcpLog(Action<LogLevel, string> write)
{
    private const long IntervalMs = 1000;

    private readonly Throttle _rejected = new(), _refused = new(), _dropped = new();

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

    public void Write(LogLevel level, string line) => write(level, line);

    public void Rejected(string what) => Write(_rejected, 1, "Rejected", what);

    public void Refused(string what) => Write(_refused, 1, "Refused", what);

    public void Dropped(long count, string what) => Write(_dropped, count, "Dropped", what);

    private void Write(Throttle throttle, long more, string verb, string what)
    {
        if (!throttle.TryPass(more, out var count)) return;
        write(LogLevel.WarningLevel, count == 1 ? $"{verb} {what}" : $"{verb} {count}, the last: {what}");
    }
}
