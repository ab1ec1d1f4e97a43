using System.Buffers.Binary;
using System.Text;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>What a frame is. The first three are exchanged when a connection is made, before anything else.</summary>
internal enum FrameKind : byte
{
    /// <summary>To the side that decides: the number of the last connection that was lost, as a varint.</summary>
    Hello = 1,

    /// <summary>From the side that decides: this connection is the one, with its number as a varint.</summary>
    Accept,

    /// <summary>The two have another connection, or no use for one. A varint without meaning.</summary>
    Refuse,

    /// <summary>Empty: says that the sender lives.</summary>
    Heartbeat,

    /// <summary>Gives a slot of the path table a new content: slot, path.</summary>
    Path,

    /// <summary>A message: slot of the recipient, slot of the sender plus one or 0, id, body.</summary>
    Message,

    /// <summary>A message whose paths are written out: recipient, sender, id, body.</summary>
    Inline,

    /// <summary>Announces a bulk message: stream (a byte), recipient, sender, id, bytes.</summary>
    BulkStart,

    /// <summary>The next bytes of a bulk message: stream (a byte), bytes.</summary>
    BulkData,

    /// <summary>Empty: the sender stops, on purpose.</summary>
    Goodbye,
}

/// <summary>The form of the frames: a little-endian word of kind and length, then as many bytes. Numbers are varints.</summary>
internal static class Frame
{
    public const int HeaderBytes = 4;

    /// <summary>Largest body that is copied and sent in one frame; larger ones are bulk.</summary>
    public const int BulkBytes = 32 << 10;

    /// <summary>Largest part of a bulk message in one frame.</summary>
    public const int FragmentBytes = 128 << 10;

    /// <summary>Largest frame that is no part of a bulk message.</summary>
    public const int MaxBytes = 64 << 10;

    /// <summary>Longest path, in UTF-8.</summary>
    public const int MaxPathBytes = 2 << 10;

    /// <summary>Entries of a path table: one half for recipients, one for senders.</summary>
    public const int Slots = 1 << 11;

    /// <summary>Bulk messages under way at once on one connection.</summary>
    public const int Streams = 8;

    public static void WriteHeader(Span<byte> to, FrameKind kind, int length) =>
        BinaryPrimitives.WriteUInt32LittleEndian(to, ((uint)kind << 24) | (uint)length);

    /// <summary>False where there is no such kind, or no frame of it is that long.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> from, out FrameKind kind, out int length)
    {
        var word = BinaryPrimitives.ReadUInt32LittleEndian(from);
        (kind, length) = ((FrameKind)(word >> 24), (int)(word & 0xffffff));
        return kind is >= FrameKind.Hello and <= FrameKind.Goodbye
            && length <= (kind == FrameKind.BulkData ? FragmentBytes + 1 : MaxBytes);
    }

    public static int WriteVarint(Span<byte> to, uint value)
    {
        var length = 0;
        for (; value >= 0x80; value >>= 7) to[length++] = (byte)(value | 0x80);
        to[length++] = (byte)value;
        return length;
    }

    public static bool TryReadVarint(ref ReadOnlySpan<byte> from, out uint value)
    {
        value = 0;
        for (var i = 0; i < from.Length && i < 5; i++)
        {
            value |= (uint)(from[i] & 0x7f) << (7 * i);
            if (from[i] >= 0x80) continue;
            from = from[(i + 1)..];
            return true;
        }
        return false;
    }

    /// <summary>Null is written as length 0, a string as its bytes' number plus one and the bytes.</summary>
    public static int WriteString(Span<byte> to, string value)
    {
        if (value is null) return WriteVarint(to, 0);
        var bytes = Encoding.UTF8.GetByteCount(value);
        var length = WriteVarint(to, (uint)bytes + 1);
        return length + Encoding.UTF8.GetBytes(value, to[length..]);
    }

    public static bool TryReadString(ref ReadOnlySpan<byte> from, out string value)
    {
        value = null;
        if (!TryReadVarint(ref from, out var length)) return false;
        if (length == 0) return true;
        if (--length > MaxPathBytes || length > from.Length) return false;
        value = Encoding.UTF8.GetString(from[..(int)length]);
        from = from[(int)length..];
        return true;
    }

    /// <summary>True where a path may be sent.</summary>
    public static bool IsPath(string path) =>
        path is null || path.Length <= MaxPathBytes / 3 || Encoding.UTF8.GetByteCount(path) <= MaxPathBytes;
}
