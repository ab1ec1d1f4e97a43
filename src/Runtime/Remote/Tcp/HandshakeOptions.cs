using Akka.Actor;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>What a system says of itself in a handshake, and what it asks of the other side. Immutable; shared by connections.</summary>
internal sealed record HandshakeOptions
{
    /// <summary>Where others reach this system: system name, host and port.</summary>
    public required Address Address { get; init; }

    /// <summary>This incarnation; positive.</summary>
    public required int Uid { get; init; }

    /// <summary>Version of the application's table of messages.</summary>
    public required int WireVersion { get; init; }

    public required string ClusterName { get; init; }

    /// <summary>Both sides prove that they know it; empty: both must be without one.</summary>
    public ReadOnlyMemory<byte> Secret { get; init; }

    /// <summary>Certificates for both directions; null: no TLS.</summary>
    public TlsCertificates Tls { get; init; }

    /// <summary>For the whole handshake, however slowly bytes come.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What reasons call the peer until it has said its address: its end point.</summary>
    public string Peer { get; init; } = "the peer";

    /// <summary>The address that was dialed; a peer that calls itself otherwise is refused. Null: any will do.</summary>
    public Address Expected { get; init; }

    /// <summary>Called once, with an address and uid that are proven as far as a secret proves them; null lets the peer in. Where it lets
    /// the peer in, the handshake can still fail: the other side may refuse.</summary>
    public Func<Address, int, RefuseReason?> Decide { get; init; } = static (_, _) => null;

    /// <summary>Called when the peer has said its first bytes, whatever they are.</summary>
    public Action OnFirst { get; init; } = static () => { };

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>End point of a peer as reasons name it.</summary>
    public static string Name(Address address) => $"{address.Host}:{address.Port}";
}

/// <summary>A peer that was let in, and lets us in.</summary>
/// <param name="Peer">Where it says that others reach it.</param>
/// <param name="Uid">Its incarnation.</param>
/// <param name="Stream">What to read from and write to from now on; disposing it closes the connection.</param>
internal readonly record struct HandshakeResult(Address Peer, int Uid, Stream Stream);
