namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>Why two systems do not get a connection. The numbers are part of the protocol.</summary>
internal enum RefuseReason : byte
{
    /// <summary>The other side does not speak this protocol, or broke its rules.</summary>
    Malformed = 1,
    ProtocolVersion = 2,
    WireVersion = 3,
    ClusterName = 4,

    /// <summary>Both have a secret; it is not the same.</summary>
    SecretDiffers = 5,

    /// <summary>One side has a secret, the other has none.</summary>
    SecretMissing = 6,

    /// <summary>One side has TLS, the other has not.</summary>
    TlsMissing = 7,

    /// <summary>TLS failed: mostly a certificate that the other side does not trust.</summary>
    Tls = 8,

    /// <summary>A system called itself.</summary>
    Itself = 9,

    /// <summary>Another system than the one that was asked for, or the same under another name.</summary>
    WrongAddress = 10,

    /// <summary>This incarnation was given up; it has to start anew.</summary>
    Quarantined = 11,
    TooManyConnections = 12,

    /// <summary>The two systems have a connection already.</summary>
    DuplicateConnection = 13,

    /// <summary>Not done in time.</summary>
    Timeout = 14,

    /// <summary>The connection closed or broke.</summary>
    Closed = 15,
}

/// <summary>A handshake failed; the message says why, with the values of both sides, and no secret.</summary>
internal sealed class HandshakeException(RefuseReason reason, bool byPeer, string message, Exception inner = null)
    : Exception(message, inner)
{
    public RefuseReason Reason => reason;

    /// <summary>The other side refused; false: we did, or nobody was there to.</summary>
    public bool ByPeer => byPeer;

    public HandshakeException(RefuseReason reason, string message, Exception inner = null) : this(reason, false, message, inner)
    {
    }

    /// <summary>What a refusal by the other side means.</summary>
    public static HandshakeException FromPeer(byte code, string peer, int ownUid) => new((RefuseReason)code, true, (RefuseReason)code switch
    {
        RefuseReason.Malformed => $"{peer} did not understand our handshake",
        RefuseReason.WireVersion => $"{peer} refuses our wire version",
        RefuseReason.ClusterName => $"{peer} refuses our cluster name",
        RefuseReason.SecretDiffers => $"the secret differs from that of {peer}",
        RefuseReason.Itself => $"{peer} is this system itself",
        RefuseReason.WrongAddress => $"{peer} asked for another address than ours",
        RefuseReason.Quarantined => $"{peer} has quarantined our uid {ownUid}",
        RefuseReason.TooManyConnections => $"{peer} has too many connections",
        RefuseReason.DuplicateConnection => $"{peer} has a connection with us already",
        _ => $"{peer} refuses us for a reason unknown here (code {code})",
    });

    /// <summary>What our own decision to refuse means.</summary>
    public static HandshakeException Own(RefuseReason reason, string peer, int uid) => new(reason, reason switch
    {
        RefuseReason.Quarantined => $"uid {uid} at {peer} is quarantined here",
        RefuseReason.TooManyConnections => $"too many connections here to let {peer} in",
        RefuseReason.DuplicateConnection => $"there is a connection with {peer} already",
        _ => $"{peer} is refused here: {reason}",
    });
}
