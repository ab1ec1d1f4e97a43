using System.Buffers;
using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Runtime.Remote;

/// <summary>A system's side of remoting: references, codecs and death watch over a transport.</summary>
/// <remarks>Thread-safe; no call blocks or runs a handler.</remarks>
internal sealed partial class RemoteHub : ITransportHandler
{
    /// <summary>Ids below are the engine's own.</summary>
    public const int FirstProgramId = 64;

    /// <summary>Peers that are kept in mind, whatever they are good for.</summary>
    private const int FewPeers = 64;

    private readonly EmbeddedEngine.IWireFormat _wire;
    private readonly ConcurrentDictionary<Address, RemotePeer> _peers = new();
    private readonly PathCache<InternalActorRefBase> _recipients = new();
    private readonly ConcurrentDictionary<Type, bool> _withoutCodec = new();
    private RemotePeer _lastPeer;
    private int _sweepAt = FewPeers;

    public RemoteHub(EmbeddedSystem system, EmbeddedEngine.RemoteOptions options)
    {
        (System, Options, _wire) = (system, options, options.Wire);
    }

    public EmbeddedSystem System { get; }

    public EmbeddedEngine.RemoteOptions Options { get; }

    public ITransport Transport { get; private set; }

    /// <summary>Where others reach this system.</summary>
    public Address Address { get; private set; }

    public string AddressText { get; private set; }

    /// <summary>Membership, where there is one.</summary>
    public IPeerObserver Observer { get; set; }

    /// <summary>The transport is up. Until then nothing is sent.</summary>
    public void Start(ITransport transport) =>
        (Transport, Address, AddressText) = (transport, transport.Address, transport.Address.ToString());

    public IEnumerable<RemotePeer> Peers => _peers.Values;

    /// <remarks>A peer may be forgotten when nothing depends on it. Who changes one looks it up under the lock, and does not keep
    /// it.</remarks>
    public RemotePeer PeerOf(Address address)
    {
        var last = _lastPeer;
        if (last is { IsForgotten: false } && ReferenceEquals(last.Address, address)) return last;
        return _lastPeer = _peers.TryGetValue(address, out var peer) ? peer : AddPeer(address);
    }

    /// <summary>The reference of a path of any system: a local one where it is this one.</summary>
    public InternalActorRefBase RefOf(ActorPath path)
    {
        if (path.Address.Equals(Address) || path.Address.Equals(System.Address)) return System.Find(path);
        if (path.Address.HasLocalScope || path.Address.Protocol != Address.Protocol) return new MissingRef(System, path);
        return new RemoteActorRef(this, PeerOf(path.Address).Address, path);
    }

    /// <summary>How a reference is named to others: short for this system's own, with the address for others; null for nobody.</summary>
    public string PathOf(IActorRef actor)
    {
        if (actor is DeadLetterRef or not InternalActorRefBase) return null;
        if (((InternalActorRefBase)actor).SystemImpl is not { } system) return null;
        if (actor is RemoteActorRef) return actor.Path.ToStringWithUid();
        var path = actor.Path.ToStringWithoutAddressWithUid();
        return ReferenceEquals(system, System) ? path : system.Hub is { } other ? other.Address + path : null;
    }

    public bool TryGetId(object message, out int id)
    {
        if (EngineCodecs.ByType.TryGetValue(message.GetType(), out var codec))
        {
            id = codec.Id;
            return codec.CanWrite(this, message);
        }
        var has = _wire.TryGetId(message, out id);
        id += FirstProgramId;
        return has;
    }

    public void Write(int id, object message, IBufferWriter<byte> output)
    {
        if (id >= FirstProgramId) _wire.Write(id - FirstProgramId, message, output);
        else EngineCodecs.ById[id].Write(this, message, output);
    }

    /// <summary>The message of these bytes.</summary>
    /// <exception cref="Exception">They are none.</exception>
    public object Read(int id, in WireContext context, in ReadOnlySequence<byte> body)
    {
        if (id >= FirstProgramId) return _wire.Read(id - FirstProgramId, body) ?? throw new InvalidMessageException("Message is null");
        var codec = id > 0 ? EngineCodecs.ById[id] : null;
        return codec is null ? throw new InvalidMessageException($"No message has the id {id}.") : codec.Read(context, body);
    }

