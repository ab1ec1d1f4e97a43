using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>Connections from the first packet to the last: each has a thread that shakes hands and then reads.</summary>
internal sealed partial class TcpTransport
{
    private const int Backlog = 256, SweepMs = 200, LinuxSocketLevel = 1, LinuxReuseAddress = 2;

    /// <summary>All sockets but the one that listens. Its own lock.</summary>
    private readonly Dictionary<Socket, Opening> _sockets = [];

    private readonly Thread _acceptor;
    private volatile bool _isStopping, _lacksThreads;

    /// <summary>A connection's thread, and until when it must be through the handshake.</summary>
    private sealed class Opening
    {
        public Thread Thread;
        public long Deadline;
        public IPAddress Source;
        public volatile bool HasSpoken;
        public bool IsAccepted, IsGivenUp;
    }

    /// <summary>Starts each thread of connections and peers.</summary>
    public Action<Thread> StartThread { get; init; } = static thread => thread.Start();

    /// <summary>Connections now, those included that are being made.</summary>
    public int Connections
    {
        get
        {
            lock (_sockets) return _sockets.Count;
        }
    }

    public void Start() => _acceptor.Start();

    /// <summary>Starts an attempt; the peer hears of its end.</summary>
    public void Dial(TcpPeer peer)
    {
        try
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            if (!TryBegin(socket, new Opening(), $"{peer.Address.Host}:{peer.Address.Port}", () => RunDialled(socket, peer)))
                peer.DialEnded("there is no thread for it");
        }
        catch (SocketException e)
        {
            peer.DialEnded(e.Message);
        }
    }

    private static Socket Listen(EmbeddedEngine.RemoteOptions options)
    {
        var address = IPAddress.TryParse(options.BindHost, out var number) ? number : Dns.GetHostAddresses(options.BindHost)[0];
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // connections of an earlier process may still be waiting for late packets
            if (OperatingSystem.IsLinux()) socket.SetRawSocketOption(LinuxSocketLevel, LinuxReuseAddress, BitConverter.GetBytes(1));
            socket.Bind(new IPEndPoint(address, options.BindPort));
            socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void AcceptAll()
    {
        while (!_isStopping)
        {
            try
            {
                if (_listener.Poll(SweepMs * 1000, SelectMode.SelectRead)) Admit(_listener.Accept());
                Sweep();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (_isStopping) return;
                Log.Refused($"a connection: {e.Message}");
                Thread.Sleep(SweepMs); // no descriptors, perhaps
            }
        }
    }

    private void Admit(Socket socket)
    {
        int open;
        lock (_sockets)
        {
            open = _sockets.Count;
            var shaking = _sockets.Where(static pair => pair.Value is { IsAccepted: true, IsGivenUp: false, Deadline: < long.MaxValue })
                .ToList();
            if (shaking.Count >= Options.MaxHandshakes)
            {
                var bySource = shaking.GroupBy(static pair => pair.Value.Source).ToDictionary(static of => of.Key, static of => of.Count());
                var (least, opening) = shaking.MinBy(pair => (pair.Value.HasSpoken, -bySource[pair.Value.Source], pair.Value.Deadline));
                opening.IsGivenUp = true;
                least.Dispose();
            }
        }
        if (open >= Options.MaxConnections)
        {
            Counters.Reject();
            Log.Refused($"a connection from {socket.RemoteEndPoint}: there are {open}");
            socket.Dispose();
            return;
        }
        var from = socket.RemoteEndPoint as IPEndPoint;
        var name = $"{from}";
        var begun = new Opening { IsAccepted = true, Source = from?.Address ?? IPAddress.None };
        if (TryBegin(socket, begun, name, () => RunAccepted(socket, name, () => begun.HasSpoken = true))) return;
        Counters.Reject();
        Log.Refused($"a connection from {name}: there is no thread for it");
    }

    /// <summary>A peer has work and no thread: it is tried again soon.</summary>
    public void LackThread(Address peer, Exception e)
    {
        Log.Refused($"a thread for {peer}: {e.Message}");
        _lacksThreads = true;
    }

    /// <summary>Closes what takes too long, connecting included.</summary>
    private void Sweep()
    {
        if (_lacksThreads)
        {
            _lacksThreads = false;
            foreach (var peer in _peers.Values) peer.Rouse();
        }
        var now = Environment.TickCount64;
        lock (_sockets)
        {
            foreach (var (socket, opening) in _sockets)
            {
                if (opening.Deadline < now) socket.Dispose();
            }
        }
    }

    /// <summary>False where the machine has no thread to give; the socket is closed then.</summary>
    private bool TryBegin(Socket socket, Opening opening, string name, Action run)
    {
        opening.Thread = new Thread(() => run(), StackBytes) { IsBackground = true, Name = $"rl tcp with {name}" };
        opening.Deadline = Environment.TickCount64 + (long)Options.HandshakeTimeout.TotalMilliseconds;
        lock (_sockets)
        {
            try
            {
                StartThread(opening.Thread);
                _sockets.Add(socket, opening);
                return true;
            }
            catch (Exception e) when (IsLackOfThreads(e))
            {
                socket.Dispose();
                return false;
            }
        }
    }

    private void RunDialled(Socket socket, TcpPeer peer)
    {
        string failure = null;
        Link link = null;
        try
        {
            socket.Connect(Dns.GetHostAddresses(peer.Address.Host), peer.Address.Port!.Value);
            link = Open(socket, $"{peer.Address.Host}:{peer.Address.Port}", peer.Address, static () => { });
        }
        catch (Exception e)
        {
            failure = e switch
            {
                ObjectDisposedException => "no answer in time",
                // Its own message repeats the address, in another form.
                SocketException { SocketErrorCode: var error } => new SocketException((int)error).Message,
                _ => e.Message,
            };
        }
        peer.DialEnded(failure);
        Read(socket, link, peer);
    }

    private void RunAccepted(Socket socket, string name, Action onFirst)
    {
        Link link = null;
        try
        {
            link = Open(socket, name, expected: null, onFirst);
        }
        catch (Exception e)
        {
            Counters.Reject();
            var reason = IsGivenUp(socket) ? "its handshake was given up to make room for others" : e.Message;
            Log.Refused($"a connection from {name}: {reason}");
        }
        Read(socket, link, link is null ? null : PeerOf(link.Address));
    }

    private bool IsGivenUp(Socket socket)
    {
        lock (_sockets) return _sockets[socket].IsGivenUp;
    }

    private void Read(Socket socket, Link link, TcpPeer peer)
    {
        lock (_sockets) _sockets[socket].Deadline = long.MaxValue;
        try
        {
            if (link is null) return;
            socket.ReceiveTimeout = (int)Options.SilenceLimit.TotalMilliseconds;
            if (peer.AwaitTurn(link)) new FrameReader(link, Handler, Counters, Log, Options.MaxMessageBytes).Run();
        }
        catch (Exception e)
        {
            Log.Failed($"Reading from {link.Address} failed: {e.Message}");
            link.Break(e.Message);
        }
        finally
        {
            link?.Break("this side closed the connection");
            peer?.LinkEnded(link);
            link?.Dispose();
            socket.Dispose();
            lock (_sockets) _sockets.Remove(socket);
        }
    }

    /// <summary>Flushes, says goodbye, closes, and waits for all threads.</summary>
    private void Stop()
    {
        var until = Environment.TickCount64 + StopMs;
        _isStopping = true;
        WakeAcceptor();
        if (_acceptor.IsAlive) _acceptor.Join();
        _listener.Dispose();
        foreach (var peer in _peers.Values) peer.Stop(until);
        JoinThreads(until);
        foreach (var peer in _peers.Values) peer.End();
        lock (_sockets)
        {
            foreach (var socket in _sockets.Keys) socket.Dispose();
        }
        JoinThreads(until + StopMs); // one may wait for a name to be resolved
    }

    /// <summary>Linux ends the wait for connections at once, others at the next sweep.</summary>
    private void WakeAcceptor()
    {
        try
        {
            _listener.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // there is no connection to shut, as other systems see it
        }
    }

    private void JoinThreads(long until)
    {
        Thread[] threads;
        lock (_sockets) threads = _sockets.Values.Select(static opening => opening.Thread).ToArray();
        foreach (var thread in threads) thread.Join((int)Math.Max(0, until - Environment.TickCount64));
    }
}
