using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>Carries messages over TCP, one connection a peer.</summary>
internal sealed partial class TcpTransport : ITransport
{
    /// <summary>Stack of the threads that do I/O.</summary>
    public const int StackBytes = 512 << 10;

    private const int StopMs = 1000;

    /// <summary>Peers that are kept in mind, whatever they are good for.</summary>
    private const int FewPeers = 64;

    private readonly ConcurrentDictionary<Address, TcpPeer> _peers = new();
    private readonly Lock _adding = new();
    private readonly Socket _listener;
    private Task _stopped;
    private TcpPeer _last;
    private int _sweepAt = FewPeers;

    /// <summary>Listens from now on; connections are accepted after <see cref="Start"/>.</summary>
    /// <param name="log">Called by any thread, also under locks: must neither block nor send.</param>
    /// <exception cref="SocketException">The port is taken, or the interface does not exist.</exception>
    public TcpTransport(
        EmbeddedEngine.RemoteOptions options, ITransportHandler handler, string systemName, Action<LogLevel, string> log)
    {
        (Options, Handler, Log) = (options, handler, new TcpLog(log));
        _listener = Listen(options);
        LocalEndPoint = (IPEndPoint)_listener.LocalEndPoint;
        Address = new Address("akka.tcp", systemName, options.Host ?? options.BindHost, options.Port ?? LocalEndPoint.Port);
        _handshake = new HandshakeOptions
        {
            Address = Address,
            Uid = Uid,
            WireVersion = options.Wire.Version,
            ClusterName = options.ClusterName,
            Secret = options.Secret,
            Tls = options.Tls is null ? null : new TlsCertificates(options.Tls),
            Timeout = options.HandshakeTimeout,
            Decide = (peer, uid) => Refused.Contains(peer, uid) ? RefuseReason.Quarantined : null,
        };
        _acceptor = new Thread(AcceptAll, StackBytes) { IsBackground = true, Name = "rl tcp accept" };
    }

    public EmbeddedEngine.RemoteOptions Options { get; }

    public ITransportHandler Handler { get; }

    public TcpLog Log { get; }

    public TcpCounters Counters { get; } = new();

    public RefusedUids Refused { get; } = new();

    /// <summary>How many addresses it keeps in mind.</summary>
    public int KnownPeers => _peers.Count;

    /// <summary>Where it listens.</summary>
    public IPEndPoint LocalEndPoint { get; }

    TransportCounters ITransport.Counters => Counters.Snapshot;

    public Address Address { get; }

    public int Uid { get; } = RandomNumberGenerator.GetInt32(1, int.MaxValue);

    public void Send(Address peer, in Outbound message)
    {
        if (_isStopping)
        {
            Drop(peer, message, "this system stops");
            return;
        }
        if (!Handler.TryGetId(message.Message, out var id))
        {
            Drop(peer, message, $"{message.Message.GetType().Name} has no codec");
            return;
        }
        if (peer == Address || !Frame.IsPath(message.Recipient) || !Frame.IsPath(message.Sender))
        {
            Drop(peer, message, peer == Address ? "it is for this system itself" : "its path is too long");
            return;
        }
        var body = MessageEncoder.OfThread;
        try
        {
            Handler.Write(id, message.Message, body);
        }
        catch (Exception e)
        {
            body.Clear();
            Drop(peer, message, $"it cannot be encoded: {e.Message}");
            return;
        }
        if (body.Length > Options.MaxMessageBytes)
        {
            Drop(peer, message, $"{body.Length} bytes are more than the limit of {Options.MaxMessageBytes}");
        }
        else
        {
            while (!PeerOf(peer).TrySend(message, id, body))
            {
            }
        }
        body.Clear();
    }

    public void Keep(Address peer)
    {
        if (peer == Address || _isStopping) return;
        while (!PeerOf(peer).TryKeep())
        {
        }
    }

    public void Release(Address peer)
    {
        if (_peers.TryGetValue(peer, out var known)) known.Release();
    }

    public void Quarantine(Address peer, int uid)
    {
        Refused.Add(peer, uid);
        if (_peers.TryGetValue(peer, out var known)) known.Shun(uid);
    }

    /// <remarks>A second call waits for the first.</remarks>
    public Task StopAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.CompareExchange(ref _stopped, done.Task, null) is { } earlier) return earlier;
        new Thread(() =>
        {
            Stop();
            done.SetResult();
        }) { IsBackground = true, Name = "rl tcp stop" }.Start();
        return done.Task;
    }

    /// <summary>A thread cannot be started.</summary>
    public static bool IsLackOfThreads(Exception e) => e is OutOfMemoryException or ThreadStartException;

    /// <summary>Counts a message that will not arrive, and tells.</summary>
    public void Drop(Address peer, in Outbound message, string reason)
    {
        DropDoubtful(peer, 1, reason);
        Handler.Dropped(peer, message, reason);
    }

    /// <summary>Counts messages that left and may have been lost.</summary>
    public void DropDoubtful(Address peer, int count, string reason)
    {
        Counters.Drop(count);
        Log.Dropped(count, $"for {peer}: {reason}");
    }

    /// <summary>Forgets addresses that nothing depends on. Returns how many are left.</summary>
    public int ForgetIdle()
    {
        lock (_adding)
        {
            foreach (var idle in _peers.Values.Where(static known => known.TryForget())) _peers.TryRemove(idle.Address, out _);
            return _peers.Count;
        }
    }

    private TcpPeer PeerOf(Address address)
    {
        var last = Volatile.Read(ref _last);
        if (last is { IsForgotten: false } && ReferenceEquals(last.Address, address)) return last;
        return _last = _peers.TryGetValue(address, out var peer) ? peer : Add(address);
    }

    /// <summary>Nodes come and go: whenever the number of addresses has doubled, those are forgotten that nothing depends on.</summary>
    private TcpPeer Add(Address address)
    {
        lock (_adding)
        {
            if (_peers.TryGetValue(address, out var peer)) return peer;
            if (_peers.Count >= _sweepAt) _sweepAt = Math.Max(FewPeers, 2 * ForgetIdle());
            return _peers[address] = new TcpPeer(this, address);
        }
    }
}
