using System.Buffers;
using System.Collections.Concurrent;
using Akka.Actor;
using Rl.Distributed.Runtime.Engine;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Runtime.Tests.Remote.Tcp;

/// <summary>A path as a reference.</summary>
internal sealed class FakeRef(string name) : MinimalActorRef
{
    public string Name => name;

    public override ActorPath Path => new RootActorPath(new Address("akka", "fake")) / "fake";

    internal override EmbeddedSystem SystemImpl => null;

    internal override void Deliver(object message, IActorRef sender)
    {
    }
}

internal sealed record Arrival(Address Peer, int Uid, string Recipient, string Sender, byte[] Body);

/// <summary>A handler whose messages are byte arrays, and that takes notes. A single byte of 255 is no message to it.</summary>
internal sealed class FakeHandler : ITransportHandler
{
    public const int Id = 7;

    public ConcurrentQueue<Arrival> Arrivals { get; } = new();

    public ConcurrentQueue<(Outbound Message, string Reason)> Drops { get; } = new();

    /// <summary>"+uid" and "-uid reason".</summary>
    public ConcurrentQueue<string> Reports { get; } = new();

    /// <summary>Lengths of what was taken on.</summary>
    public ConcurrentQueue<long> Encodings { get; } = new();

    /// <summary>Called when it was told of a connection, by the thread that tells.</summary>
    public Action HasConnected { get; set; } = static () => { };

    /// <summary>Called for each arrival, by the thread that delivers.</summary>
    public Action<Arrival> Arrived { get; set; } = static _ => { };

    public bool TryGetId(object message, out int id)
    {
        id = Id;
        return message is byte[];
    }

    public void Write(int id, object message, IBufferWriter<byte> output)
    {
        var bytes = (byte[])message;
        var copied = Math.Min(bytes.Length, 100);
        output.Write(bytes.AsSpan(0, copied));
        if (bytes.Length > copied) ((IReferenceWriter)output).Append(bytes.AsMemory(copied));
    }

    public InternalActorRefBase Resolve(string recipient) => new FakeRef(recipient);

    public IActorRef SenderOf(Address peer, string sender) => sender is null ? null : new FakeRef(sender);

    public void Deliver(Address peer, int uid, InternalActorRefBase recipient, IActorRef sender, int id, in ReadOnlySequence<byte> body)
    {
        if (id != Id || (body.Length == 1 && body.FirstSpan[0] == 255)) throw new FormatException("no message");
        var arrival = new Arrival(peer, uid, ((FakeRef)recipient).Name, ((FakeRef)sender)?.Name, body.ToArray());
        Arrived(arrival);
        Arrivals.Enqueue(arrival);
    }

    public void Encoded(Address peer, int id, long bytes) => Encodings.Enqueue(bytes);

    public void Dropped(Address peer, in Outbound message, string reason) => Drops.Enqueue((message, reason));

    public void Connected(Address peer, int uid)
    {
        Reports.Enqueue($"+{uid}");
        HasConnected();
    }

    public void Disconnected(Address peer, int uid, string reason) => Reports.Enqueue($"-{uid} {reason}");
}
