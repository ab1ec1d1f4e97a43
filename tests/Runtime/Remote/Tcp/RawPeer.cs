using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Rl.Distributed.Runtime.Remote.Tcp;

namespace Rl.Distributed.Runtime.Tests.Remote.Tcp;

/// <summary>A connection that a test speaks for byte by byte. Its name is behind all others, so that the transport decides.</summary>
internal sealed class RawPeer : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public RawPeer(Side side, string from = "127.0.0.1")
    {
        _socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        _socket.NoDelay = true;
        _socket.Connect(side.Transport.LocalEndPoint);
        _socket.ReceiveTimeout = (int)Side.Deadline.TotalMilliseconds;
    }

    public const int Uid = 4711;

    public static Address Address { get; } = new("akka.tcp", "zzz", "127.0.0.1", 9);

    public string Name => _socket.LocalEndPoint!.ToString();

    public RawPeer ShakeHands(Side side)
    {
        AskFor(side, lost: 0);
        Span<byte> accept = stackalloc byte[Frame.HeaderBytes + 1];
        new NetworkStream(_socket).ReadExactly(accept);
        Assert.Equal((byte)FrameKind.Accept, accept[3]);
        Side.Until(() => side.Handler.Reports.Count == 1, "It is not connected.");
        return this;
    }

    /// <summary>Asks for a connection and is gone before the answer, as good as always.</summary>
    public void AskAndBreak(Side side, byte lost)
    {
        AskFor(side, lost);
        _socket.Close(0);
    }

    /// <summary>Waits for so many bytes.</summary>
    public void Read(int count) => new NetworkStream(_socket).ReadExactly(new byte[count]);

    private void AskFor(Side side, byte lost)
    {
        var stream = new NetworkStream(_socket);
        Handshake.Run(stream, new HandshakeOptions
        {
            Address = Address,
            Uid = Uid,
            WireVersion = 1,
            ClusterName = "rl",
            Expected = side.Address,
        }, isDialer: true);
        Send(FrameKind.Hello, lost);
    }

    public void Send(params ReadOnlySpan<byte> bytes) => _socket.Send(bytes);

    public void Send(FrameKind kind, params ReadOnlySpan<byte> payload)
    {
        var frame = new byte[Frame.HeaderBytes + payload.Length];
        Frame.WriteHeader(frame, kind, payload.Length);
        payload.CopyTo(frame.AsSpan(Frame.HeaderBytes));
        _socket.Send(frame);
    }

    /// <summary>Waits until the other side has closed.</summary>
    public void AwaitEnd()
    {
        try
        {
            var buffer = new byte[1024];
            while (_socket.Receive(buffer) > 0)
            {
            }
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }
    }

    public void Dispose() => _socket.Dispose();
}
