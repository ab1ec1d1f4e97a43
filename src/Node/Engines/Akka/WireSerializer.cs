using System.Buffers;
using System.Globalization;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Rl.Distributed.Node.Clustering;

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

    public override int Identifier => Id;

    /// <exception cref="SerializationException">The message has no codec.</exception>
    public override string Manifest(object o) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{IdOf(o)}");

    /// <exception cref="SerializationException">The message has no codec.</exception>
    public override byte[] ToBinary(object obj)
    {
        var buffer = _buffer ??= new ArrayBufferWriter<byte>();
        buffer.ResetWrittenCount();
        table.Write(IdOf(obj), obj, buffer);
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
            return table.Read(id, new ReadOnlySequence<byte>(bytes));
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
