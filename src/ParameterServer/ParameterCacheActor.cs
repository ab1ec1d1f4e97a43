using Akka.Actor;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>Is responsible for a node's <see cref="ParameterCell"/>: subscribes to the parameter server and keeps the
/// newest version there.</summary>
public sealed class ParameterCacheActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan SubscribeInterval = TimeSpan.FromSeconds(1);

    private readonly ParameterCell _cell;
    private readonly SnapshotPool _snapshots;
    private readonly ChunkSequence<ParameterVersion> _chunks = new();
    private readonly List<IActorRef> _waiting = [];
    private IActorRef _server;
    private ParameterSnapshot? _incoming;
    private ParameterVersion _newest;
    private bool _available;

    /// <param name="server">The parameter server, here or on another node; nobody where <see cref="FollowServer"/> tells of it later.</param>
    /// <param name="cell">This node's weights.</param>
    /// <param name="snapshots">Buffers for weights that come from another node.</param>
    public ParameterCacheActor(IActorRef server, ParameterCell cell, SnapshotPool snapshots)
    {
        (_server, _cell, _snapshots) = (server, cell, snapshots);
        Receive<ParametersPublished>(message => Offer(message.Snapshot));
        Receive<ParametersChunk>(OnChunk);
        Receive<AwaitParameters>(_ => OnAwait());
        Receive<AwaitNewerParameters>(message => OnAwaitNewer(message.Version));
        Receive<FollowServer>(OnFollow);
        Receive<Subscribe>(_ => _server.Tell(SubscribeParameters.Instance));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        if (!_server.Equals(ActorRefs.Nobody)) BeginToSubscribe();
    }

    // What comes of the server before has an older epoch: the cell keeps the newer one, and chunks of two versions never mix.
    private void OnFollow(FollowServer message)
    {
        _server = message.Server;
        BeginToSubscribe();
    }

    private void BeginToSubscribe()
    {
        _server.Tell(SubscribeParameters.Instance);
        // Between nodes the first word may get lost.
        if (_server.Path.Address.HasGlobalScope)
            Timers.StartPeriodicTimer(nameof(Subscribe), Subscribe.Instance, SubscribeInterval);
        else
            Timers.Cancel(nameof(Subscribe));
    }

    protected override void PostStop() => _incoming?.Release();

    private void Offer(ParameterSnapshot snapshot)
    {
        var version = snapshot.Version;
        if (_cell.Offer(snapshot)) _newest = version;
        _available = true;
        foreach (var worker in _waiting) worker.Tell(ParametersAvailable.Instance);
        _waiting.Clear();
    }

    private void OnChunk(ParametersChunk message)
    {
        if (message.Total != _snapshots.Parameters || !_chunks.Accept(message.Version, message.Total, message.Offset, message.Values.Length))
            return;
        _incoming ??= _snapshots.Rent();
        message.Values.Span.CopyTo(_incoming.Values.AsSpan(message.Offset));
        Sender.Tell(new ParametersReceived(message.Version, _chunks.Received));
        if (!_chunks.IsComplete) return;
        _incoming.Version = message.Version;
        Offer(_incoming);
        _incoming = null;
    }

    private void OnAwait()
    {
        if (_available) Sender.Tell(ParametersAvailable.Instance);
        else _waiting.Add(Sender);
    }

    private void OnAwaitNewer(ParameterVersion? version)
    {
        if (_available && (version is not { } has || _newest > has)) Sender.Tell(ParametersAvailable.Instance);
        else if (!_waiting.Contains(Sender)) _waiting.Add(Sender);
    }

    private sealed record Subscribe
    {
        public static readonly Subscribe Instance = new();
    }
}
