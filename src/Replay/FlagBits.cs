using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using MessagePack;

namespace Rl.Distributed.Replay;

/// <summary>Flags on the wire: a binary of bits, least significant first.</summary>
internal static class FlagBits
{
    // Eight flags are eight bytes of 0 or 1: the product gathers byte i as bit i of its highest byte.
    public static void Write(ref MessagePackWriter writer, ReadOnlySpan<bool> flags)
    {
        var count = (flags.Length + 7) / 8;
        writer.WriteBinHeader(count);
        var bits = writer.GetSpan(count)[..count];
        var bytes = MemoryMarshal.AsBytes(flags);
        for (var i = 0; i < bytes.Length / 8; i++) bits[i] = Gathered(bytes[(8 * i)..]);
        if (bytes.Length % 8 > 0)
        {
            Span<byte> last = stackalloc byte[8];
            last.Clear();
            bytes[^(bytes.Length % 8)..].CopyTo(last);
            bits[^1] = Gathered(last);
        }
        writer.Advance(count);

        static byte Gathered(ReadOnlySpan<byte> eight) =>
            (byte)((BinaryPrimitives.ReadUInt64LittleEndian(eight) * 0x0102040810204080UL) >> 56);
    }

    /// <summary>How many are set.</summary>
    public static int Count(in ReadOnlySequence<byte> bits)
    {
        var count = 0;
        foreach (var segment in bits)
            foreach (var each in segment.Span) count += BitOperations.PopCount(each);
        return count;
    }

    // The reverse: byte i keeps bit i alone, and what is not 0 becomes 1.
    public static void Read(in ReadOnlySequence<byte> bits, Span<bool> flags)
    {
        var bytes = MemoryMarshal.AsBytes(flags);
        Span<byte> eight = stackalloc byte[8];
        foreach (var segment in bits)
            foreach (var each in segment.Span)
            {
                var spread = (each * 0x0101010101010101UL) & 0x8040201008040201UL;
                BinaryPrimitives.WriteUInt64LittleEndian(eight, ((spread + 0x7f7f7f7f7f7f7f7fUL) >> 7) & 0x0101010101010101UL);
                var count = Math.Min(8, bytes.Length);
                eight[..count].CopyTo(bytes);
                bytes = bytes[count..];
            }
    }
}
