using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rl.Distributed.Core.Numerics;

/// <summary>AVX-512 products with at most 8 columns, as heads have: a vector holds several steps of k.</summary>
/// <remarks>
/// With n columns rounded up to a power of two, a vector has room for q = 16 / n steps. b is packed so that lane
/// j * q + r of vector t is b[t * q + r, j]; a broadcast of q neighbours of a row of a then meets every column at once,
/// and neighbouring lanes are added up at the end. For n = 1 that is a dot product. k must be a multiple of q.
/// </remarks>
internal static unsafe class HeadGemm
{
    /// <summary>Whether the path, the sizes and the layout fit.</summary>
    public static bool Fits(CpuPath path, int n, int k, bool transposeA)
        => path == CpuPath.Avx512 && n <= 8 && !transposeA && k % StepsPerVector(n) == 0;

    public static void Multiply(
        int m, int n, int k, float* a, int aStride, float* b, int bStride, bool transposeB, float* c, int cStride, bool accumulate)
    {
        var q = StepsPerVector(n);
        var packed = Pack(n, k, q, b, bStride, transposeB);
        switch (q)
        {
            case 2: Rows<Broadcast2>(m, n, k, a, aStride, packed, c, cStride, accumulate); break;
            case 4: Rows<Broadcast4>(m, n, k, a, aStride, packed, c, cStride, accumulate); break;
            case 8: Rows<Broadcast8>(m, n, k, a, aStride, packed, c, cStride, accumulate); break;
            default: Rows<Broadcast16>(m, n, k, a, aStride, packed, c, cStride, accumulate); break;
        }
    }

    private static int StepsPerVector(int n) => n switch { 1 => 16, 2 => 8, <= 4 => 4, _ => 2 };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float* Pack(int n, int k, int q, float* b, int bStride, bool transposeB)
    {
        var (alongK, alongN) = transposeB ? (1, bStride) : (bStride, 1);
        if (n == 1 && alongK == 1) return b;
        var packed = Scratch.PackedB.Rent(k * (16 / q));
        for (var j = 0; j < 16 / q; j++)
        {
            var to = packed + j * q;
            for (var p = 0; p < k; p += q, to += 16)
            {
                for (var r = 0; r < q; r++) to[r] = j < n ? b[(p + r) * alongK + j * alongN] : 0;
            }
        }
        return packed;
    }

    private static void Rows<TBroadcast>(int m, int n, int k, float* a, int aStride, float* b, float* c, int cStride, bool accumulate)
        where TBroadcast : struct, IBroadcast
    {
        for (var i = 0; i < m; i += 8)
        {
            Rows8<TBroadcast>(Math.Min(8, m - i), n, k, a + (nint)i * aStride, aStride, b, c + (nint)i * cStride, cStride, accumulate);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows8<TBroadcast>(
        int rows, int n, int k, float* a, nint aStride, float* b, float* c, nint cStride, bool accumulate)
        where TBroadcast : struct, IBroadcast
    {
        // Rows past the end repeat the last one and are not stored.
        var last = rows - 1;
        nint r1 = Math.Min(1, last) * aStride, r2 = Math.Min(2, last) * aStride, r3 = Math.Min(3, last) * aStride;
        nint r4 = Math.Min(4, last) * aStride, r5 = Math.Min(5, last) * aStride, r6 = Math.Min(6, last) * aStride, r7 = last * aStride;
        Vector512<float> c0, c1, c2, c3, c4, c5, c6, c7;
        c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = Vector512<float>.Zero;
        for (var end = a + k; a < end; a += TBroadcast.Steps, b += 16)
        {
            var x = Vector512.Load(b);
            c0 = Avx512F.FusedMultiplyAdd(TBroadcast.Load(a), x, c0);
            c1 = Avx512F.FusedMultiplyAdd(TBroadcast.Load(a + r1), x, c1);
            c2 = Avx512F.FusedMultiplyAdd(TBroadcast.Load(a + r2), x, c2);
            c3 = Avx512F.FusedMultiplyAdd(TBroadcast.Load(a + r3), x, c3);
            c4 = Avx512F.FusedMultiplyAdd(TBroadcast.Load(a + r4), x, c4);
            c5 = Avx512F.FusedMultiplyAdd(TBroadcast.Load(a + r5), x, c5);
            c6 = Avx512F.FusedMultiplyAdd(TBroadcast.Load(a + r6), x, c6);
            c7 = Avx512F.FusedMultiplyAdd(TBroadcast.Load(a + r7), x, c7);
        }
        Store<TBroadcast>(c0, n, c, accumulate);
        if (rows > 1) Store<TBroadcast>(c1, n, c + cStride, accumulate);
        if (rows > 2) Store<TBroadcast>(c2, n, c + 2 * cStride, accumulate);
        if (rows > 3) Store<TBroadcast>(c3, n, c + 3 * cStride, accumulate);
        if (rows > 4) Store<TBroadcast>(c4, n, c + 4 * cStride, accumulate);
        if (rows > 5) Store<TBroadcast>(c5, n, c + 5 * cStride, accumulate);
        if (rows > 6) Store<TBroadcast>(c6, n, c + 6 * cStride, accumulate);
        if (rows > 7) Store<TBroadcast>(c7, n, c + 7 * cStride, accumulate);
    }

    /// <summary>Adds up each column's lanes and stores one number a column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TBroadcast>(Vector512<float> sums, int n, float* c, bool accumulate)
        where TBroadcast : struct, IBroadcast
    {
        sums += Avx512F.Permute4x32(sums, 0b10_11_00_01);
        if (TBroadcast.Steps >= 4) sums += Avx512F.Permute4x32(sums, 0b01_00_11_10);
        if (TBroadcast.Steps >= 8) sums += Avx512F.Shuffle4x128(sums, sums, 0b10_11_00_01);
        if (TBroadcast.Steps >= 16) sums += Avx512F.Shuffle4x128(sums, sums, 0b01_00_11_10);
        var columns = Avx512F.PermuteVar16x32(sums, Vector512<int>.Indices * TBroadcast.Steps & Vector512.Create(15));
        var mask = Vector512.LessThan(Vector512<float>.Indices, Vector512.Create((float)n));
        if (accumulate) columns += Avx512F.MaskLoad(c, mask, Vector512<float>.Zero);
        Avx512F.MaskStore(c, mask, columns);
    }

    /// <summary>How many neighbours of a are repeated over a vector.</summary>
    private interface IBroadcast
    {
        static abstract int Steps { get; }

        static abstract Vector512<float> Load(float* a);
    }

    private readonly struct Broadcast2 : IBroadcast
    {
        public static int Steps => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Load(float* a) => Vector512.Create(*(double*)a).AsSingle();
    }

    private readonly struct Broadcast4 : IBroadcast
    {
        public static int Steps => 4;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Load(float* a) => Avx512F.BroadcastVector128ToVector512(a);
    }

    private readonly struct Broadcast8 : IBroadcast
    {
        public static int Steps => 8;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Load(float* a) => Avx512F.BroadcastVector256ToVector512((double*)a).AsSingle();
    }

    private readonly struct Broadcast16 : IBroadcast
    {
        public static int Steps => 16;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Load(float* a) => Vector512.Load(a);
    }
}
