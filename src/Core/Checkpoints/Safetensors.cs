using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Rl.Distributed.Core.Checkpoints;

/// <summary>Checkpoints in the safetensors format, which Python's safetensors package and many tools read.</summary>
/// <remarks>
/// https://github.com/huggingface/safetensors, README, "Format": 8 bytes, the header's length N, little-endian; N bytes of JSON,
/// padded with spaces: name -> { dtype, shape, data_offsets [begin, end) }, and "__metadata__", strings by name; the data without gaps.
/// Ours adds to the metadata <c>format</c>, <c>formatVersion</c> and <c>checksum</c>: "sha256:" and the hash of header and data,
/// taken with zeros in place of the 64 digits, so that a torn or flipped byte anywhere is noticed.
/// </remarks>
public static class Safetensors
{
    /// <summary>The value of the metadata's <c>format</c>.</summary>
    public const string Format = "rl.distributed.checkpoint";

    /// <summary>The newest version of the format that this program writes and reads.</summary>
    public const int FormatVersion = 1;

    internal const string MetadataKey = "__metadata__";
    internal const string ChecksumPrefix = "sha256:";
    internal const int MaxHeaderBytes = 100_000_000;

    private const string ZeroDigits = "0000000000000000000000000000000000000000000000000000000000000000";

    /// <summary>Writes a checkpoint; the stream need not seek and stays open.</summary>
    /// <exception cref="ArgumentException">Two tensors share a name, or the metadata uses a reserved key.</exception>
    public static void Write(Stream stream, Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(checkpoint);
        var header = Header(checkpoint);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(header);
        foreach (var tensor in checkpoint.Tensors) hash.AppendData(Bytes(tensor.Data));
        var digits = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset()));
        digits.CopyTo(header, ChecksumPosition(header, ZeroDigits));

        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var tensor in checkpoint.Tensors) stream.Write(Bytes(tensor.Data));
    }

    /// <summary>Reads a checkpoint from here to the stream's end, believing nothing.</summary>
    /// <exception cref="CheckpointFormatException">The file is torn, foreign or of a newer version; the message says
    /// what is wrong.</exception>
    public static Checkpoint Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (stream.CanSeek) return new SafetensorsReader(stream).Read();
        using var whole = new MemoryStream();
        stream.CopyTo(whole);
        whole.Position = 0;
        return new SafetensorsReader(whole).Read();
    }

    /// <summary>The file's order is little-endian, and so is every machine that .NET 10 runs this program on.</summary>
    internal static Span<byte> Bytes(Array data) => data switch
    {
        float[] floats => MemoryMarshal.AsBytes(floats.AsSpan()),
        _ when data.GetType() == typeof(ulong[]) => MemoryMarshal.AsBytes(((ulong[])data).AsSpan()),
        _ when data.GetType() == typeof(long[]) => MemoryMarshal.AsBytes(((long[])data).AsSpan()),
        _ => throw new ArgumentException($"Tensors hold float, ulong or long, not {data.GetType().Name}."),
    };

    /// <summary>Where in the header the checksum's digits stand: after its key and prefix.</summary>
    internal static int ChecksumPosition(ReadOnlySpan<byte> header, string digits)
    {
        var mark = Encoding.ASCII.GetBytes($"\"checksum\":\"{ChecksumPrefix}{digits}\"");
        var at = header.IndexOf(mark);
        return at < 0 ? -1 : at + mark.Length - 1 - digits.Length;
    }

    private static byte[] Header(Checkpoint checkpoint)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            WriteMetadata(writer, checkpoint.Metadata);
            var offset = 0L;
            foreach (var tensor in checkpoint.Tensors)
            {
                if (!names.Add(tensor.Name)) throw new ArgumentException($"Two tensors are named '{tensor.Name}'.", nameof(checkpoint));
                var end = offset + Bytes(tensor.Data).Length;
                writer.WriteStartObject(tensor.Name);
                writer.WriteString("dtype", TypeName(tensor.Data));
                writer.WriteStartArray("shape");
                foreach (var size in tensor.Shape) writer.WriteNumberValue(size);
                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(offset);
                writer.WriteNumberValue(end);
                writer.WriteEndArray();
                writer.WriteEndObject();
                offset = end;
            }
            writer.WriteEndObject();
        }
        while (json.Length % 8 != 0) json.WriteByte((byte)' ');
        return json.ToArray();
    }

    private static void WriteMetadata(Utf8JsonWriter writer, IReadOnlyDictionary<string, string> metadata)
    {
        writer.WriteStartObject(MetadataKey);
        writer.WriteString("format", Format);
        writer.WriteString("formatVersion", FormatVersion.ToString());
        writer.WriteString("checksum", ChecksumPrefix + ZeroDigits);
        foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (key is "format" or "formatVersion" or "checksum")
                throw new ArgumentException($"Metadata '{key}' is reserved.", nameof(metadata));
            writer.WriteString(key, value);
        }
        writer.WriteEndObject();
    }

    private static string TypeName(Array data) => data switch
    {
        float[] => "F32",
        _ when data.GetType() == typeof(ulong[]) => "U64",
        _ => "I64",
    };
}
