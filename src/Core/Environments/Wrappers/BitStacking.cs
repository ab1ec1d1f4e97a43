using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.Intrinsics.X86;

namespace Rl.Distributed.Core.Environments.Wrappers;

/// <summary><see cref="FrameStacking"/> of observations of one bit an element, 64 of a stack's bits at a time.</summary>
/// <remarks>A stack is one long number: without its oldest frame it is that number shifted right by a unit, and the newest frame's bits
/// stand where a mask says.</remarks>
internal sealed class BitStacking
{
    private readonly int _unit;

    // For each 64 bits of a stack: where bits of the newest frame stand, where others stand, and how many of the newest stand before.
    private readonly ulong[] _newest, _others;
    private readonly int[] _before;

    public BitStacking(int cells, int frames, int unit)
    {
        _unit = unit;
        var (bits, cell) = (cells * frames * unit, frames * unit);
        var words = (bits + 63) / 64;
        (_newest, _others, _before) = (new ulong[words], new ulong[words], new int[words]);
        for (var bit = 0; bit < bits; bit++) (bit % cell >= cell - unit ? _newest : _others)[bit / 64] |= 1UL << (bit % 64);
        for (var i = 1; i < words; i++) _before[i] = _before[i - 1] + BitOperations.PopCount(_newest[i - 1]);
    }

    public void Push(ReadOnlySpan<byte> stack, ReadOnlySpan<byte> frame, Span<byte> next)
    {
        // From the first to the last: in place, a word is written when none before needs it.
        for (var i = 0; i < _newest.Length; i++)
        {
            var older = Read(stack, 64 * i + _unit) & _others[i];
            Write(next, i, older | Deposit(Read(frame, _before[i]), _newest[i]));
        }
    }

    public void Newest(ReadOnlySpan<byte> stack, Span<byte> frame)
    {
        var (gathered, count, done) = (0UL, 0, 0);
        for (var i = 0; i < _newest.Length; i++)
        {
            var bits = Extract(Read(stack, 64 * i), _newest[i]);
            var more = BitOperations.PopCount(_newest[i]);
            gathered |= bits << count;
            if (count + more >= 64)
            {
                Write(frame, done++, gathered);
                gathered = count == 0 ? 0 : bits >> (64 - count);
            }
            count = (count + more) % 64;
        }
        if (count > 0) Write(frame, done, gathered);
    }

    public bool Follows(ReadOnlySpan<byte> stack, ReadOnlySpan<byte> next)
    {
        var differences = 0UL;
        // Of the last word no bits may be set behind the stack's end.
        for (var i = 0; i < _newest.Length; i++)
            differences |= (Read(stack, 64 * i + _unit) & _others[i]) ^ (Read(next, 64 * i) & ~_newest[i]);
        return differences == 0;
    }

    // The 64 bits from this one on; zeros behind the end.
    private static ulong Read(ReadOnlySpan<byte> bytes, int bit)
    {
        var (at, shift) = (bit >> 3, bit & 7);
        if (at + 9 <= bytes.Length)
        {
            var low = BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]) >> shift;
            return shift == 0 ? low : low | (ulong)bytes[at + 8] << (64 - shift);
        }
        var value = UInt128.Zero;
        for (var i = Math.Min(bytes.Length, at + 9) - 1; i >= at; i--) value = value << 8 | bytes[i];
        return (ulong)(value >> shift);
    }

    private static void Write(Span<byte> bytes, int word, ulong value)
    {
        var to = bytes[(8 * word)..];
        if (BinaryPrimitives.TryWriteUInt64LittleEndian(to, value)) return;
        for (var i = 0; i < to.Length; i++) to[i] = (byte)(value >> (8 * i));
    }

    private static ulong Deposit(ulong value, ulong mask)
    {
        if (Bmi2.X64.IsSupported) return Bmi2.X64.ParallelBitDeposit(value, mask);
        ulong result = 0;
        for (; mask != 0; mask &= mask - 1, value >>= 1) result |= (mask & (0 - mask)) * (value & 1);
        return result;
    }

    private static ulong Extract(ulong value, ulong mask)
    {
        if (Bmi2.X64.IsSupported) return Bmi2.X64.ParallelBitExtract(value, mask);
        ulong result = 0;
        for (var bit = 0; mask != 0; mask &= mask - 1, bit++) result |= (value >> BitOperations.TrailingZeroCount(mask) & 1) << bit;
        return result;
    }
}
