using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rl.Distributed.Core.Numerics;

/// <summary>AVX-512 products of one or two rows with a plain b, as acting in one environment needs.</summary>
/// <remarks>
/// Tiles would leave most of their rows empty. Here 128 columns are summed at once, in eight vectors a row, enough to hide
/// the latency of the sums; what is left is reading b. Zeros of a single row, half of what a ReLU gives, are left out, and
/// so are their rows of b. The order of summation, and so every bit of the result, is that of the tiles.
/// </remarks>
internal static unsafe class RowGemm
{
    private const int Lanes = 16;
    private const int Wide = 8 * Lanes;
    private const int Narrow = 4 * Lanes;

    /// <summary>Steps of k that are looked through for zeros at once.</summary>
    private const int Chunk = 512;

    /// <summary>Whether the path, the sizes and the layout fit.</summary>
    public static bool Fits(CpuPath path, int m, int n, bool transposeA, bool transposeB)
        => path == CpuPath.Avx512 && (m == 1 || (m == 2 && n > Lanes)) && !transposeA && !transposeB;

    public static void Multiply(
        int m, int n, int k, float* a, int aStride, float* b, int bStride, float* c, int cStride, bool accumulate)
    {
        var steps = stackalloc int[Chunk + Lanes];
        for (var p = 0; p < k; p += Chunk)
        {
            var depth = Math.Min(Chunk, k - p);
            var add = accumulate || p > 0;
            var from = b + (nint)p * bStride;
            if (m == 1) OneRow(n, a + p, steps, NonZero(a + p, depth, steps), from, bStride, c, add);
            else TwoRows(n, depth, a + p, aStride, from, bStride, c, cStride, add);
        }
    }

