using System.Runtime.CompilerServices;

namespace Rl.Distributed.Core.Numerics;

/// <summary>Memory of a thread for packed operands: it grows to the largest product and stays.</summary>
internal sealed unsafe class Scratch
{
    [ThreadStatic] private static Scratch? _packedA, _packedB, _result;

    private float[] _pinned = [];

    public static Scratch PackedA => _packedA ??= new Scratch();

    public static Scratch PackedB => _packedB ??= new Scratch();

    public static Scratch Result => _result ??= new Scratch();

    /// <summary>At least that many floats on a 64-byte boundary, valid until the next call on this thread.</summary>
    public float* Rent(int count)
    {
        const int Alignment = 64;
        if (_pinned.Length < count + Alignment / sizeof(float))
        {
            _pinned = GC.AllocateUninitializedArray<float>(count + Alignment / sizeof(float), pinned: true);
        }
        var address = (nint)Unsafe.AsPointer(ref _pinned[0]);
        return (float*)((address + Alignment - 1) & -Alignment);
    }
}
