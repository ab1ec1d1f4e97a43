using System.Security.Authentication;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>The first words on a connection: do both sides belong together? docs/security.md has it byte by byte.</summary>
internal static class Handshake
{
    /// <summary>All that a peer may send before it is let in, and with TLS all that TLS may need for its certificates.</summary>
    internal const int MaxBytes = 4 << 10, MaxTlsBytes = 64 << 10;

    /// <summary>Blocks the calling thread until both sides have let each other in, at most as long as the options say.</summary>
    /// <param name="stream">A new connection, a NetworkStream mostly. Where it has timeouts, they are kept; else a read that
    /// blocks is beyond the limit of time.</param>
    /// <param name="isDialer">True on the side that made the connection, false on the one that accepted it.</param>
    /// <exception cref="HandshakeException">The two do not belong together. The caller disposes the stream.</exception>
    internal static HandshakeResult Run(Stream stream, HandshakeOptions options, bool isDialer)
    {
        Span<byte> identity = stackalloc byte[HandshakeIdentity.MaxSize];
        identity = identity[..new HandshakeIdentity(options.WireVersion, options.ClusterName, options.Address, options.Uid)
            .Write(identity)];
        var maxBytes = options.Tls is null ? MaxBytes : MaxTlsBytes;
        var limited = new HandshakeStream(stream, options.Clock, options.Timeout, maxBytes, options.OnFirst);
        Stream inner = limited;
        try
        {
            if (options.Tls is not null) inner = options.Tls.Authenticate(limited, options.Peer, isDialer);
            using var talk = new HandshakeTalk(inner, options, isDialer);
            var peer = isDialer ? talk.Dial(identity) : talk.Listen(identity);
            limited.Lift();
            return new HandshakeResult(peer.Address, peer.Uid, options.Tls is null ? stream : inner);
        }
        catch (Exception e) when (e is HandshakeException or IOException or AuthenticationException or ObjectDisposedException)
        {
            if (inner != limited) inner.Dispose();
            if (e is HandshakeException) throw;
            throw Explain(limited, options, e);
        }
    }

    private static HandshakeException Explain(HandshakeStream stream, HandshakeOptions options, Exception e)
    {
        if (stream.TimedOut)
        {
            return new HandshakeException(
                RefuseReason.Timeout, $"the handshake with {options.Peer} did not end within {options.Timeout.TotalSeconds:0.###} s", e);
        }
        if (stream.Overrun)
            return new HandshakeException(RefuseReason.Malformed, $"{options.Peer} sent {e.Message} before it was let in", e);
        var hint = options.Tls is null ? "" : "; it may not trust our certificate";
        return new HandshakeException(RefuseReason.Closed, $"{options.Peer} closed the connection during the handshake{hint}", e);
    }
}
