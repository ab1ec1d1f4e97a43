namespace Rl.Distributed.Runtime.Tests;

/// <summary>Time that moves when told to; its timers fire within <see cref="Advance"/>, in order.</summary>
public sealed class ManualTimeProvider : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private TimeSpan _elapsed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero) + _elapsed;

    public override long GetTimestamp()
    {
        lock (_lock) return _elapsed.Ticks;
    }

    public override ITimer CreateTimer(TimerCallback callback, object state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Settles before each timer that fires, and at the end.</summary>
    public void Advance(TimeSpan by, Action settle)
    {
        settle();
        var end = _elapsed + by;
        while (true)
        {
            ManualTimer next;
            lock (_lock)
            {
                next = _timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
                _elapsed = next is null ? end : next.Due > _elapsed ? next.Due : _elapsed;
                if (next is not null) _timers.Remove(next);
            }
            if (next is null) break;
            next.Fire();
            settle();
        }
        settle();
    }

    private sealed class ManualTimer(ManualTimeProvider time, Action fire) : ITimer
    {
        public TimeSpan Due { get; private set; }

        public Action Fire { get; } = fire;

        /// <summary>Once; no timer of the engine is periodic.</summary>
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                time._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                Due = time._elapsed + dueTime;
                time._timers.Add(this);
                return true;
            }
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
