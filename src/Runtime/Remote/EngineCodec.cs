using System.Buffers;
using Akka.Actor;
using MessagePack;

namespace Rl.Distributed.Runtime.Remote;

/// <summary>Appends a message.</summary>
internal delegate void WriteMessage<in T>(ref MessagePackWriter writer, T message);

/// <summary>Reads a message; throws where the bytes are none.</summary>
internal delegate T ReadMessage<out T>(ref MessagePackReader reader);

/// <summary>What is known of a message besides its body.</summary>
/// <param name="Hub">Of the system that received it.</param>
/// <param name="Peer">Where it came from.</param>
/// <param name="Recipient">Whom it is for.</param>
/// <param name="Sender">Null for nobody.</param>
/// <param name="Depth">How many messages it is within.</param>
internal readonly record struct WireContext(RemoteHub Hub, Address Peer, InternalActorRefBase Recipient, IActorRef Sender, int Depth);

/// <summary>One type of the engine's own messages on the wire.</summary>
internal abstract class EngineCodec(int id, Type type)
{
    public int Id { get; } = id;

    public Type Type { get; } = type;

    /// <summary>False where it holds something that has no codec.</summary>
    public virtual bool CanWrite(RemoteHub hub, object message) => true;

    public abstract void Write(RemoteHub hub, object message, IBufferWriter<byte> output);

    public abstract object Read(in WireContext context, in ReadOnlySequence<byte> body);

    /// <exception cref="MessagePackSerializationException">Something follows the message.</exception>
    protected static void End(in MessagePackReader reader, in ReadOnlySequence<byte> body)
    {
        if (reader.Consumed != body.Length) throw new MessagePackSerializationException("There are bytes behind the message.");
    }
}

/// <summary>A message of plain fields.</summary>
internal sealed class PlainCodec<T>(int id, WriteMessage<T> write, ReadMessage<T> read) : EngineCodec(id, typeof(T))
{
    public override void Write(RemoteHub hub, object message, IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        write(ref writer, (T)message);
        writer.Flush();
    }

    public override object Read(in WireContext context, in ReadOnlySequence<byte> body)
    {
        var reader = new MessagePackReader(body);
        var message = read(ref reader);
        End(reader, body);
        return message;
    }
}

/// <summary>A message that says something about its sender and recipient, perhaps with a flag.</summary>
internal sealed class EndsCodec<T>(int id, Func<T, bool> flag, Func<WireContext, bool, T> make) : EngineCodec(id, typeof(T))
{
    public override void Write(RemoteHub hub, object message, IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.Write(flag((T)message));
        writer.Flush();
    }

    public override object Read(in WireContext context, in ReadOnlySequence<byte> body)
    {
        var reader = new MessagePackReader(body);
        var message = make(context, reader.ReadBoolean());
        End(reader, body);
        return message;
    }
}

/// <summary>A message with a text beside another message, which comes last: its id, 0 for null, and its body.</summary>
internal sealed class NestingCodec<T>(
    int id, Func<RemoteHub, T, string> text, Func<T, object> inner, Func<WireContext, string, object, T> make)
    : EngineCodec(id, typeof(T))
{
    private const int MaxDepth = 3;

    public override bool CanWrite(RemoteHub hub, object message) =>
        inner((T)message) is not { } content || hub.TryGetId(content, out _);

    public override void Write(RemoteHub hub, object message, IBufferWriter<byte> output)
    {
        var content = inner((T)message);
        var contentId = 0;
        if (content is not null && !hub.TryGetId(content, out contentId))
            throw new MessagePackSerializationException($"{content.GetType()} has no codec.");
        var writer = new MessagePackWriter(output);
        writer.Write(text(hub, (T)message));
        writer.Write(contentId);
        writer.Flush();
        if (content is not null) hub.Write(contentId, content, output);
    }

    public override object Read(in WireContext context, in ReadOnlySequence<byte> body)
    {
        if (context.Depth == MaxDepth) throw new MessagePackSerializationException("Messages within messages, too deep.");
        var reader = new MessagePackReader(body);
        var head = reader.ReadString();
        var contentId = reader.ReadInt32();
        if (contentId != 0)
        {
            var content = context.Hub.Read(contentId, context with { Depth = context.Depth + 1 }, body.Slice(reader.Consumed));
            if (content is Engine.SystemMessage) throw new MessagePackSerializationException("A system message within a message.");
            return make(context, head, content);
        }
        End(reader, body);
        return make(context, head, null);
    }
}
