using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Runtime.Remote;

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
    private long _uids;
    private int _terminating;

    /// <param name="name">Letters, digits, - and _.</param>
    /// <param name="engine">What it runs on.</param>
    /// <param name="dispatchers">By id; the default one among them.</param>
    /// <param name="remote">Null: it stays in its process.</param>
    /// <param name="newTransport">Makes what carries messages to others, if <paramref name="remote"/> is given.</param>
    public EmbeddedSystem(
        string name, IEngine engine, IReadOnlyDictionary<string, Dispatcher> dispatchers,
        EmbeddedEngine.RemoteOptions remote = null, Func<RemoteHub, ITransport> newTransport = null)
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
        // Names repeat from one incarnation of a system to the next; what others hold of the last one must not fit.
        if (remote is not null) _uids = (long)(engine.NextRandom() * int.MaxValue) << 32;
        var root = new RootActorPath(Address);
        DeadLetterRef = new DeadLetterRef(this, root / "deadLetters");
        Temporaries = new TemporaryRefs(this, root / "temp");
        Root = new RootRef(this, root);
        UserGuardian = Guardian(root / "user");
        SystemGuardian = Guardian(root / "system");
        Log = new EngineLog(this, Name, typeof(ActorSystem), null);
        UserGuardian.SendSystem(Create.Instance);
        SystemGuardian.SendSystem(Create.Instance);
        if (remote is null) return;
        Hub = new RemoteHub(this, remote);
        Hub.Start(newTransport(Hub));
        Cluster = new Akka.Cluster.Cluster(this);
    }

    public override string Name { get; }

    public Address Address { get; }

    public override EventStream EventStream { get; }

    public override ILoggingAdapter Log { get; }

    public override IScheduler Scheduler => _scheduler;

    public override IActorRef DeadLetters => DeadLetterRef;

    public override Task WhenTerminated => _terminated.Task;

    public DeadLetterRef DeadLetterRef { get; }

    public RootRef Root { get; }

    public TemporaryRefs Temporaries { get; }

    /// <summary>The side to other systems; null where there is none.</summary>
    public RemoteHub Hub { get; }

    /// <summary>Null where there is no hub.</summary>
    public Akka.Cluster.Cluster Cluster { get; }

    /// <summary>Its simulated machine is off.</summary>
    public bool IsCrashed { get; set; }

    public LocalActorRef UserGuardian { get; }

    public LocalActorRef SystemGuardian { get; }

    public TimerService Timers => _engine.Timers;

    public TaskCreationOptions TaskOptions => _engine.TaskOptions;

    public double NextRandom() => _engine.NextRandom();

    public void Observe(ActorCell cell, object message) => _engine.Observe(cell, message);

    public long NextUid() => Interlocked.Increment(ref _uids);

    public bool TryGetDispatcher(string id, out Dispatcher dispatcher) => _dispatchers.TryGetValue(id, out dispatcher);

    public override IActorRef ActorOf(Props props, string name = null) => UserGuardian.Cell.ActorOf(props, name);

    /// <summary>Makes an actor below /system: it outlives those below /user.</summary>
    public IActorRef SystemActorOf(Props props, string name) => SystemGuardian.Cell.ActorOf(props, name);

    /// <summary>Who has a path of this system, if its uid is right or not given; else a <see cref="MissingRef"/>.</summary>
    public InternalActorRefBase Find(ActorPath path)
    {
        InternalActorRefBase at = Root;
        foreach (var name in path.Elements)
        {
            if ((at = at.ChildNamed(name)) is null) break;
        }
        return at is null || (path.Uid != 0 && path.Uid != at.Path.Uid) ? new MissingRef(this, path) : at;
    }

    public override void Stop(IActorRef actor) => ((InternalActorRefBase)actor).SendSystem(Engine.Terminate.Instance);

    public override ActorSelection ActorSelection(ActorPath actorPath) =>
        new(AnchorOf(actorPath.Address), actorPath.Elements);

    public override ActorSelection ActorSelection(string actorPath) => Select(actorPath, Root);

    /// <param name="path">Absolute with a protocol or /, else relative.</param>
    /// <param name="relativeTo">Where a relative path begins.</param>
    public ActorSelection Select(string path, InternalActorRefBase relativeTo)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (ActorPath.TryParse(path, out var absolute)) return ActorSelection(absolute);
        return new ActorSelection(path.StartsWith('/') ? Root : relativeTo, path);
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
        var left = Hub?.StopAsync() ?? Task.CompletedTask;
        if (left.IsCompleted) Complete();
        else left.ContinueWith(_ => Complete(), TaskScheduler.Default);
    }

    private void Complete()
    {
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

    /// <summary>Where paths of an address begin.</summary>
    private InternalActorRefBase AnchorOf(Address address)
    {
        if (address.Equals(Address)) return Root;
        var root = new RootActorPath(address);
        return Hub is null ? new MissingRef(this, root) : Hub.RefOf(root);
    }

    private LocalActorRef Guardian(ActorPath path) =>
        new(
            this, Props.Create<Guardian>(), _dispatchers[Dispatcher.DefaultId], Root,
            new ChildActorPath(path.Parent, path.Name, NextUid()));
}

/// <summary>The actor of /user and of /system: has children and no messages of its own.</summary>
internal sealed class Guardian : UntypedActor
{
    protected override void OnReceive(object message) => Unhandled(message);
}
