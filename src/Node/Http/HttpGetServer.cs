using System.Net;
using System.Net.Sockets;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Commands;

namespace Rl.Distributed.Node.Http;

/// <summary>A small HTTP/1.1 server for pages that are made at once: one thread of its own, one request a connection.</summary>
/// <remarks>
/// HttpListener, tried on Linux with .NET 10, does not fit: it answers from the thread pool (not at all while the pool is busy),
/// has no time limit for a request's head, answers 404 to the Host header "localhost" when bound to 127.0.0.1,
/// and refuses to bind to 0.0.0.0 and to IPv6 addresses. Here slow clients wait by themselves: sockets do not block.
/// </remarks>
internal sealed class HttpGetServer : IDisposable
{
    /// <summary>How often the thread looks at its clock and at whether to stop, in microseconds.</summary>
    private const int TurnMicroseconds = 50_000;

    private readonly Socket _listener;
    private readonly Func<HttpRequest, HttpReply> _answer;
    private readonly HttpLimits _limits;
    private readonly List<HttpConnection> _connections = [];
    private readonly Thread _thread;
    private volatile bool _stopping;

    private HttpGetServer(Socket listener, Func<HttpRequest, HttpReply> answer, HttpLimits limits)
    {
        (_listener, _answer, _limits) = (listener, answer, limits);
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _thread = new Thread(Run) { IsBackground = true, Name = "rl-http" };
        _thread.Start();
    }

    /// <summary>Where it listens, with the port that was chosen.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Starts to listen.</summary>
    /// <param name="bind">Where; port 0 lets the system choose.</param>
    /// <param name="answer">Called on the server's thread, one request at a time; it must not wait for anything.</param>
    /// <param name="limits">What clients may take.</param>
    /// <exception cref="CommandFailedException">One cannot listen there; the message says why and what to do.</exception>
    public static HttpGetServer Start(HostPort bind, Func<HttpRequest, HttpReply> answer, HttpLimits limits)
    {
        Socket? listener = null;
        try
        {
            var endPoint = bind.Resolve();
            listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (endPoint.Address.Equals(IPAddress.IPv6Any)) listener.DualMode = true;
            listener.Bind(endPoint);
            listener.Listen();
            listener.Blocking = false;
            return new HttpGetServer(listener, answer, limits);
        }
        catch (SocketException e)
        {
            listener?.Dispose();
            throw new CommandFailedException($"--http {bind}: {Cause(e)}", e);
        }
    }

    /// <summary>Stops within a turn; replies that are not sent by then are cut off.</summary>
    public void Dispose()
    {
        _stopping = true;
        if (Thread.CurrentThread != _thread) _thread.Join();
    }

    private static string Cause(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse =>
            "another process listens on this port. Choose another port, or 0 for any that is free; `ss -ltnp` tells who has it.",
        SocketError.AccessDenied => "this user may not listen on this port. Choose one from 1024 on.",
        SocketError.AddressNotAvailable =>
            "this machine has no such address. 127.0.0.1 serves this machine, 0.0.0.0 all its networks.",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain =>
            "there is no machine of this name. 127.0.0.1 serves this machine, 0.0.0.0 all its networks.",
        _ => $"cannot listen there: {e.Message}.",
    };

    private void Run()
    {
        var readable = new List<Socket>();
        var writable = new List<Socket>();
        while (!_stopping)
        {
            readable.Clear();
            writable.Clear();
            readable.Add(_listener);
            foreach (var connection in _connections) (connection.IsWriting ? writable : readable).Add(connection.Socket);
            Socket.Select(readable, writable, null, TurnMicroseconds);
            foreach (var connection in _connections)
            {
                if (readable.Contains(connection.Socket) || writable.Contains(connection.Socket)) connection.Advance();
                connection.CheckTime();
            }
            Close(connection => connection.IsDone);
            if (readable.Contains(_listener)) Accept();
        }
        Close(_ => true);
        _listener.Dispose();
    }

    private void Accept()
    {
        try
        {
            var connection = new HttpConnection(_listener.Accept(), _answer, _limits);
            if (_connections.Count == _limits.MaxConnections) Close(other => other == _connections[0]);
            _connections.Add(connection);
        }
        catch (SocketException e) when (e.SocketErrorCode
            is SocketError.WouldBlock or SocketError.ConnectionReset or SocketError.ConnectionAborted)
        {
        }
        catch (SocketException)
        {
            // Out of file handles, say: the listener stays readable, and asking again at once would keep a core busy.
            Thread.Sleep(TimeSpan.FromMicroseconds(TurnMicroseconds));
        }
    }

    private void Close(Predicate<HttpConnection> which)
    {
        for (var i = _connections.Count - 1; i >= 0; i--)
        {
            if (!which(_connections[i])) continue;
            _connections[i].Dispose();
            _connections.RemoveAt(i);
        }
    }
}
