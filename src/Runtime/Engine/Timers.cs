using Akka.Actor;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>Something that falls due once or again and again.</summary>
internal sealed class TimerEntry
{
    private readonly TimerService _service;
    private CancellationTokenRegistration _registration;
    private int _cancelled;

    /// <param name="service">Where it waits.</param>
    /// <param name="due">On <see cref="TimerService.Monotonic"/>.</param>
    /// <param name="period">Zero: once.</param>
    /// <param name="owner">Who may drop it with <see cref="TimerService.Drop"/>; null for nobody.</param>
    /// <param name="fire">What to do.</param>
    public TimerEntry(TimerService service, TimeSpan due, TimeSpan period, object owner, Action fire)
    {
        (_service, Due, Period, Owner, Fire) = (service, due, period, owner, fire);
    }

    public TimeSpan Due { get; set; }
    public TimeSpan Period { get; set; }
    public object Owner { get; }
    public Action Fire { get; }
    public bool IsCancelled => Volatile.Read(ref _cancelled) != 0;

    public void CancelWith(CancellationToken token) =>
        _registration = token.UnsafeRegister(static entry => ((TimerEntry)entry).Cancel(), this);

    public void Cancel()
    {
        if (Interlocked.Exchange(ref _cancelled, 1) == 0) _service.Cancelled();
    }

    public void Ended() => _registration.Dispose();
}

/// <summary>Entries by due time, those of one instant in the order of their adding. Not thread-safe.</summary>
internal sealed class TimerQueue
{
    private PriorityQueue<TimerEntry, (TimeSpan Due, long Order)> _entries = new();
    private long _order;
    private int _cancelled;

    public void Add(TimerEntry entry) => _entries.Enqueue(entry, (entry.Due, _order++));

    /// <summary>When the next entry falls due, if there is one.</summary>
    public bool TryPeek(out TimeSpan due)
    {
        while (_entries.TryPeek(out var entry, out var priority))
        {
            due = priority.Due;
            if (!entry.IsCancelled) return true;
            _entries.Dequeue();
            _cancelled--;
        }
        due = default;
        return false;
    }

    /// <summary>Takes the next entry that is due; a periodic one is entered again, one period later.</summary>
    public bool TryTake(TimeSpan now, out TimerEntry entry)
    {
        entry = null;
        if (!TryPeek(out var due) || due > now) return false;
        entry = _entries.Dequeue();
        if (entry.Period > TimeSpan.Zero)
        {
            entry.Due += entry.Period;
            Add(entry);
        }
        else
        {
            entry.Ended();
        }
        return true;
    }

    /// <summary>Counts a cancelled entry, and clears them out once they are the majority.</summary>
    public void CountCancelled()
    {
        if (++_cancelled < 64 || _cancelled < _entries.Count / 2) return;
        Keep(entry => !entry.IsCancelled);
    }

    public void Drop(object owner) => Keep(entry => !entry.IsCancelled && !ReferenceEquals(entry.Owner, owner));

    private void Keep(Func<TimerEntry, bool> keep)
    {
        _entries = new PriorityQueue<TimerEntry, (TimeSpan Due, long Order)>(
            _entries.UnorderedItems.Where(item => keep(item.Element)));
        _cancelled = 0;
    }
}

/// <summary>The engine's clock and timers.</summary>
internal abstract class TimerService
{
    public abstract DateTimeOffset Now { get; }

    /// <summary>Since the service began.</summary>
    public abstract TimeSpan Monotonic { get; }

    /// <summary>Runs an action once, or again and again if <paramref name="period"/> is above zero.</summary>
    public TimerEntry Start(TimeSpan delay, TimeSpan period, object owner, Action fire)
    {
        var entry = new TimerEntry(this, Monotonic + (delay > TimeSpan.Zero ? delay : TimeSpan.Zero), period, owner, fire);
        Add(entry);
        return entry;
    }

    /// <summary>Forgets all entries of an owner.</summary>
    public abstract void Drop(object owner);

    public abstract void Cancelled();

    protected abstract void Add(TimerEntry entry);
}

/// <summary>Timers on a <see cref="TimeProvider"/>: one timer of it, set to whatever falls due next.</summary>
internal sealed class ProvidedTimerService : TimerService
{
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly TimerQueue _queue = new();
    private readonly ITimer _timer;
    private TimeSpan _armedFor = TimeSpan.MaxValue;

    public ProvidedTimerService(TimeProvider time)
    {
        _time = time;
        _start = time.GetTimestamp();
        // The timer must not carry the creator's execution context into every message that it sends.
        using (ExecutionContext.SuppressFlow())
            _timer = time.CreateTimer(
                static self => ((ProvidedTimerService)self).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override DateTimeOffset Now => _time.GetUtcNow();

    public override TimeSpan Monotonic => _time.GetElapsedTime(_start);

    public override void Drop(object owner)
    {
        lock (_queue) _queue.Drop(owner);
    }

    public override void Cancelled()
    {
        lock (_queue) _queue.CountCancelled();
    }

    protected override void Add(TimerEntry entry)
    {
        lock (_queue)
        {
            _queue.Add(entry);
            Arm();
        }
    }

    private void Tick()
    {
        lock (_queue) _armedFor = TimeSpan.MaxValue;
        while (true)
        {
            TimerEntry entry;
            lock (_queue)
            {
                if (!_queue.TryTake(Monotonic, out entry))
                {
                    Arm();
                    return;
                }
            }
            if (!entry.IsCancelled) entry.Fire();
        }
    }

    private void Arm()
    {
        if (!_queue.TryPeek(out var due) || due >= _armedFor) return;
        _armedFor = due;
        // Timers count whole milliseconds; one that came early would find nothing due and come again.
        var wait = Math.Max(0, Math.Ceiling((due - Monotonic).TotalMilliseconds));
        _timer.Change(TimeSpan.FromMilliseconds(Math.Min(wait, uint.MaxValue - 1)), Timeout.InfiniteTimeSpan);
    }
}
