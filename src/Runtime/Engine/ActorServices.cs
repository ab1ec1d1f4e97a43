using Akka.Actor;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>The stash of one incarnation.</summary>
internal sealed class ActorStash(ActorCell cell) : IStash
{
    private List<Envelope> _stashed = [];
    private long _lastStashed;

    public int Count => _stashed.Count;

    public bool IsEmpty => Count == 0;

    public bool NonEmpty => Count > 0;

    public void Stash()
    {
        var envelope = cell.CurrentEnvelope;
        if (envelope.Message is null) throw new IllegalActorStateException("There is no message to stash outside a handler");
        if (_lastStashed == cell.EnvelopesHandled)
            throw new IllegalActorStateException($"Can't stash the same message {envelope.Message} more than once");
        _lastStashed = cell.EnvelopesHandled;
        _stashed.Add(envelope);
    }

    public void Unstash()
    {
        if (IsEmpty) return;
        Return(_stashed[0]);
        _stashed.RemoveAt(0);
    }

    public void UnstashAll() => UnstashAll(_ => true);

    public void UnstashAll(Func<Envelope, bool> predicate)
    {
        var all = ClearStash().Where(predicate).ToList();
        for (var i = all.Count - 1; i >= 0; i--) Return(all[i]);
    }

    public IEnumerable<Envelope> ClearStash()
    {
        var all = _stashed;
        _stashed = [];
        return all;
    }

    public void Prepend(IEnumerable<Envelope> envelopes) => _stashed.InsertRange(0, envelopes);

    private void Return(Envelope envelope)
    {
        cell.Mailbox.Prepend(envelope);
        if (envelope.Message is Terminated terminated) cell.ReportAgain(terminated);
    }
}

/// <summary>A timer's message on its way: opened only if that timer still stands.</summary>
internal sealed class TimerMessage(ActorTimers owner, object key, object message) : INotInfluenceReceiveTimeout
{
    public object Key { get; } = key;

    public object Message { get; } = message;

    /// <summary>The message, or null if its timer is cancelled, replaced or of an earlier incarnation.</summary>
    public object Open(ActorTimers timers) => ReferenceEquals(timers, owner) && owner.Accepts(this) ? Message : null;
}

/// <summary>The timers of one incarnation.</summary>
internal sealed class ActorTimers(ActorCell cell) : ITimerScheduler
{
    private readonly Dictionary<object, (TimerMessage Message, TimerEntry Entry, bool Periodic)> _active = [];

    public IReadOnlyCollection<object> ActiveTimers => _active.Keys;

    public bool IsTimerActive(object key) => _active.ContainsKey(key);

    public void StartPeriodicTimer(object key, object msg, TimeSpan interval) => StartPeriodicTimer(key, msg, interval, interval);

    public void StartPeriodicTimer(object key, object msg, TimeSpan initialDelay, TimeSpan interval)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(interval, TimeSpan.Zero);
        Start(key, msg, initialDelay, interval);
    }

    public void StartSingleTimer(object key, object msg, TimeSpan timeout) => Start(key, msg, timeout, TimeSpan.Zero);

    public void Cancel(object key)
    {
        if (_active.Remove(key, out var timer)) timer.Entry.Cancel();
    }

    public void CancelAll()
    {
        foreach (var timer in _active.Values) timer.Entry.Cancel();
        _active.Clear();
    }

    public bool Accepts(TimerMessage message)
    {
        if (!_active.TryGetValue(message.Key, out var timer) || !ReferenceEquals(timer.Message, message)) return false;
        if (!timer.Periodic) _active.Remove(message.Key);
        return true;
    }

    private void Start(object key, object msg, TimeSpan delay, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(msg);
        Cancel(key);
        var message = new TimerMessage(this, key, msg);
        var entry = cell.SystemImpl.Timers.Start(
            delay, period, cell.SystemImpl.Scheduler, () => cell.SelfRef.Tell(message, ActorRefs.NoSender));
        _active.Add(key, (message, entry, period > TimeSpan.Zero));
    }
}
