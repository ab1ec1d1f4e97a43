using Akka.Actor;

namespace Rl.Distributed.ParameterServer;

/// <summary>Is responsible for the newest weights: takes versions from their owner and fans them out, once a node, newest only.</summary>
/// <remarks>Within <see cref="PublishInterval"/> of the last fan-out a version waits, and a newer one replaces it.
/// Zero, the default within one process where nothing is copied, sends each at once.</remarks>
public sealed class ParameterServerActor : ReceiveActor, IWithTimers
{
    private readonly List<IActorRef> _caches = [];
    private ParameterSnapshot? _newest;
    private bool _quiet, _waiting;

    public ParameterServerActor(TimeSpan publishInterval)
    {
        PublishInterval = publishInterval;
        Receive<PublishParameters>(OnPublish);
        Receive<SubscribeParameters>(_ => OnSubscribe());
        Receive<Terminated>(message => _caches.Remove(message.ActorRef));
        Receive<QuietTimeOver>(_ => OnQuietTimeOver());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public TimeSpan PublishInterval { get; }

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
        if (_quiet) _waiting = true;
        else FanOut();
    }

    private void OnSubscribe()
    {
        Context.Watch(Sender);
        if (_caches.Contains(Sender)) return;
        _caches.Add(Sender);
        if (_newest is { } snapshot) Send(snapshot, Sender);
    }

    private void OnQuietTimeOver()
    {
        _quiet = false;
        if (_waiting) FanOut();
    }

    private void FanOut()
    {
        _waiting = false;
        foreach (var cache in _caches) Send(_newest!, cache);
        if (PublishInterval <= TimeSpan.Zero) return;
        _quiet = true;
        Timers.StartSingleTimer(nameof(QuietTimeOver), QuietTimeOver.Instance, PublishInterval);
    }

    private static void Send(ParameterSnapshot snapshot, IActorRef cache)
    {
        snapshot.Retain();
        cache.Tell(new ParametersPublished(snapshot));
    }

    private sealed record QuietTimeOver
    {
        public static readonly QuietTimeOver Instance = new();
    }
}
