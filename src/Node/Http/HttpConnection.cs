using System.Net.Sockets;

namespace Rl.Distributed.Node.Http;

/// <summary>One connection with one request, from its first byte to its last. Nothing here blocks; one thread uses it.</summary>
internal sealed class HttpConnection : IDisposable
{
    private readonly Func<HttpRequest, HttpReply> _answer;
    private readonly long _deadline;
    private readonly byte[] _head;
    private int _received;
    private byte[] _reply = [];
    private int _sent;
    private State _state = State.Reading;

    public HttpConnection(Socket socket, Func<HttpRequest, HttpReply> answer, HttpLimits limits)
    {
        (Socket, _answer) = (socket, answer);
        _deadline = Environment.TickCount64 + (long)limits.MaxTime.TotalMilliseconds;
        _head = new byte[limits.MaxHeadBytes];
        socket.Blocking = false;
        socket.NoDelay = true;
    }

    private enum State
    {
        Reading,
        Writing,

        /// <summary>The reply is sent; what the client still sends is thrown away, as closing at once could cost it the reply.</summary>
        Draining,
        Done,
    }

    public Socket Socket { get; }

    public bool IsWriting => _state == State.Writing;

    public bool IsDone => _state == State.Done;

    /// <summary>Does what can be done without waiting.</summary>
    public void Advance()
    {
        try
        {
            if (_state == State.Reading) Read();
            if (_state == State.Writing) Write();
            else if (_state == State.Draining) Drain();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
        }
        catch (SocketException)
        {
            _state = State.Done;
        }
    }

    /// <summary>Ends a connection whose time is up; one that has sent nothing of use hears why.</summary>
    public void CheckTime()
    {
        if (Environment.TickCount64 < _deadline) return;
        if (_state == State.Reading)
        {
            Reply(HttpReply.Text(408, "The request took too long."), withBody: true);
            Advance();
        }
        _state = State.Done;
    }

    public void Dispose() => Socket.Dispose();

    private void Read()
    {
        while (_state == State.Reading)
        {
            var count = Socket.Receive(_head.AsSpan(_received));
            if (count == 0)
            {
                _state = State.Done;
                return;
            }
            _received += count;
            var length = HttpRequest.HeadLength(_head.AsSpan(0, _received));
            if (length >= 0) Answer(_head.AsSpan(0, length));
            else if (_received == _head.Length) Reply(HttpReply.Text(431, "The request is too large."), withBody: true);
        }
    }

    private void Answer(ReadOnlySpan<byte> head)
    {
        if (HttpRequest.Parse(head, out var refusal) is { } request) Reply(_answer(request), request.Method != "HEAD");
        else Reply(HttpReply.Text(refusal, "The request is not HTTP/1.1 as this server reads it."), withBody: true);
    }

    private void Reply(HttpReply reply, bool withBody) => (_reply, _state) = (reply.ToBytes(withBody), State.Writing);

    private void Write()
    {
        while (_sent < _reply.Length) _sent += Socket.Send(_reply.AsSpan(_sent));
        Socket.Shutdown(SocketShutdown.Send);
        _state = State.Draining;
    }

    /// <summary>At most one buffer a turn, so that a client that never ends its sending does not hold up others.</summary>
    private void Drain()
    {
        if (Socket.Receive(_head) == 0) _state = State.Done;
    }
}
