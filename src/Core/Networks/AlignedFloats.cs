using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Networks;

/// <summary>Floats that start on a 64-byte boundary and do not move, so that vectors never straddle cache lines.</summary>
public sealed class AlignedFloats
{
    private const int Alignment = 64;

    private readonly float[] _pinned;
    private readonly int _start;

    /// <summary>All zero.</summary>
    public unsafe AlignedFloats(int length)
    {
        Length = length;
        _pinned = GC.AllocateArray<float>(length + Alignment / sizeof(float), pinned: true);
        var address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_pinned));
        _start = (int)(((address + Alignment - 1) & -Alignment) - address) / sizeof(float);
    }

    public int Length { get; }

    public Span<float> AsSpan() => _pinned.AsSpan(_start, Length);

    /// <exception cref="ArgumentOutOfRangeException">The range does not lie within <see cref="Length"/>.</exception>
    public Span<float> AsSpan(int start, int length) => AsSpan().Slice(start, length);
}
