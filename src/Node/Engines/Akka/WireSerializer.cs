using System.Buffers;
using System.Globalization;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Http;

namespace Rl.Distributed.Node.Engines;

/// <summary>
/// The program's own messages between nodes, by their table. It takes the place of Akka.NET's JSON serializer as what
/// serializes whatever Akka.NET itself does not, so a message without a codec is refused where it is sent.
/// </summary>
/// <remarks>The manifest is "version:id". Thread-safe.</remarks>
internal sealed class WireSerializer(ExtendedActorSystem system, WireTable table) : SerializerWithStringManifest(system)
{
    /// <summary>Up to 40 are Akka.NET's own.</summary>
    public const int Id = 5100;

    // Grows to the largest message that its thread sent; that is at most a frame, larger ones come in chunks.
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    private static readonly string Prefix = string.Create(CultureInfo.InvariantCulture, $"{WireTable.Version}:");

    // Bytes by content.
    private readonly long[] _sent = new long[Enum.GetValues<LinkContent>().Length], _received = new long[Enum.GetValues<LinkContent>().Length];

    public override int Identifier => Id;

    /// <summary>What was written and read so far, for all peers together: a serializer is not told who the peer is.</summary>
    public IEnumerable<LinkBytes> Links => Enum.GetValues<LinkContent>().SelectMany(content => new[]
    {
        new LinkBytes("all", true, content, Volatile.Read(ref _sent[(int)content])),
        new LinkBytes("all", false, content, Volatile.Read(ref _received[(int)content])),
    });

    /// <exception cref="SerializationException">The message has no codec.</exception>
    public override string Manifest(object o) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{IdOf(o)}");

    /// <exception cref="SerializationException">The message has no codec.</exception>
    public override byte[] ToBinary(object obj)
    {
        var buffer = _buffer ??= new ArrayBufferWriter<byte>();
        buffer.ResetWrittenCount();
        var id = IdOf(obj);
        table.Write(id, obj, buffer);
        Interlocked.Add(ref _sent[(int)WireTable.ContentOf(id)], buffer.WrittenCount);
        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="SerializationException">Another version wrote it, or these bytes are no such message.</exception>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        var separator = manifest.IndexOf(':', StringComparison.Ordinal);
        if (separator < 0 || !int.TryParse(manifest.AsSpan(separator + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            throw new SerializationException("A message whose manifest is none of this program's is refused.");
        if (!manifest.StartsWith(Prefix, StringComparison.Ordinal))
            throw new SerializationException($"A message of wire version {manifest[..separator]} is refused: this node's is {WireTable.Version}.");
        try
        {
            var message = table.Read(id, new ReadOnlySequence<byte>(bytes));
            Interlocked.Add(ref _received[(int)WireTable.ContentOf(id)], bytes.Length);
            return message;
        }
        catch (Exception e)
        {
            throw new SerializationException($"{bytes.Length} bytes are no message {id}: {e.Message}", e);
        }
    }

    private int IdOf(object message) => table.TryGetId(message, out var id)
        ? id
        : throw new SerializationException($"A {message.GetType().Name} has no codec: it must not leave its process.");
}
