using Akka.Actor;

namespace Rl.Distributed.ParameterServer;

/// <summary>Is responsible for the newest weights: takes versions from their owner and fans them out, once a node, newest only.</summary>
/// <remarks>A cache in the same process gets each version at once, by reference; one on another node gets the newest
/// every <see cref="ParameterServerOptions.PublishMilliseconds"/>, or at once, in chunks (<see cref="ParameterLink"/>).</remarks>
public sealed class ParameterServerActor : ReceiveActor, IWithTimers
{
    private readonly ParameterServerOptions _options;
    private readonly List<IActorRef> _caches = [];
    private readonly Dictionary<IActorRef, ParameterLink> _links = [];
    private readonly bool _isAtOnce;
    private ParameterSnapshot? _newest;

    public ParameterServerActor(ParameterServerOptions options)
        : this(options, false)
    {
    }

    /// <param name="options">How versions travel.</param>
    /// <param name="isAtOnce">Other nodes get a version as soon as it is there: somebody waits for it.</param>
    public ParameterServerActor(ParameterServerOptions options, bool isAtOnce)
    {
        (_options, _isAtOnce) = (options, isAtOnce);
        Receive<PublishParameters>(OnPublish);
        Receive<SubscribeParameters>(_ => OnSubscribe());
        Receive<ParametersReceived>(OnReceived);
        Receive<Terminated>(OnTerminated);
        Receive<Tick>(_ => UpdateLinks());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PostStop() => _newest?.Release();

    private void OnPublish(PublishParameters message)
    {
        if (_newest is { } old && message.Snapshot.Version <= old.Version)
        {
            message.Snapshot.Release();
            return;
        }
        _newest?.Release();
        _newest = message.Snapshot;
        foreach (var cache in _caches) Share(_newest, cache);
        if (_isAtOnce) UpdateLinks();
    }

    private void OnSubscribe()
    {
        if (_caches.Contains(Sender) || _links.ContainsKey(Sender)) return;
        Context.Watch(Sender);
        if (Sender.Path.Address.HasLocalScope)
        {
            _caches.Add(Sender);
            if (_newest is { } snapshot) Share(snapshot, Sender);
            return;
        }
        _links.Add(Sender, new ParameterLink(Sender, _options));
        UpdateLinks();
        if (!Timers.IsTimerActive(nameof(Tick)))
            Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.FromMilliseconds(_options.PublishMilliseconds));
    }

    private void OnReceived(ParametersReceived message)
    {
        if (!_links.TryGetValue(Sender, out var link)) return;
        var now = Context.System.Scheduler.MonotonicClock;
        link.OnReceived(message, now);
        if (_isAtOnce && _newest is not null) link.Update(_newest, now);
    }

    private void OnTerminated(Terminated message)
    {
        _caches.Remove(message.ActorRef);
        _links.Remove(message.ActorRef);
        if (_links.Count == 0) Timers.Cancel(nameof(Tick));
    }

    private void UpdateLinks()
    {
        if (_newest is null) return;
        foreach (var link in _links.Values) link.Update(_newest, Context.System.Scheduler.MonotonicClock);
    }

    private static void Share(ParameterSnapshot snapshot, IActorRef cache)
    {
        snapshot.Retain();
        cache.Tell(new ParametersPublished(snapshot));
    }

    private sealed record Tick
    {
        public static readonly Tick Instance = new();
    }
}
