using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rl.Distributed.Core.Numerics;

/// <summary>AVX-512 tiles 16 columns wide.</summary>
/// <remarks>
/// 12 x 16 is the work horse: 12 accumulators and one vector of b, a is broadcast by the multiply-add itself.
/// The lower tiles end a matrix whose row count is no multiple of 12. Every element is summed over k in ascending
/// order by one fused multiply-add a step, in all of them.
/// </remarks>
internal static unsafe class Avx512NarrowTile
{
    public static void Run(in TileArguments t)
    {
        if (t.Rows == 12)
        {
            Tile12x16(t, 0);
            return;
        }
        var row = 0;
        if (t.Rows >= 8)
        {
            Tile8x16(t, 0);
            row = 8;
        }
        for (; row < t.Rows; row += 4) Tile4x16(t, row, Math.Min(4, t.Rows - row));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile12x16(in TileArguments t, int row)
    {
        nint one = t.ARow, two = 2 * one, step = t.AStep, bStride = t.BStride;
        float* a0 = t.A + row * one, a3 = a0 + 3 * one, a6 = a0 + 6 * one, a9 = a0 + 9 * one, b = t.B;
        float* c = t.C + row * t.CStride;
        var mask = Vector512.LessThan(Vector512<float>.Indices, Vector512.Create((float)t.Columns));
        Vector512<float> c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11;
        if (t.Accumulate)
        {
            c0 = Avx512F.MaskLoad(c, mask, Vector512<float>.Zero);
            c1 = Avx512F.MaskLoad(c + t.CStride, mask, Vector512<float>.Zero);
            c2 = Avx512F.MaskLoad(c + 2 * t.CStride, mask, Vector512<float>.Zero);
            c3 = Avx512F.MaskLoad(c + 3 * t.CStride, mask, Vector512<float>.Zero);
            c4 = Avx512F.MaskLoad(c + 4 * t.CStride, mask, Vector512<float>.Zero);
            c5 = Avx512F.MaskLoad(c + 5 * t.CStride, mask, Vector512<float>.Zero);
            c6 = Avx512F.MaskLoad(c + 6 * t.CStride, mask, Vector512<float>.Zero);
            c7 = Avx512F.MaskLoad(c + 7 * t.CStride, mask, Vector512<float>.Zero);
            c8 = Avx512F.MaskLoad(c + 8 * t.CStride, mask, Vector512<float>.Zero);
            c9 = Avx512F.MaskLoad(c + 9 * t.CStride, mask, Vector512<float>.Zero);
            c10 = Avx512F.MaskLoad(c + 10 * t.CStride, mask, Vector512<float>.Zero);
            c11 = Avx512F.MaskLoad(c + 11 * t.CStride, mask, Vector512<float>.Zero);
        }
        else
        {
            c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = c8 = c9 = c10 = c11 = Vector512<float>.Zero;
        }
        for (var p = t.K; p > 0; p--)
        {
            var b0 = Vector512.Load(b);
            c0 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a0), b0, c0);
            c1 = Avx512F.FusedMultiplyAdd(Vector512.Create(a0[one]), b0, c1);
            c2 = Avx512F.FusedMultiplyAdd(Vector512.Create(a0[two]), b0, c2);
            c3 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a3), b0, c3);
            c4 = Avx512F.FusedMultiplyAdd(Vector512.Create(a3[one]), b0, c4);
            c5 = Avx512F.FusedMultiplyAdd(Vector512.Create(a3[two]), b0, c5);
            c6 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a6), b0, c6);
            c7 = Avx512F.FusedMultiplyAdd(Vector512.Create(a6[one]), b0, c7);
            c8 = Avx512F.FusedMultiplyAdd(Vector512.Create(a6[two]), b0, c8);
            c9 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a9), b0, c9);
            c10 = Avx512F.FusedMultiplyAdd(Vector512.Create(a9[one]), b0, c10);
            c11 = Avx512F.FusedMultiplyAdd(Vector512.Create(a9[two]), b0, c11);
            a0 += step;
            a3 += step;
            a6 += step;
            a9 += step;
            b += bStride;
        }
        Avx512F.MaskStore(c, mask, c0);
        Avx512F.MaskStore(c + t.CStride, mask, c1);
        Avx512F.MaskStore(c + 2 * t.CStride, mask, c2);
        Avx512F.MaskStore(c + 3 * t.CStride, mask, c3);
        Avx512F.MaskStore(c + 4 * t.CStride, mask, c4);
        Avx512F.MaskStore(c + 5 * t.CStride, mask, c5);
        Avx512F.MaskStore(c + 6 * t.CStride, mask, c6);
        Avx512F.MaskStore(c + 7 * t.CStride, mask, c7);
        Avx512F.MaskStore(c + 8 * t.CStride, mask, c8);
        Avx512F.MaskStore(c + 9 * t.CStride, mask, c9);
        Avx512F.MaskStore(c + 10 * t.CStride, mask, c10);
        Avx512F.MaskStore(c + 11 * t.CStride, mask, c11);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile8x16(in TileArguments t, int row)
    {
        nint one = t.ARow, two = 2 * one, step = t.AStep, bStride = t.BStride;
        float* a0 = t.A + row * one, a3 = a0 + 3 * one, a6 = a0 + 6 * one, b = t.B;
        float* c = t.C + row * t.CStride;
        var mask = Vector512.LessThan(Vector512<float>.Indices, Vector512.Create((float)t.Columns));
        Vector512<float> c0, c1, c2, c3, c4, c5, c6, c7;
        if (t.Accumulate)
        {
            c0 = Avx512F.MaskLoad(c, mask, Vector512<float>.Zero);
            c1 = Avx512F.MaskLoad(c + t.CStride, mask, Vector512<float>.Zero);
            c2 = Avx512F.MaskLoad(c + 2 * t.CStride, mask, Vector512<float>.Zero);
            c3 = Avx512F.MaskLoad(c + 3 * t.CStride, mask, Vector512<float>.Zero);
            c4 = Avx512F.MaskLoad(c + 4 * t.CStride, mask, Vector512<float>.Zero);
            c5 = Avx512F.MaskLoad(c + 5 * t.CStride, mask, Vector512<float>.Zero);
            c6 = Avx512F.MaskLoad(c + 6 * t.CStride, mask, Vector512<float>.Zero);
            c7 = Avx512F.MaskLoad(c + 7 * t.CStride, mask, Vector512<float>.Zero);
        }
        else
        {
            c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = Vector512<float>.Zero;
        }
        for (var p = t.K; p > 0; p--)
        {
            var b0 = Vector512.Load(b);
            c0 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a0), b0, c0);
            c1 = Avx512F.FusedMultiplyAdd(Vector512.Create(a0[one]), b0, c1);
            c2 = Avx512F.FusedMultiplyAdd(Vector512.Create(a0[two]), b0, c2);
            c3 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a3), b0, c3);
            c4 = Avx512F.FusedMultiplyAdd(Vector512.Create(a3[one]), b0, c4);
            c5 = Avx512F.FusedMultiplyAdd(Vector512.Create(a3[two]), b0, c5);
            c6 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a6), b0, c6);
            c7 = Avx512F.FusedMultiplyAdd(Vector512.Create(a6[one]), b0, c7);
            a0 += step;
            a3 += step;
            a6 += step;
            b += bStride;
        }
        Avx512F.MaskStore(c, mask, c0);
        Avx512F.MaskStore(c + t.CStride, mask, c1);
        Avx512F.MaskStore(c + 2 * t.CStride, mask, c2);
        Avx512F.MaskStore(c + 3 * t.CStride, mask, c3);
        Avx512F.MaskStore(c + 4 * t.CStride, mask, c4);
        Avx512F.MaskStore(c + 5 * t.CStride, mask, c5);
        Avx512F.MaskStore(c + 6 * t.CStride, mask, c6);
        Avx512F.MaskStore(c + 7 * t.CStride, mask, c7);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4x16(in TileArguments t, int row, int rows)
    {
        // Rows past the end repeat the last one and are not stored.
        int last = rows - 1;
        nint step = t.AStep, bStride = t.BStride;
        float* a0 = t.A + row * t.ARow, a1 = a0 + Math.Min(1, last) * t.ARow, a2 = a0 + Math.Min(2, last) * t.ARow,
            a3 = a0 + Math.Min(3, last) * t.ARow, b = t.B;
        float* c = t.C + row * t.CStride;
        var mask = Vector512.LessThan(Vector512<float>.Indices, Vector512.Create((float)t.Columns));
        Vector512<float> c0, c1, c2, c3;
        if (t.Accumulate)
        {
            c0 = Avx512F.MaskLoad(c, mask, Vector512<float>.Zero);
            c1 = Avx512F.MaskLoad(c + Math.Min(1, last) * t.CStride, mask, Vector512<float>.Zero);
            c2 = Avx512F.MaskLoad(c + Math.Min(2, last) * t.CStride, mask, Vector512<float>.Zero);
            c3 = Avx512F.MaskLoad(c + Math.Min(3, last) * t.CStride, mask, Vector512<float>.Zero);
        }
        else
        {
            c0 = c1 = c2 = c3 = Vector512<float>.Zero;
        }
        for (var p = t.K; p > 0; p--)
        {
            var b0 = Vector512.Load(b);
            c0 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a0), b0, c0);
            c1 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a1), b0, c1);
            c2 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a2), b0, c2);
            c3 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a3), b0, c3);
            a0 += step;
            a1 += step;
            a2 += step;
            a3 += step;
            b += bStride;
        }
        Avx512F.MaskStore(c, mask, c0);
        if (last < 1) return;
        Avx512F.MaskStore(c + t.CStride, mask, c1);
        if (last < 2) return;
        Avx512F.MaskStore(c + 2 * t.CStride, mask, c2);
        if (last < 3) return;
        Avx512F.MaskStore(c + 3 * t.CStride, mask, c3);
    }
}
