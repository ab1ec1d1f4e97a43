using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Rl.Distributed.Core.Checkpoints;

/// <summary>Reads one safetensors file that <see cref="Safetensors.Write"/> wrote, and refuses everything else with the reason.</summary>
internal sealed class SafetensorsReader(Stream stream)
{
    private sealed record Entry(string Name, string Type, int[] Shape, long Begin, long End);

    public Checkpoint Read()
    {
        var header = ReadHeader();
        var (metadata, entries) = Parse(header);
        CheckFormat(metadata);
        CheckOffsets(entries);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var expected = AppendHeader(hash, header, metadata["checksum"]);

        var tensors = new List<NamedTensor>(entries.Count);
        foreach (var entry in entries)
        {
            var data = Allocate(entry);
            ReadExactly(Safetensors.Bytes(data), $"tensor '{entry.Name}'");
            hash.AppendData(Safetensors.Bytes(data));
            tensors.Add(new NamedTensor(entry.Name, entry.Shape, data));
        }
        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != expected)
        {
            throw Bad("its checksum does not fit its content: the file is torn or was changed");
        }
        foreach (var own in (string[])["format", "formatVersion", "checksum"]) metadata.Remove(own);
        return new Checkpoint { Metadata = metadata, Tensors = tensors };
    }

    private byte[] ReadHeader()
    {
        Span<byte> lengthBytes = stackalloc byte[8];
        ReadExactly(lengthBytes, "the header's length");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(lengthBytes);
        if (length > Safetensors.MaxHeaderBytes)
            throw Bad($"it claims a header of {length} bytes (at most {Safetensors.MaxHeaderBytes}): it is no safetensors file");
        if ((long)length > stream.Length - stream.Position) throw Bad("it ends within its header");
        var header = new byte[length];
        ReadExactly(header, "the header");
        return header;
    }

    private static (SortedDictionary<string, string> Metadata, List<Entry> Entries) Parse(byte[] header)
    {
        var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var entries = new List<Entry>();
        try
        {
            using var json = JsonDocument.Parse(header, new JsonDocumentOptions { AllowDuplicateProperties = false });
            foreach (var property in json.RootElement.EnumerateObject())
            {
                if (property.Name != Safetensors.MetadataKey)
                {
                    entries.Add(ParseEntry(property));
                    continue;
                }
                foreach (var pair in property.Value.EnumerateObject()) metadata.Add(pair.Name, pair.Value.GetString() ?? "");
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new CheckpointFormatException($"Not a usable checkpoint: its header is no safetensors header ({e.Message})", e);
        }
        return (metadata, entries);
    }

    private static Entry ParseEntry(JsonProperty property)
    {
        var value = property.Value;
        var offsets = value.GetProperty("data_offsets");
        if (offsets.GetArrayLength() != 2) throw Bad($"tensor '{property.Name}' has {offsets.GetArrayLength()} offsets, not 2");
        var shape = value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()).ToArray();
        return new Entry(property.Name, value.GetProperty("dtype").GetString() ?? "", shape, offsets[0].GetInt64(), offsets[1].GetInt64());
    }

    private static void CheckFormat(SortedDictionary<string, string> metadata)
    {
        if (!metadata.TryGetValue("format", out var format) || format != Safetensors.Format)
        {
            throw Bad(format is null
                ? "it is a safetensors file of another program (no format in its metadata)"
                : $"it is a safetensors file of another program (format '{format}', not '{Safetensors.Format}')");
        }
        if (!metadata.TryGetValue("formatVersion", out var text) || !int.TryParse(text, out var version) || version < 1)
        {
            throw Bad($"its format version '{text}' is no version");
        }
        if (version > Safetensors.FormatVersion)
        {
            throw Bad($"it has format version {version}, and this program reads up to {Safetensors.FormatVersion}: use a newer program");
        }
        if (!metadata.ContainsKey("checksum")) throw Bad("it has no checksum");
    }

    /// <summary>Offsets must cover the data without gap or overlap, in the header's order, and fit type, shape and file.</summary>
    private void CheckOffsets(List<Entry> entries)
    {
        entries.Sort((a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        var position = 0L;
        foreach (var (name, type, shape, begin, end) in entries)
        {
            var elementBytes = type switch
            {
                "F32" => 4L,
                "U64" or "I64" => 8L,
                _ => throw Bad($"tensor '{name}' has the type {type}; known are F32, U64, I64"),
            };
            if (begin != position)
                throw Bad($"tensor '{name}' begins at byte {begin} of the data, not at {position}: tensors overlap or leave a gap");
            if (Elements(name, shape) * elementBytes != end - begin)
                throw Bad($"tensor '{name}' has {end - begin} bytes, which do not fit {type}[{string.Join(", ", shape)}]");
            position = end;
        }
        var present = stream.Length - stream.Position;
        if (position > present) throw Bad($"it is cut short: {present} of {position} bytes of data are there");
        if (position < present) throw Bad($"{present - position} bytes follow its data");
    }

    private static long Elements(string name, int[] shape)
    {
        var count = 1L;
        foreach (var size in shape)
        {
            if (size < 0) throw Bad($"tensor '{name}' has a negative size");
            count *= size;
            if (count > Array.MaxLength) throw Bad($"tensor '{name}' has more than {Array.MaxLength} numbers");
        }
        return count;
    }

    private static Array Allocate(Entry entry)
    {
        var count = Elements(entry.Name, entry.Shape);
        return entry.Type switch
        {
            "F32" => new float[count],
            "U64" => new ulong[count],
            _ => new long[count],
        };
    }

    /// <summary>Hashes the header as it was before the checksum was filled in; returns the checksum.</summary>
    private static string AppendHeader(IncrementalHash hash, byte[] header, string checksum)
    {
        var digits = checksum.StartsWith(Safetensors.ChecksumPrefix, StringComparison.Ordinal)
            ? checksum[Safetensors.ChecksumPrefix.Length..]
            : "";
        var at = digits.Length == 64 ? Safetensors.ChecksumPosition(header, digits) : -1;
        if (at < 0) throw Bad($"its checksum '{checksum}' is none of ours");
        hash.AppendData(header.AsSpan(0, at));
        hash.AppendData(Encoding.ASCII.GetBytes(new string('0', digits.Length)));
        hash.AppendData(header.AsSpan(at + digits.Length));
        return digits;
    }

    private void ReadExactly(Span<byte> target, string what)
    {
        if (stream.ReadAtLeast(target, target.Length, throwOnEndOfStream: false) < target.Length) throw Bad($"it ends within {what}");
    }

    private static CheckpointFormatException Bad(string reason) => new($"Not a usable checkpoint: {reason}.");
}
