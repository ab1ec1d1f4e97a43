using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>What a system runs on: threads and real time, or one thread and virtual time.</summary>
internal interface IEngine
{
    TimerService Timers { get; }

    /// <summary>How tasks of asks continue: inline only where there is one thread.</summary>
    TaskCreationOptions TaskOptions { get; }

    /// <summary>In [0, 1).</summary>
    double NextRandom();

    /// <summary>A message is about to be handled.</summary>
    void Observe(ActorCell cell, object message);
}

/// <summary>One actor system.</summary>
internal sealed class EmbeddedSystem : ActorSystem
{
    private readonly IEngine _engine;
    private readonly IReadOnlyDictionary<string, Dispatcher> _dispatchers;
    private readonly EngineScheduler _scheduler;
    private readonly TaskCompletionSource _terminated;
    private readonly Stack<Action> _onTermination = new();
    private readonly RootRef _root;
    private long _uids;
    private long _temporaries;
    private int _terminating;

    public EmbeddedSystem(string name, IEngine engine, IReadOnlyDictionary<string, Dispatcher> dispatchers)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') || name[0] is '-' or '_')
            throw new ArgumentException(
                $"invalid ActorSystem name [{name}]: letters, digits, - and _, the latter two not in front", nameof(name));
        (Name, _engine, _dispatchers) = (name, engine, dispatchers);
        _scheduler = new EngineScheduler(engine.Timers);
        _terminated = new TaskCompletionSource(engine.TaskOptions);
        StartTime = engine.Timers.Monotonic;
        Address = new Address("akka", name);
        EventStream = new EventStream();
        var root = new RootActorPath(Address);
        DeadLetterRef = new DeadLetterRef(this, root / "deadLetters");
        _root = new RootRef(this, root);
        UserGuardian = Guardian(root / "user");
        SystemGuardian = Guardian(root / "system");
        Log = new EngineLog(this, Name, typeof(ActorSystem), null);
        UserGuardian.SendSystem(Create.Instance);
        SystemGuardian.SendSystem(Create.Instance);
    }

    public override string Name { get; }

    public Address Address { get; }

    public override EventStream EventStream { get; }

    public override ILoggingAdapter Log { get; }

    public override IScheduler Scheduler => _scheduler;

    public override IActorRef DeadLetters => DeadLetterRef;

    public override Task WhenTerminated => _terminated.Task;

    public DeadLetterRef DeadLetterRef { get; }

    public LocalActorRef UserGuardian { get; }

    public LocalActorRef SystemGuardian { get; }

    public TimerService Timers => _engine.Timers;

    public TaskCreationOptions TaskOptions => _engine.TaskOptions;

    public double NextRandom() => _engine.NextRandom();

    public void Observe(ActorCell cell, object message) => _engine.Observe(cell, message);

    public long NextUid() => Interlocked.Increment(ref _uids);

    public ActorPath TemporaryPath() =>
        _root.Path / "temp" / ActorCell.MadeUpName(Interlocked.Increment(ref _temporaries) - 1);

    public bool TryGetDispatcher(string id, out Dispatcher dispatcher) => _dispatchers.TryGetValue(id, out dispatcher);

    public override IActorRef ActorOf(Props props, string name = null) => UserGuardian.Cell.ActorOf(props, name);

    public override void Stop(IActorRef actor) => ((InternalActorRefBase)actor).SendSystem(Engine.Terminate.Instance);

    public override ActorSelection ActorSelection(ActorPath actorPath) =>
        new(AnchorOf(actorPath.Address), actorPath.Elements);

    public override ActorSelection ActorSelection(string actorPath) => Select(actorPath, _root);

    /// <param name="path">Absolute with a protocol or /, else relative.</param>
    /// <param name="relativeTo">Where a relative path begins.</param>
    public ActorSelection Select(string path, InternalActorRefBase relativeTo)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (ActorPath.TryParse(path, out var absolute)) return ActorSelection(absolute);
        return new ActorSelection(path.StartsWith('/') ? _root : relativeTo, path);
    }

    public void Publish(LogLevel level, Exception cause, string source, Type type, object message)
    {
        var at = Timers.Now.UtcDateTime;
        EventStream.Publish(level switch
        {
            LogLevel.DebugLevel => new Debug(at, cause, source, type, message),
            LogLevel.InfoLevel => new Info(at, cause, source, type, message),
            LogLevel.WarningLevel => new Warning(at, cause, source, type, message),
            _ => (LogEvent)new Error(at, cause, source, type, message),
        });
    }

    public override void RegisterOnTermination(Action code)
    {
        lock (_onTermination)
        {
            if (WhenTerminated.IsCompleted) throw new InvalidOperationException($"The actor system {Name} has already terminated.");
            _onTermination.Push(code);
        }
    }

    public override Task Terminate()
    {
        if (Interlocked.Exchange(ref _terminating, 1) == 0) UserGuardian.SendSystem(Engine.Terminate.Instance);
        return WhenTerminated;
    }

    /// <summary>The last actor has stopped.</summary>
    public void Ended()
    {
        _scheduler.End();
        foreach (var dispatcher in _dispatchers.Values) dispatcher.Join();
        Action[] codes;
        lock (_onTermination) codes = [.. _onTermination];
        foreach (var code in codes)
        {
            try
            {
                code();
            }
            catch (Exception e)
            {
                Publish(LogLevel.ErrorLevel, e, Name, typeof(ActorSystem), "A termination callback failed: " + e.Message);
            }
        }
        var cell = ActorCell.Current;
        ActorCell.Current = null;
        _terminated.TrySetResult();
        ActorCell.Current = cell;
    }

    /// <summary>Where paths of an address begin. Only this system is known.</summary>
    private InternalActorRefBase AnchorOf(Address address) =>
        address.Equals(Address) ? _root : new MissingRef(this, new RootActorPath(address));

    private LocalActorRef Guardian(ActorPath path) =>
        new(
            this, Props.Create<Guardian>(), _dispatchers[Dispatcher.DefaultId], _root,
            new ChildActorPath(path.Parent, path.Name, NextUid()));
}

/// <summary>The actor of /user and of /system: has children and no messages of its own.</summary>
internal sealed class Guardian : UntypedActor
{
    protected override void OnReceive(object message) => Unhandled(message);
}
