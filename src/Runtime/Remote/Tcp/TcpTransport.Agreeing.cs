using System.Net.Sockets;
using Akka.Actor;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>What the two ends of a new connection say before it is used: the handshake, and which of several they use.</summary>
internal sealed partial class TcpTransport
{
    private const int ControlBytes = 16;

    private readonly HandshakeOptions _handshake;

    /// <summary>Shakes hands and agrees on the connection. Null where the two have another one.</summary>
    private Link Open(Socket socket, string name, Address expected, Action onFirst)
    {
        Link.Configure(socket);
        var stream = new NetworkStream(socket, ownsSocket: false);
        var options = _handshake with { Peer = name, Expected = expected, OnFirst = onFirst };
        var (address, uid, secured) = Handshake.Run(stream, options, isDialer: expected is not null);
        if (address == Address) throw new HandshakeException(RefuseReason.Itself, $"{name} has this system's own address");
        (socket.ReceiveTimeout, socket.SendTimeout) = ((int)Options.HandshakeTimeout.TotalMilliseconds, 0);
        var link = new Link(socket, secured == stream ? null : secured, address, uid);
        return IsDecided(link, secured, PeerOf(address)) ? link : null;
    }

    private bool IsDecided(Link link, Stream stream, TcpPeer peer)
    {
        if (Address.CompareTo(link.Address) < 0)
        {
            if (ReadControl(stream, out var lost) != FrameKind.Hello) return false;
            if (!peer.TryDecide(link, lost))
            {
                WriteControl(stream, FrameKind.Refuse, 0);
                return false;
            }
            try
            {
                WriteControl(stream, FrameKind.Accept, link.Number);
                peer.Agreed(link);
            }
            catch (Exception e)
            {
                link.Break(e.Message);
                peer.LinkEnded(link);
                throw;
            }
            return true;
        }
        if (!peer.TryAsk(link.Uid, out var last))
        {
            WriteControl(stream, FrameKind.Refuse, 0);
            return false;
        }
        WriteControl(stream, FrameKind.Hello, last);
        if (ReadControl(stream, out var number) != FrameKind.Accept) return false;
        link.Number = number;
        return peer.TryFollow(link);
    }

    private static void WriteControl(Stream stream, FrameKind kind, uint number)
    {
        Span<byte> frame = stackalloc byte[ControlBytes];
        var length = Frame.WriteVarint(frame[Frame.HeaderBytes..], number);
        Frame.WriteHeader(frame, kind, length);
        stream.Write(frame[..(Frame.HeaderBytes + length)]);
        stream.Flush();
    }

    private static FrameKind ReadControl(Stream stream, out uint number)
    {
        Span<byte> frame = stackalloc byte[ControlBytes];
        stream.ReadExactly(frame[..Frame.HeaderBytes]);
        number = 0;
        if (!Frame.TryReadHeader(frame, out var kind, out var length) || length > ControlBytes) return default;
        stream.ReadExactly(frame[..length]);
        ReadOnlySpan<byte> payload = frame[..length];
        return Frame.TryReadVarint(ref payload, out number) ? kind : default;
    }
}