    public InternalActorRefBase Resolve(string recipient)
    {
        if (recipient.StartsWith(TemporaryRefs.Prefix, StringComparison.Ordinal) && System.Temporaries.Find(recipient) is { } waiting)
            return waiting;
        if (_recipients.Get(recipient) is { IsDead: false } known) return known;
        var path = Below(System.Root.Path, recipient);
        var found = path.Uid == 0 && path.Depth > 0 ? new NamedRef(System, path) : System.Find(path);
        if (found is LocalActorRef { IsDead: false } or NamedRef or RootRef) _recipients.Add(recipient, found);
        return found;
    }

    public IActorRef SenderOf(Address peer, string sender)
    {
        if (sender is null) return null;
        if (!sender.StartsWith('/')) return RefOf(ActorPath.Parse(sender));
        var from = PeerOf(peer);
        var isTemporary = sender.StartsWith(TemporaryRefs.Prefix, StringComparison.Ordinal); // comes once and never again
        if (!isTemporary && from.Senders.Get(sender) is { } known) return known;
        Check(sender);
        var found = new RemoteActorRef(this, from.Address, sender);
        if (!isTemporary) from.Senders.Add(sender, found);
        return found;
    }

    public void Deliver(
        Address peer, int uid, InternalActorRefBase recipient, IActorRef sender, int id, in ReadOnlySequence<byte> body)
    {
        var from = PeerOf(peer);
        if (from.Uid != uid || from.IsTerminated) return; // nothing more is taken from a gone incarnation
        var message = Read(id, new WireContext(this, peer, recipient, sender, Depth: 0), body);
        from.Meter.Received(id, body.Length);
        if (id >= FirstProgramId) recipient.Deliver(message, sender);
        else DeliverOwn(peer, recipient, sender, message);
    }

    public void Encoded(Address peer, int id, long bytes) => PeerOf(peer).Meter.Sent(id, bytes);

    public void Dropped(Address peer, in Outbound message, string reason)
    {
        if (message.Message is SystemMessage) return; // watches are said again
        var content = Content(message.Message);
        if (!TryGetId(message.Message, out _) && _withoutCodec.TryAdd(content.GetType(), true))
            System.Publish(LogLevel.ErrorLevel, null, AddressText, typeof(RemoteHub),
                $"A message of type {content.GetType()} to {peer}{message.Recipient} has no codec: it cannot leave this process. "
                + "It and all others of its type go to the dead letters.");
        var sender = message.Sender is not { } path ? null : path.StartsWith('/') ? Resolve(path) : RefOf(ActorPath.Parse(path));
        System.DeadLetterRef.Lost(content, sender, SenderOf(peer, message.Recipient));
    }

    /// <summary>Nodes come and go: whenever the number of addresses has doubled, those are forgotten that nothing depends on.</summary>
    private RemotePeer AddPeer(Address address)
    {
        lock (_lock)
        {
            if (_peers.TryGetValue(address, out var peer)) return peer;
            if (_peers.Count >= _sweepAt)
            {
                foreach (var idle in _peers.Values.Where(known => known.IsIdle && Observer?.IsMember(known.Address) != true))
                {
                    idle.IsForgotten = true;
                    _peers.TryRemove(idle.Address, out _);
                }
                _sweepAt = Math.Max(FewPeers, 2 * _peers.Count);
            }
            return _peers[address] = new RemotePeer(address);
        }
    }

    private static object Content(object message) => message is SelectionEnvelope envelope ? envelope.Message : message;

    /// <summary>The uid in a path, 0 where there is none.</summary>
    /// <exception cref="UriFormatException">It is no path.</exception>
    public static long Check(string path)
    {
        var uid = 0L;
        var hash = path.IndexOf('#');
        if (!path.StartsWith('/') || (hash >= 0 && !long.TryParse(path.AsSpan(hash + 1), out uid)))
            throw new UriFormatException($"'{path}' is no path of an actor.");
        return uid;
    }

    /// <summary>A path of elements with / in front of each, the last perhaps with #uid.</summary>
    public static ActorPath Below(ActorPath root, string path)
    {
        var uid = Check(path);
        var hash = path.IndexOf('#');
        var names = (hash < 0 ? path : path[..hash]).Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < names.Length; i++) root = new ChildActorPath(root, names[i], i == names.Length - 1 ? uid : 0);
        return root;
    }

    private void DeliverOwn(Address peer, InternalActorRefBase recipient, IActorRef sender, object message)
    {
        if (recipient is NamedRef named) recipient = named.Present;
        switch (message)
        {
            case SystemMessage own:
                DeliverSystem(peer, recipient, own);
                return;
            case SelectionEnvelope envelope:
                new ActorSelection(recipient, envelope.Elements).Tell(envelope.Message, sender);
                return;
            default:
                recipient.Deliver(message, sender);
                return;
        }
    }
}
