using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rl.Distributed.Core.Numerics;

/// <summary>Observations as they are stored (bytes, bits) into the floats that networks read.</summary>
/// <remarks>The scalar twins are in <see cref="ScalarKernels"/>; results are equal to the bit.</remarks>
public static unsafe class Conversions
{
    /// <summary>x[i] = bytes[i] * scale: 1/255 for pixels.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BytesToSingle(ReadOnlySpan<byte> bytes, float scale, Span<float> x)
    {
        Lengths.CheckEqual(bytes.Length, x.Length);
        var i = 0;
        fixed (byte* from = bytes)
        fixed (float* to = x)
        {
            if (Avx512F.IsSupported)
            {
                for (; i <= x.Length - 16; i += 16)
                {
                    var integers = Avx512F.ConvertToVector512Int32(Vector128.Load(from + i));
                    (Vector512.ConvertToSingle(integers) * scale).Store(to + i);
                }
            }
            else if (Avx2.IsSupported)
            {
                for (; i <= x.Length - 8; i += 8)
                {
                    (Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(from + i)) * scale).Store(to + i);
                }
            }
        }
        ScalarKernels.BytesToSingle(bytes[i..], scale, x[i..]);
    }

    /// <summary>x[i] = bit i % 8 of bits[i / 8], lowest bit first, as 0 or 1.</summary>
    /// <exception cref="ArgumentException">There are fewer bits than elements.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BitsToSingle(ReadOnlySpan<byte> bits, Span<float> x)
    {
        if (bits.Length * 8L < x.Length) throw new ArgumentException($"{bits.Length} bytes do not hold {x.Length} bits.");
        var i = 0;
        fixed (byte* from = bits)
        fixed (float* to = x)
        {
            if (Avx512F.IsSupported)
            {
                var lanes = Avx512F.ShiftLeftLogicalVariable(Vector512<int>.One, Vector512<uint>.Indices);
                for (; i <= x.Length - 16; i += 16)
                {
                    var bit = Vector512.Create((int)*(ushort*)(from + i / 8)) & lanes;
                    Vector512.ConditionalSelect(Vector512.Equals(bit, lanes).AsSingle(), Vector512<float>.One, Vector512<float>.Zero)
                        .Store(to + i);
                }
            }
            else if (Avx2.IsSupported)
            {
                var lanes = Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128);
                for (; i <= x.Length - 8; i += 8)
                {
                    var bit = Vector256.Create((int)from[i / 8]) & lanes;
                    (Vector256.Equals(bit, lanes).AsSingle() & Vector256<float>.One).Store(to + i);
                }
            }
        }
        ScalarKernels.BitsToSingle(bits[(i / 8)..], x[i..]);
    }
}
