using System.Collections.Concurrent;
using Akka.Actor;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>/temp: who waits for one message. The names are made, and known here, only when somebody asks for them.</summary>
internal sealed class TemporaryRefs(EmbeddedSystem system, ActorPath path) : MinimalActorRef
{
    /// <summary>Of paths below this one.</summary>
    public const string Prefix = "/temp/";

    private readonly ConcurrentDictionary<string, TemporaryRef> _waiting = new();
    private long _names;

    public override ActorPath Path { get; } = path;

    public int Count => _waiting.Count;

    internal override EmbeddedSystem SystemImpl { get; } = system;

    public ActorPath NewPath() =>
        new ChildActorPath(Path, ActorCell.MadeUpName(Interlocked.Increment(ref _names) - 1), SystemImpl.NextUid());

    public void Add(TemporaryRef waiting) => _waiting.TryAdd(waiting.Path.Name, waiting);

    public void Remove(string name) => _waiting.TryRemove(name, out _);

    /// <summary>Who waits there, by a path with uid; null where nobody does.</summary>
    public TemporaryRef Find(ReadOnlySpan<char> path)
    {
        var hash = path.IndexOf('#');
        return hash > Prefix.Length && long.TryParse(path[(hash + 1)..], out var uid)
            && _waiting.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(path[Prefix.Length..hash], out var waiting)
            && waiting.Path.Uid == uid
            ? waiting
            : null;
    }

    internal override InternalActorRefBase ChildNamed(string name) => _waiting.GetValueOrDefault(name);

    internal override void Deliver(object message, IActorRef sender) => SystemImpl.DeadLetterRef.Lost(message, sender, this);
}

/// <summary>A reference with a task behind it in place of an actor.</summary>
internal abstract class TemporaryRef(EmbeddedSystem system) : MinimalActorRef
{
    private ActorPath _path;

    public override ActorPath Path => Volatile.Read(ref _path) ?? NewPath();

    internal override EmbeddedSystem SystemImpl { get; } = system;

    /// <summary>The task has ended: the path leads nowhere from now on.</summary>
    protected void Forget()
    {
        if (Volatile.Read(ref _path) is { } path) SystemImpl.Temporaries.Remove(path.Name);
    }

    private ActorPath NewPath()
    {
        var path = SystemImpl.Temporaries.NewPath();
        if (Interlocked.CompareExchange(ref _path, path, null) is { } earlier) return earlier;
        SystemImpl.Temporaries.Add(this);
        if (IsDead) Forget();
        return path;
    }
}

/// <summary>Where the answer to an Ask goes: a task and no actor.</summary>
internal sealed class AskRef<T> : TemporaryRef
{
    private readonly TaskCompletionSource<T> _answer;
    private readonly CancellationTokenRegistration _cancellation;
    private readonly TimerEntry _timeout;

    public AskRef(EmbeddedSystem system, TimeSpan? timeout, CancellationToken cancellationToken)
        : base(system)
    {
        _answer = new TaskCompletionSource<T>(system.TaskOptions);
        if (timeout > TimeSpan.Zero) _timeout = system.Timers.Start(timeout.Value, TimeSpan.Zero, system, () => TimeOut(timeout.Value));
        _cancellation = cancellationToken.UnsafeRegister(static self => ((AskRef<T>)self).Cancel(), this);
    }

    public Task<T> Task => _answer.Task;

    internal override bool IsDead => _answer.Task.IsCompleted;

    internal override void Deliver(object message, IActorRef sender)
    {
        // What continues the task inline (in a simulation) is not the answering actor: it has no context.
        var cell = ActorCell.Current;
        ActorCell.Current = null;
        var handled = TrySet(message);
        ActorCell.Current = cell;
        _timeout?.Cancel();
        _cancellation.Unregister();
        Forget();
        if (!handled && !_answer.Task.IsCanceled) SystemImpl.DeadLetterRef.Lost(message, sender, this);
    }

    private bool TrySet(object message) => message switch
    {
        T answer => _answer.TrySetResult(answer),
        Status.Failure failure => _answer.TrySetException(
            failure.Cause ?? new TaskCanceledException("Task cancelled by actor via Failure message.")),
        _ => _answer.TrySetException(new ArgumentException(
            $"Received message of type [{message.GetType()}] - Ask expected message of type [{typeof(T)}]")),
    };

    private void TimeOut(TimeSpan after)
    {
        _cancellation.Unregister();
        _answer.TrySetException(new AskTimeoutException($"Timeout after {after.TotalSeconds:F2} seconds"));
        Forget();
    }

    private void Cancel()
    {
        _timeout?.Cancel();
        _answer.TrySetCanceled();
        Forget();
    }
}

/// <summary>A watcher that is a task: true when the watched actor has stopped, false when time is up.</summary>
internal sealed class EndWatchRef : TemporaryRef
{
    private readonly TaskCompletionSource<bool> _end;
    private readonly TimerEntry _timeout;

    public EndWatchRef(EmbeddedSystem system, InternalActorRefBase watched, TimeSpan timeout)
        : base(system)
    {
        _end = new TaskCompletionSource<bool>(system.TaskOptions);
        _timeout = system.Timers.Start(timeout, TimeSpan.Zero, system, () =>
        {
            watched.SendSystem(new Unwatch(watched, this));
            _end.TrySetResult(false);
            Forget();
        });
    }

    public Task<bool> Task => _end.Task;

    internal override bool IsDead => _end.Task.IsCompleted;

    internal override void Deliver(object message, IActorRef sender) => SystemImpl.DeadLetterRef.Lost(message, sender, this);

    internal override void SendSystem(SystemMessage message)
    {
        if (message is not DeathNotice) return;
        _timeout.Cancel();
        var cell = ActorCell.Current;
        ActorCell.Current = null;
        _end.TrySetResult(true);
        ActorCell.Current = cell;
        Forget();
    }
}
