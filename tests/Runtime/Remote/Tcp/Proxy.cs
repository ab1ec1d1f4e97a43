using System.Net;
using System.Net.Sockets;

namespace Rl.Distributed.Runtime.Tests.Remote.Tcp;

/// <summary>A wire that can be cut, or fall silent while it stays up.</summary>
internal sealed class Proxy : IDisposable
{
    private const int TcpLevel = 6, TcpInfo = 11, TcpInfoBytes = 160, UnackedAt = 24, NotSentAt = 144;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _sockets = [];
    private volatile bool _isSilent, _isOver;
    private readonly Lock _passing = new();
    private long _passed;

    public Proxy()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        InBackground(AcceptAll);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Where it leads; 0: nowhere.</summary>
    public int Target { get; set; }

    /// <summary>Bytes that it has handed on from who dialled.</summary>
    public long Passed
    {
        get
        {
            lock (_passing) return _passed;
        }
    }

    /// <summary>The kernels of both ends have all that was handed on. Where that cannot be asked for: true.</summary>
    public bool IsThrough
    {
        get
        {
            if (!OperatingSystem.IsLinux()) return true;
            var info = new byte[TcpInfoBytes];
            lock (_sockets)
            {
                foreach (var socket in _sockets)
                {
                    socket.GetRawSocketOption(TcpLevel, TcpInfo, info);
                    if (BitConverter.ToInt32(info, UnackedAt) != 0 || BitConverter.ToInt32(info, NotSentAt) != 0) return false;
                }
            }
            return true;
        }
    }

    /// <summary>From now on nothing passes.</summary>
    public void FallSilent() => _isSilent = true;

    /// <summary>Breaks all connections.</summary>
    public void Cut()
    {
        lock (_sockets)
        {
            foreach (var socket in _sockets) socket.Close(0);
            _sockets.Clear();
        }
    }

    public void Dispose()
    {
        _isOver = true;
        _listener.Dispose();
        Cut();
    }

    private void AcceptAll()
    {
        try
        {
            while (!_isOver)
            {
                var from = _listener.Accept();
                var to = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                (from.NoDelay, to.NoDelay) = (true, true);
                to.Connect(IPAddress.Loopback, Target);
                lock (_sockets) _sockets.AddRange([from, to]);
                InBackground(() => Pump(from, to, isThere: true));
                InBackground(() => Pump(to, from, isThere: false));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            if (!_isOver) InBackground(AcceptAll);
        }
    }

    private void Pump(Socket from, Socket to, bool isThere)
    {
        var buffer = new byte[64 << 10];
        try
        {
            for (int count; (count = from.Receive(buffer)) > 0;)
            {
                if (_isSilent) continue;
                if (!isThere)
                {
                    to.Send(buffer.AsSpan(0, count));
                    continue;
                }
                lock (_passing)
                {
                    to.Send(buffer.AsSpan(0, count));
                    _passed += count;
                }
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            from.Close(0);
            to.Close(0);
        }
    }

    private static void InBackground(Action action) => new Thread(() => action()) { IsBackground = true }.Start();
}
