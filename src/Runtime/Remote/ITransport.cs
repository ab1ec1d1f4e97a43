using System.Buffers;
using Akka.Actor;

namespace Rl.Distributed.Runtime.Remote;

/// <summary>A message on its way to another system.</summary>
/// <param name="Recipient">Path within the receiving system, with uid where it is known: <c>/user/replay#42</c>.</param>
/// <param name="Sender">Path within the sending system; null for nobody.</param>
/// <param name="Message">Encoded by <see cref="ITransportHandler.Write"/>, at any time until it has left.</param>
/// <param name="IsSystem">Of the engine, not of an actor: overtakes other messages, is never dropped for want of room.</param>
internal readonly record struct Outbound(string Recipient, string Sender, object Message, bool IsSystem);

/// <summary>Carries messages between one system and others: over TCP, or through a simulated network.</summary>
/// <remarks>
/// Thread-safe; no call blocks. Messages of one (sender, recipient) arrive in order, each at most once. A connection is made
/// by the first <see cref="Send"/> or <see cref="Keep"/>; both systems use the same one, whoever made it. A connection belongs to two
/// incarnations (address and uid); where a new uid appears behind an address, what was queued for the old one is dropped. What is
/// dropped before it left is told to <see cref="ITransportHandler.Dropped"/>; what was lost on its way is not, and perhaps arrived.
/// </remarks>
internal interface ITransport
{
    /// <summary>Where others reach this system.</summary>
    Address Address { get; }

    /// <summary>This incarnation: positive, drawn at the start.</summary>
    int Uid { get; }

    /// <summary>Sends, or drops and tells <see cref="ITransportHandler.Dropped"/>.</summary>
    void Send(Address peer, in Outbound message);

    /// <summary>Keeps a connection to the address up, with back-off, and reports on it, until <see cref="Release"/>.</summary>
    void Keep(Address peer);

    void Release(Address peer);

    /// <summary>Refuses this incarnation from now on, and drops what is queued for it.</summary>
    void Quarantine(Address peer, int uid);

    /// <summary>Counters of all peers, for metrics.</summary>
    TransportCounters Counters { get; }

    /// <summary>Sends what is queued, within a moment, and closes.</summary>
    Task StopAsync();
}

/// <summary>A system as its transport sees it. Calls come from the transport's threads: none blocks or runs a handler.</summary>
internal interface ITransportHandler
{
    /// <summary>The id of a message's codec, or false where it has none and must not leave.</summary>
    bool TryGetId(object message, out int id);

    /// <summary>Appends a message.</summary>
    void Write(int id, object message, IBufferWriter<byte> output);

    /// <summary>What a recipient's path leads to; a transport may keep the result as long as the connection lasts.</summary>
    InternalActorRefBase Resolve(string recipient);

    /// <summary>The reference to a sender's path at the peer; null for null.</summary>
    IActorRef SenderOf(Address peer, string sender);

    /// <summary>Decodes and delivers; throws where the bytes are no message of that id, which is a rejected frame.</summary>
    void Deliver(Address peer, int uid, InternalActorRefBase recipient, IActorRef sender, int id, in ReadOnlySequence<byte> body);

    /// <summary>A message of so many bytes was taken on for the peer.</summary>
    void Encoded(Address peer, int id, long bytes);

    /// <summary>A message will not arrive.</summary>
    void Dropped(Address peer, in Outbound message, string reason);

    /// <summary>A connection to this incarnation is up.</summary>
    void Connected(Address peer, int uid);

    /// <summary>The peer cannot be reached: the connection broke and did not come back in time, or it fell silent.</summary>
    void Disconnected(Address peer, int uid, string reason);
}

/// <summary>What a transport has carried so far.</summary>
internal sealed record TransportCounters(
    long MessagesSent, long BytesSent, long MessagesReceived, long BytesReceived, long Dropped, long Rejected);