    /// <summary>Lists the places of a row's numbers that are not 0; NaN is not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int NonZero(float* a, int depth, int* steps)
    {
        var count = 0;
        var place = Vector512<int>.Indices;
        var p = 0;
        for (; p <= depth - Lanes; p += Lanes, place += Vector512.Create(Lanes))
        {
            var isSet = ~Vector512.Equals(Vector512.Load(a + p), Vector512<float>.Zero).AsInt32();
            Avx512F.Compress(Vector512<int>.Zero, isSet, place).Store(steps + count);
            count += BitOperations.PopCount(isSet.ExtractMostSignificantBits());
        }
        for (; p < depth; p++)
        {
            steps[count] = p;
            if (a[p] != 0) count++;
        }
        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(int n, float* a, int* steps, int count, float* b, nint bStride, float* c, bool accumulate)
    {
        var end = steps + count;
        var j = 0;
        for (; j <= n - Wide; j += Wide)
        {
            float* to = c + j, from = b + j;
            Vector512<float> c0 = default, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
            if (accumulate)
            {
                (c0, c1, c2, c3) = (Vector512.Load(to), Vector512.Load(to + 16), Vector512.Load(to + 32), Vector512.Load(to + 48));
                (c4, c5, c6, c7) = (Vector512.Load(to + 64), Vector512.Load(to + 80), Vector512.Load(to + 96), Vector512.Load(to + 112));
            }
            for (var step = steps; step < end; step++)
            {
                var x = Vector512.Create(a[*step]);
                var row = from + *step * bStride;
                c0 = Avx512F.FusedMultiplyAdd(x, Vector512.Load(row), c0);
                c1 = Avx512F.FusedMultiplyAdd(x, Vector512.Load(row + 16), c1);
                c2 = Avx512F.FusedMultiplyAdd(x, Vector512.Load(row + 32), c2);
                c3 = Avx512F.FusedMultiplyAdd(x, Vector512.Load(row + 48), c3);
                c4 = Avx512F.FusedMultiplyAdd(x, Vector512.Load(row + 64), c4);
                c5 = Avx512F.FusedMultiplyAdd(x, Vector512.Load(row + 80), c5);
                c6 = Avx512F.FusedMultiplyAdd(x, Vector512.Load(row + 96), c6);
                c7 = Avx512F.FusedMultiplyAdd(x, Vector512.Load(row + 112), c7);
            }
            c0.Store(to);
            c1.Store(to + 16);
            c2.Store(to + 32);
            c3.Store(to + 48);
            c4.Store(to + 64);
            c5.Store(to + 80);
            c6.Store(to + 96);
            c7.Store(to + 112);
        }
        for (; j < n - Lanes; j += Narrow)
        {
            float* to = c + j, from = b + j;
            Vector512<float> m0 = Mask(n - j), m1 = Mask(n - j - 16), m2 = Mask(n - j - 32), m3 = Mask(n - j - 48);
            Vector512<float> c0 = default, c1 = c0, c2 = c0, c3 = c0;
            if (accumulate)
            {
                (c0, c1) = (Avx512F.MaskLoad(to, m0, c0), Avx512F.MaskLoad(to + 16, m1, c1));
                (c2, c3) = (Avx512F.MaskLoad(to + 32, m2, c2), Avx512F.MaskLoad(to + 48, m3, c3));
            }
            for (var step = steps; step < end; step++)
            {
                var x = Vector512.Create(a[*step]);
                var row = from + *step * bStride;
                c0 = Avx512F.FusedMultiplyAdd(x, Avx512F.MaskLoad(row, m0, Vector512<float>.Zero), c0);
                c1 = Avx512F.FusedMultiplyAdd(x, Avx512F.MaskLoad(row + 16, m1, Vector512<float>.Zero), c1);
                c2 = Avx512F.FusedMultiplyAdd(x, Avx512F.MaskLoad(row + 32, m2, Vector512<float>.Zero), c2);
                c3 = Avx512F.FusedMultiplyAdd(x, Avx512F.MaskLoad(row + 48, m3, Vector512<float>.Zero), c3);
            }
            Avx512F.MaskStore(to, m0, c0);
            Avx512F.MaskStore(to + 16, m1, c1);
            Avx512F.MaskStore(to + 32, m2, c2);
            Avx512F.MaskStore(to + 48, m3, c3);
        }
        if (j < n) OneVector(n - j, a, steps, end, b + j, bStride, c + j, accumulate);
    }

    /// <summary>At most 16 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneVector(int n, float* a, int* steps, int* end, float* b, nint bStride, float* c, bool accumulate)
    {
        var mask = Mask(n);
        var sums = accumulate ? Avx512F.MaskLoad(c, mask, Vector512<float>.Zero) : Vector512<float>.Zero;
        for (; steps < end; steps++)
        {
            var row = Avx512F.MaskLoad(b + *steps * bStride, mask, Vector512<float>.Zero);
            sums = Avx512F.FusedMultiplyAdd(Vector512.Create(a[*steps]), row, sums);
        }
        Avx512F.MaskStore(c, mask, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoRows(
        int n, int k, float* a, nint aStride, float* b, nint bStride, float* c, nint cStride, bool accumulate)
    {
        for (var j = 0; j < n; j += Narrow)
        {
            float* to = c + j, below = to + cStride, row = b + j;
            Vector512<float> m0 = Mask(n - j), m1 = Mask(n - j - 16), m2 = Mask(n - j - 32), m3 = Mask(n - j - 48);
            Vector512<float> c0 = default, c1 = c0, c2 = c0, c3 = c0, d0 = c0, d1 = c0, d2 = c0, d3 = c0;
            if (accumulate)
            {
                (c0, c1) = (Avx512F.MaskLoad(to, m0, c0), Avx512F.MaskLoad(to + 16, m1, c1));
                (c2, c3) = (Avx512F.MaskLoad(to + 32, m2, c2), Avx512F.MaskLoad(to + 48, m3, c3));
                (d0, d1) = (Avx512F.MaskLoad(below, m0, d0), Avx512F.MaskLoad(below + 16, m1, d1));
                (d2, d3) = (Avx512F.MaskLoad(below + 32, m2, d2), Avx512F.MaskLoad(below + 48, m3, d3));
            }
            for (var p = 0; p < k; p++, row += bStride)
            {
                Vector512<float> x = Vector512.Create(a[p]), y = Vector512.Create(a[aStride + p]);
                var b0 = Avx512F.MaskLoad(row, m0, Vector512<float>.Zero);
                c0 = Avx512F.FusedMultiplyAdd(x, b0, c0);
                d0 = Avx512F.FusedMultiplyAdd(y, b0, d0);
                var b1 = Avx512F.MaskLoad(row + 16, m1, Vector512<float>.Zero);
                c1 = Avx512F.FusedMultiplyAdd(x, b1, c1);
                d1 = Avx512F.FusedMultiplyAdd(y, b1, d1);
                var b2 = Avx512F.MaskLoad(row + 32, m2, Vector512<float>.Zero);
                c2 = Avx512F.FusedMultiplyAdd(x, b2, c2);
                d2 = Avx512F.FusedMultiplyAdd(y, b2, d2);
                var b3 = Avx512F.MaskLoad(row + 48, m3, Vector512<float>.Zero);
                c3 = Avx512F.FusedMultiplyAdd(x, b3, c3);
                d3 = Avx512F.FusedMultiplyAdd(y, b3, d3);
            }
            Avx512F.MaskStore(to, m0, c0);
            Avx512F.MaskStore(to + 16, m1, c1);
            Avx512F.MaskStore(to + 32, m2, c2);
            Avx512F.MaskStore(to + 48, m3, c3);
            Avx512F.MaskStore(below, m0, d0);
            Avx512F.MaskStore(below + 16, m1, d1);
            Avx512F.MaskStore(below + 32, m2, d2);
            Avx512F.MaskStore(below + 48, m3, d3);
        }
    }

    /// <summary>The first <paramref name="count"/> lanes, none where it is negative.</summary>
    private static Vector512<float> Mask(int count) => Vector512.LessThan(Vector512<float>.Indices, Vector512.Create((float)count));
}
