using Akka.Actor;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>The one thread of a simulation: the mailboxes that have work, the clock and the choice between them.</summary>
internal sealed class SimulatedEngine : Dispatcher
{
    private const long MostStepsAtOneInstant = 10_000_000;

    private readonly List<Mailbox> _ready = [];
    private readonly VirtualTimers _timers;
    private readonly Dictionary<Type, ulong> _typeHashes = [];
    private ulong _random;
    private int _runningThread;
    private long _stepsAtThisInstant;

    public SimulatedEngine(ulong seed)
    {
        _random = seed;
        _timers = new VirtualTimers();
        Time = new VirtualTimeProvider(_timers);
    }

    public override int Throughput => 1;

    public TimerService Timers => _timers;

    public TimeProvider Time { get; }

    public DateTimeOffset Now => _timers.Now;

    public TimeSpan MessageCost { get; set; }

    public long Steps { get; private set; }

    public ulong MessageHash { get; private set; } = 14695981039346656037;

    public Action<ActorSystem, ActorPath, object> Watcher { get; set; }

    public override void Schedule(Mailbox mailbox, bool again)
    {
        if (_runningThread != 0 && _runningThread != Environment.CurrentManagedThreadId)
            throw new InvalidOperationException(
                $"A message to {mailbox.Cell.SelfRef} came from another thread during a simulated run, which would not be repeatable. "
                + "Give what runs there (I/O, a parallel runner) in its sequential form.");
        if (!mailbox.Cell.SystemImpl.IsCrashed) _ready.Add(mailbox);
    }

    /// <summary>No mailbox of the system gets a turn any more, no timer of it fires.</summary>
    public void Crash(EmbeddedSystem system)
    {
        system.IsCrashed = true;
        _ready.RemoveAll(mailbox => mailbox.Cell.SystemImpl == system);
        _timers.Drop(system);
        _timers.Drop(system.Scheduler);
    }

    /// <summary>Steps until the condition holds (true) or the time is spent (false).</summary>
    public bool Run(Func<bool> condition, TimeSpan limit)
    {
        if (_runningThread != 0) throw new InvalidOperationException("The simulation already runs: a handler must not step it.");
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null); // so that continuations run here, at once
        _runningThread = Environment.CurrentManagedThreadId;
        try
        {
            var end = _timers.Monotonic + limit;
            while (!condition())
            {
                if (!Step(end)) return false;
            }
            return true;
        }
        finally
        {
            _runningThread = 0;
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>SplitMix64 (Steele et al. 2014).</summary>
    public ulong NextWord()
    {
        var z = _random += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double NextRandom() => (NextWord() >> 11) * (1.0 / (1L << 53));

    public void Observe(ActorCell cell, object message)
    {
        var type = (message as TimerMessage)?.Message.GetType() ?? message.GetType();
        if (!_typeHashes.TryGetValue(type, out var hash)) _typeHashes.Add(type, hash = Fnv(14695981039346656037, type.FullName));
        var system = cell.SystemImpl;
        MessageHash = Fnv(Fnv(MessageHash, system.Hub?.AddressText ?? system.Name), cell.SelfRef.Path.ToStringWithoutAddress())
            * 1099511628211 ^ hash;
        Watcher?.Invoke(system, cell.SelfRef.Path, message);
    }

    private static ulong Fnv(ulong hash, string text)
    {
        foreach (var c in text) hash = (hash ^ c) * 1099511628211;
        return hash;
    }

    /// <summary>A turn of some mailbox, or else a jump to the next timer. False when time is spent and nothing is due.</summary>
    private bool Step(TimeSpan end)
    {
        if (_timers.FireDue()) return true;
        if (_ready.Count > 0 && (MessageCost == TimeSpan.Zero || _timers.Monotonic < end))
        {
            RunOne();
            return true;
        }
        var jumps = _ready.Count == 0 && _timers.TryPeek(out var due) && due <= end;
        if (jumps) _timers.TryPeek(out due);
        else due = end;
        if (due > _timers.Monotonic)
        {
            _timers.MoveTo(due);
            _stepsAtThisInstant = 0;
        }
        return jumps;
    }

    private void RunOne()
    {
        if (MessageCost > TimeSpan.Zero) _timers.MoveTo(_timers.Monotonic + MessageCost);
        else if (++_stepsAtThisInstant > MostStepsAtOneInstant) ThrowRestless();
        var index = (int)Math.BigMul(NextWord(), (ulong)_ready.Count, out _);
        var mailbox = _ready[index];
        _ready[index] = _ready[^1];
        _ready.RemoveAt(_ready.Count - 1);
        Steps++;
        mailbox.Run();
    }

    private void ThrowRestless() => throw new InvalidOperationException(
        $"{MostStepsAtOneInstant} messages were handled without virtual time moving; waiting now: "
        + string.Join(", ", _ready.Take(5).Select(mailbox => mailbox.Cell.SelfRef.Path.ToStringWithoutAddress()))
        + ". Set Simulation.MessageCost if actors are meant to work without pause.");
}

/// <summary>Virtual time: it moves only when told to.</summary>
internal sealed class VirtualTimers : TimerService
{
    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly TimerQueue _queue = new();
    private TimeSpan _elapsed;

    public override DateTimeOffset Now => Epoch + _elapsed;

    public override TimeSpan Monotonic => _elapsed;

    public void MoveTo(TimeSpan time) => _elapsed = time;

    public bool TryPeek(out TimeSpan due) => _queue.TryPeek(out due);

    /// <summary>Fires the first entry that is due, if one is.</summary>
    public bool FireDue()
    {
        if (!_queue.TryTake(_elapsed, out var entry)) return false;
        entry.Fire();
        return true;
    }

    public override void Drop(object owner) => _queue.Drop(owner);

    public override void Cancelled() => _queue.CountCancelled();

    protected override void Add(TimerEntry entry) => _queue.Add(entry);
}

/// <summary>The virtual clock for code that takes a <see cref="TimeProvider"/>.</summary>
internal sealed class VirtualTimeProvider(VirtualTimers timers) : TimeProvider
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => timers.Now;

    public override long GetTimestamp() => timers.Monotonic.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(timers, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class VirtualTimer(VirtualTimers timers, Action fire) : ITimer
    {
        private TimerEntry _entry;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _entry?.Cancel();
            _entry = dueTime == Timeout.InfiniteTimeSpan
                ? null
                : timers.Start(dueTime, period > TimeSpan.Zero ? period : TimeSpan.Zero, null, fire);
            return true;
        }

        public void Dispose() => _entry?.Cancel();

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
