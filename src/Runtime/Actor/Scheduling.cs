namespace Akka.Actor;

/// <summary>The clock of the system's engine.</summary>
public interface ITimeProvider
{
    DateTimeOffset Now { get; }

    /// <summary>Never goes back; only differences mean something.</summary>
    TimeSpan MonotonicClock { get; }

    TimeSpan HighResMonotonicClock { get; }
}

/// <summary>Messages at a later time.</summary>
public interface ITellScheduler
{
    void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender);

    void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable);

    void ScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender);

    void ScheduleTellRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable);
}

/// <summary>The system's timers and clock.</summary>
public interface IScheduler : ITellScheduler, ITimeProvider;

public static class SchedulerExtensions
{
    /// <summary>As ScheduleTellOnce; what is returned cancels it.</summary>
    public static ICancelable ScheduleTellOnceCancelable(
        this IScheduler scheduler, TimeSpan delay, ICanTell receiver, object message, IActorRef sender)
    {
        var cancelable = new Cancelable(scheduler);
        scheduler.ScheduleTellOnce(delay, receiver, message, sender, cancelable);
        return cancelable;
    }

    /// <summary>As ScheduleTellRepeatedly; what is returned ends it.</summary>
    public static ICancelable ScheduleTellRepeatedlyCancelable(
        this IScheduler scheduler, TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender)
    {
        var cancelable = new Cancelable(scheduler);
        scheduler.ScheduleTellRepeatedly(initialDelay, interval, receiver, message, sender, cancelable);
        return cancelable;
    }
}

/// <summary>Something that can be called off, once.</summary>
public interface ICancelable
{
    bool IsCancellationRequested { get; }

    CancellationToken Token { get; }

    void Cancel();

    void Cancel(bool throwOnFirstException);

    /// <summary>On the scheduler's clock.</summary>
    void CancelAfter(TimeSpan delay);
}

/// <summary>The cancelable of scheduled messages.</summary>
public class Cancelable : ICancelable, IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly Rl.Distributed.Runtime.Engine.EngineScheduler _scheduler;

    /// <exception cref="ArgumentException">Not the scheduler of an embedded system.</exception>
    public Cancelable(IScheduler scheduler) => _scheduler = scheduler as Rl.Distributed.Runtime.Engine.EngineScheduler
        ?? throw new ArgumentException("The scheduler must be that of an actor system: Context.System.Scheduler.", nameof(scheduler));

    public bool IsCancellationRequested => _source.IsCancellationRequested;

    public CancellationToken Token => _source.Token;

    public bool IsDisposed { get; private set; }

    public void Cancel() => Cancel(false);

    public void Cancel(bool throwOnFirstException)
    {
        if (!IsDisposed) _source.Cancel(throwOnFirstException);
    }

    public void CancelAfter(TimeSpan delay) => _scheduler.Timers.Start(delay, TimeSpan.Zero, _scheduler, Cancel);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (IsDisposed) return;
        IsDisposed = true;
        if (disposing) _source.Dispose();
    }
}

/// <summary>The timers of one actor, told apart by keys. They end with the incarnation that started them.</summary>
public interface ITimerScheduler
{
    IReadOnlyCollection<object> ActiveTimers { get; }

    bool IsTimerActive(object key);

    /// <summary>Tells the actor <paramref name="msg"/> every <paramref name="interval"/>; replaces the key's timer.</summary>
    void StartPeriodicTimer(object key, object msg, TimeSpan interval);

    void StartPeriodicTimer(object key, object msg, TimeSpan initialDelay, TimeSpan interval);

    /// <summary>Tells the actor <paramref name="msg"/> once; replaces the key's timer.</summary>
    void StartSingleTimer(object key, object msg, TimeSpan timeout);

    /// <summary>Not even a message that already waits in the mailbox arrives afterwards.</summary>
    void Cancel(object key);

    void CancelAll();
}

/// <summary>An actor with timers; the engine sets them before PreStart.</summary>
public interface IWithTimers
{
    ITimerScheduler Timers { get; set; }
}
