using Akka.Actor;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>A system's <see cref="IScheduler"/>. When the system has ended it drops what still waits, and what comes.</summary>
internal sealed class EngineScheduler(TimerService timers) : IScheduler
{
    private volatile bool _ended;

    public TimerService Timers => timers;

    public DateTimeOffset Now => timers.Now;

    public TimeSpan MonotonicClock => timers.Monotonic;

    public TimeSpan HighResMonotonicClock => timers.Monotonic;

    public void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender) =>
        ScheduleTellOnce(delay, receiver, message, sender, null);

    public void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        Start(delay, TimeSpan.Zero, receiver, message, sender, cancelable);
    }

    public void ScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender) =>
        ScheduleTellRepeatedly(initialDelay, interval, receiver, message, sender, null);

    public void ScheduleTellRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(initialDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(interval, TimeSpan.Zero);
        Start(initialDelay, interval, receiver, message, sender, cancelable);
    }

    public void End()
    {
        _ended = true;
        timers.Drop(this);
    }

    private void Start(TimeSpan delay, TimeSpan period, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable)
    {
        ArgumentNullException.ThrowIfNull(receiver);
        ArgumentNullException.ThrowIfNull(message);
        if (_ended || cancelable is { IsCancellationRequested: true }) return;
        var entry = timers.Start(delay, period, this, () => receiver.Tell(message, sender));
        if (cancelable is not null) entry.CancelWith(cancelable.Token);
    }
}
