using System.Numerics;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Numerics;

/// <summary>Finds what is not a finite number.</summary>
public static class FiniteCheck
{
    private const uint Exponent = 0x7F80_0000;

    /// <summary>The index of the first NaN or infinity; -1 where there is none.</summary>
    public static int FirstNotFinite(ReadOnlySpan<float> x)
    {
        var bits = MemoryMarshal.Cast<float, uint>(x);
        var mask = new Vector<uint>(Exponent);
        var i = 0;
        for (; i <= bits.Length - Vector<uint>.Count; i += Vector<uint>.Count)
            if (Vector.EqualsAny(new Vector<uint>(bits[i..]) & mask, mask)) break;
        for (; i < bits.Length; i++)
            if ((bits[i] & Exponent) == Exponent) return i;
        return -1;
    }
}
