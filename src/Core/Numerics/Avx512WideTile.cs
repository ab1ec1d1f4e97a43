using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rl.Distributed.Core.Numerics;

/// <summary>AVX-512 tiles 32 columns wide.</summary>
/// <remarks>
/// 12 x 32 is the work horse: 24 accumulators, two vectors of b and one broadcast element of a stay in 27 of the 32 registers.
/// Where b is not packed, columns two tiles further on are fetched ahead, since a wide stride hides them from the hardware.
/// The lower tiles end a matrix whose row count is no multiple of 12. Every element is summed over k in ascending
/// order by one fused multiply-add a step, in all of them.
/// </remarks>
internal static unsafe class Avx512WideTile
{
    public static void Run(in TileArguments t)
    {
        if (t.Rows == 12)
        {
            Tile12x32(t, 0);
            return;
        }
        var row = 0;
        if (t.Rows >= 8)
        {
            Tile8x32(t, 0);
            row = 8;
        }
        for (; row < t.Rows; row += 4) Tile4x32(t, row, Math.Min(4, t.Rows - row));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile12x32(in TileArguments t, int row)
    {
        nint one = t.ARow, two = 2 * one, step = t.AStep, bStride = t.BStride;
        float* a0 = t.A + row * one, a3 = a0 + 3 * one, a6 = a0 + 6 * one, a9 = a0 + 9 * one, b = t.B;
        float* c = t.C + row * t.CStride;
        var mask = Vector512.LessThan(Vector512<float>.Indices, Vector512.Create((float)t.Columns - 16));
        Vector512<float> c0a, c0b, c1a, c1b, c2a, c2b, c3a, c3b, c4a, c4b, c5a, c5b,
            c6a, c6b, c7a, c7b, c8a, c8b, c9a, c9b, c10a, c10b, c11a, c11b;
        if (t.Accumulate)
        {
            c0a = Vector512.Load(c);
            c0b = Avx512F.MaskLoad(c + 16, mask, Vector512<float>.Zero);
            c1a = Vector512.Load(c + t.CStride);
            c1b = Avx512F.MaskLoad(c + t.CStride + 16, mask, Vector512<float>.Zero);
            c2a = Vector512.Load(c + 2 * t.CStride);
            c2b = Avx512F.MaskLoad(c + 2 * t.CStride + 16, mask, Vector512<float>.Zero);
            c3a = Vector512.Load(c + 3 * t.CStride);
            c3b = Avx512F.MaskLoad(c + 3 * t.CStride + 16, mask, Vector512<float>.Zero);
            c4a = Vector512.Load(c + 4 * t.CStride);
            c4b = Avx512F.MaskLoad(c + 4 * t.CStride + 16, mask, Vector512<float>.Zero);
            c5a = Vector512.Load(c + 5 * t.CStride);
            c5b = Avx512F.MaskLoad(c + 5 * t.CStride + 16, mask, Vector512<float>.Zero);
            c6a = Vector512.Load(c + 6 * t.CStride);
            c6b = Avx512F.MaskLoad(c + 6 * t.CStride + 16, mask, Vector512<float>.Zero);
            c7a = Vector512.Load(c + 7 * t.CStride);
            c7b = Avx512F.MaskLoad(c + 7 * t.CStride + 16, mask, Vector512<float>.Zero);
            c8a = Vector512.Load(c + 8 * t.CStride);
            c8b = Avx512F.MaskLoad(c + 8 * t.CStride + 16, mask, Vector512<float>.Zero);
            c9a = Vector512.Load(c + 9 * t.CStride);
            c9b = Avx512F.MaskLoad(c + 9 * t.CStride + 16, mask, Vector512<float>.Zero);
            c10a = Vector512.Load(c + 10 * t.CStride);
            c10b = Avx512F.MaskLoad(c + 10 * t.CStride + 16, mask, Vector512<float>.Zero);
            c11a = Vector512.Load(c + 11 * t.CStride);
            c11b = Avx512F.MaskLoad(c + 11 * t.CStride + 16, mask, Vector512<float>.Zero);
        }
        else
        {
            c0a = c0b = c1a = c1b = c2a = c2b = c3a = c3b = c4a = c4b = c5a = c5b =
                c6a = c6b = c7a = c7b = c8a = c8b = c9a = c9b = c10a = c10b = c11a = c11b = Vector512<float>.Zero;
        }
        for (var p = t.K; p > 0; p--)
        {
            Sse.Prefetch1(b + 64);
            Sse.Prefetch1(b + 80);
            Vector512<float> b0 = Vector512.Load(b), b1 = Vector512.Load(b + 16);
            var x = Vector512.Create(*a0);
            c0a = Avx512F.FusedMultiplyAdd(x, b0, c0a);
            c0b = Avx512F.FusedMultiplyAdd(x, b1, c0b);
            x = Vector512.Create(a0[one]);
            c1a = Avx512F.FusedMultiplyAdd(x, b0, c1a);
            c1b = Avx512F.FusedMultiplyAdd(x, b1, c1b);
            x = Vector512.Create(a0[two]);
            c2a = Avx512F.FusedMultiplyAdd(x, b0, c2a);
            c2b = Avx512F.FusedMultiplyAdd(x, b1, c2b);
            x = Vector512.Create(*a3);
            c3a = Avx512F.FusedMultiplyAdd(x, b0, c3a);
            c3b = Avx512F.FusedMultiplyAdd(x, b1, c3b);
            x = Vector512.Create(a3[one]);
            c4a = Avx512F.FusedMultiplyAdd(x, b0, c4a);
            c4b = Avx512F.FusedMultiplyAdd(x, b1, c4b);
            x = Vector512.Create(a3[two]);
            c5a = Avx512F.FusedMultiplyAdd(x, b0, c5a);
            c5b = Avx512F.FusedMultiplyAdd(x, b1, c5b);
            x = Vector512.Create(*a6);
            c6a = Avx512F.FusedMultiplyAdd(x, b0, c6a);
            c6b = Avx512F.FusedMultiplyAdd(x, b1, c6b);
            x = Vector512.Create(a6[one]);
            c7a = Avx512F.FusedMultiplyAdd(x, b0, c7a);
            c7b = Avx512F.FusedMultiplyAdd(x, b1, c7b);
            x = Vector512.Create(a6[two]);
            c8a = Avx512F.FusedMultiplyAdd(x, b0, c8a);
            c8b = Avx512F.FusedMultiplyAdd(x, b1, c8b);
            x = Vector512.Create(*a9);
            c9a = Avx512F.FusedMultiplyAdd(x, b0, c9a);
            c9b = Avx512F.FusedMultiplyAdd(x, b1, c9b);
            x = Vector512.Create(a9[one]);
            c10a = Avx512F.FusedMultiplyAdd(x, b0, c10a);
            c10b = Avx512F.FusedMultiplyAdd(x, b1, c10b);
            x = Vector512.Create(a9[two]);
            c11a = Avx512F.FusedMultiplyAdd(x, b0, c11a);
            c11b = Avx512F.FusedMultiplyAdd(x, b1, c11b);
            a0 += step;
            a3 += step;
            a6 += step;
            a9 += step;
            b += bStride;
        }
        c0a.Store(c);
        Avx512F.MaskStore(c + 16, mask, c0b);
        c1a.Store(c + t.CStride);
        Avx512F.MaskStore(c + t.CStride + 16, mask, c1b);
        c2a.Store(c + 2 * t.CStride);
        Avx512F.MaskStore(c + 2 * t.CStride + 16, mask, c2b);
        c3a.Store(c + 3 * t.CStride);
        Avx512F.MaskStore(c + 3 * t.CStride + 16, mask, c3b);
        c4a.Store(c + 4 * t.CStride);
        Avx512F.MaskStore(c + 4 * t.CStride + 16, mask, c4b);
        c5a.Store(c + 5 * t.CStride);
        Avx512F.MaskStore(c + 5 * t.CStride + 16, mask, c5b);
        c6a.Store(c + 6 * t.CStride);
        Avx512F.MaskStore(c + 6 * t.CStride + 16, mask, c6b);
        c7a.Store(c + 7 * t.CStride);
        Avx512F.MaskStore(c + 7 * t.CStride + 16, mask, c7b);
        c8a.Store(c + 8 * t.CStride);
        Avx512F.MaskStore(c + 8 * t.CStride + 16, mask, c8b);
        c9a.Store(c + 9 * t.CStride);
        Avx512F.MaskStore(c + 9 * t.CStride + 16, mask, c9b);
        c10a.Store(c + 10 * t.CStride);
        Avx512F.MaskStore(c + 10 * t.CStride + 16, mask, c10b);
        c11a.Store(c + 11 * t.CStride);
        Avx512F.MaskStore(c + 11 * t.CStride + 16, mask, c11b);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile8x32(in TileArguments t, int row)
    {
        nint one = t.ARow, two = 2 * one, step = t.AStep, bStride = t.BStride;
        float* a0 = t.A + row * one, a3 = a0 + 3 * one, a6 = a0 + 6 * one, b = t.B;
        float* c = t.C + row * t.CStride;
        var mask = Vector512.LessThan(Vector512<float>.Indices, Vector512.Create((float)t.Columns - 16));
        Vector512<float> c0a, c0b, c1a, c1b, c2a, c2b, c3a, c3b, c4a, c4b, c5a, c5b, c6a, c6b, c7a, c7b;
        if (t.Accumulate)
        {
            c0a = Vector512.Load(c);
            c0b = Avx512F.MaskLoad(c + 16, mask, Vector512<float>.Zero);
            c1a = Vector512.Load(c + t.CStride);
            c1b = Avx512F.MaskLoad(c + t.CStride + 16, mask, Vector512<float>.Zero);
            c2a = Vector512.Load(c + 2 * t.CStride);
            c2b = Avx512F.MaskLoad(c + 2 * t.CStride + 16, mask, Vector512<float>.Zero);
            c3a = Vector512.Load(c + 3 * t.CStride);
            c3b = Avx512F.MaskLoad(c + 3 * t.CStride + 16, mask, Vector512<float>.Zero);
            c4a = Vector512.Load(c + 4 * t.CStride);
            c4b = Avx512F.MaskLoad(c + 4 * t.CStride + 16, mask, Vector512<float>.Zero);
            c5a = Vector512.Load(c + 5 * t.CStride);
            c5b = Avx512F.MaskLoad(c + 5 * t.CStride + 16, mask, Vector512<float>.Zero);
            c6a = Vector512.Load(c + 6 * t.CStride);
            c6b = Avx512F.MaskLoad(c + 6 * t.CStride + 16, mask, Vector512<float>.Zero);
            c7a = Vector512.Load(c + 7 * t.CStride);
            c7b = Avx512F.MaskLoad(c + 7 * t.CStride + 16, mask, Vector512<float>.Zero);
        }
        else
        {
            c0a = c0b = c1a = c1b = c2a = c2b = c3a = c3b = c4a = c4b = c5a = c5b = c6a = c6b = c7a = c7b = Vector512<float>.Zero;
        }
        for (var p = t.K; p > 0; p--)
        {
            Vector512<float> b0 = Vector512.Load(b), b1 = Vector512.Load(b + 16);
            var x = Vector512.Create(*a0);
            c0a = Avx512F.FusedMultiplyAdd(x, b0, c0a);
            c0b = Avx512F.FusedMultiplyAdd(x, b1, c0b);
            x = Vector512.Create(a0[one]);
            c1a = Avx512F.FusedMultiplyAdd(x, b0, c1a);
            c1b = Avx512F.FusedMultiplyAdd(x, b1, c1b);
            x = Vector512.Create(a0[two]);
            c2a = Avx512F.FusedMultiplyAdd(x, b0, c2a);
            c2b = Avx512F.FusedMultiplyAdd(x, b1, c2b);
            x = Vector512.Create(*a3);
            c3a = Avx512F.FusedMultiplyAdd(x, b0, c3a);
            c3b = Avx512F.FusedMultiplyAdd(x, b1, c3b);
            x = Vector512.Create(a3[one]);
            c4a = Avx512F.FusedMultiplyAdd(x, b0, c4a);
            c4b = Avx512F.FusedMultiplyAdd(x, b1, c4b);
            x = Vector512.Create(a3[two]);
            c5a = Avx512F.FusedMultiplyAdd(x, b0, c5a);
            c5b = Avx512F.FusedMultiplyAdd(x, b1, c5b);
            x = Vector512.Create(*a6);
            c6a = Avx512F.FusedMultiplyAdd(x, b0, c6a);
            c6b = Avx512F.FusedMultiplyAdd(x, b1, c6b);
            x = Vector512.Create(a6[one]);
            c7a = Avx512F.FusedMultiplyAdd(x, b0, c7a);
            c7b = Avx512F.FusedMultiplyAdd(x, b1, c7b);
            a0 += step;
            a3 += step;
            a6 += step;
            b += bStride;
        }
        c0a.Store(c);
        Avx512F.MaskStore(c + 16, mask, c0b);
        c1a.Store(c + t.CStride);
        Avx512F.MaskStore(c + t.CStride + 16, mask, c1b);
        c2a.Store(c + 2 * t.CStride);
        Avx512F.MaskStore(c + 2 * t.CStride + 16, mask, c2b);
        c3a.Store(c + 3 * t.CStride);
        Avx512F.MaskStore(c + 3 * t.CStride + 16, mask, c3b);
        c4a.Store(c + 4 * t.CStride);
        Avx512F.MaskStore(c + 4 * t.CStride + 16, mask, c4b);
        c5a.Store(c + 5 * t.CStride);
        Avx512F.MaskStore(c + 5 * t.CStride + 16, mask, c5b);
        c6a.Store(c + 6 * t.CStride);
        Avx512F.MaskStore(c + 6 * t.CStride + 16, mask, c6b);
        c7a.Store(c + 7 * t.CStride);
        Avx512F.MaskStore(c + 7 * t.CStride + 16, mask, c7b);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4x32(in TileArguments t, int row, int rows)
    {
        // Rows past the end repeat the last one and are not stored.
        int last = rows - 1;
        nint step = t.AStep, bStride = t.BStride;
        float* a0 = t.A + row * t.ARow, a1 = a0 + Math.Min(1, last) * t.ARow, a2 = a0 + Math.Min(2, last) * t.ARow,
            a3 = a0 + Math.Min(3, last) * t.ARow, b = t.B;
        float* c = t.C + row * t.CStride;
        var mask = Vector512.LessThan(Vector512<float>.Indices, Vector512.Create((float)t.Columns - 16));
        Vector512<float> c0a, c0b, c1a, c1b, c2a, c2b, c3a, c3b;
        if (t.Accumulate)
        {
            c0a = Vector512.Load(c);
            c0b = Avx512F.MaskLoad(c + 16, mask, Vector512<float>.Zero);
            c1a = Vector512.Load(c + Math.Min(1, last) * t.CStride);
            c1b = Avx512F.MaskLoad(c + Math.Min(1, last) * t.CStride + 16, mask, Vector512<float>.Zero);
            c2a = Vector512.Load(c + Math.Min(2, last) * t.CStride);
            c2b = Avx512F.MaskLoad(c + Math.Min(2, last) * t.CStride + 16, mask, Vector512<float>.Zero);
            c3a = Vector512.Load(c + Math.Min(3, last) * t.CStride);
            c3b = Avx512F.MaskLoad(c + Math.Min(3, last) * t.CStride + 16, mask, Vector512<float>.Zero);
        }
        else
        {
            c0a = c0b = c1a = c1b = c2a = c2b = c3a = c3b = Vector512<float>.Zero;
        }
        for (var p = t.K; p > 0; p--)
        {
            Vector512<float> b0 = Vector512.Load(b), b1 = Vector512.Load(b + 16);
            var x = Vector512.Create(*a0);
            c0a = Avx512F.FusedMultiplyAdd(x, b0, c0a);
            c0b = Avx512F.FusedMultiplyAdd(x, b1, c0b);
            x = Vector512.Create(*a1);
            c1a = Avx512F.FusedMultiplyAdd(x, b0, c1a);
            c1b = Avx512F.FusedMultiplyAdd(x, b1, c1b);
            x = Vector512.Create(*a2);
            c2a = Avx512F.FusedMultiplyAdd(x, b0, c2a);
            c2b = Avx512F.FusedMultiplyAdd(x, b1, c2b);
            x = Vector512.Create(*a3);
            c3a = Avx512F.FusedMultiplyAdd(x, b0, c3a);
            c3b = Avx512F.FusedMultiplyAdd(x, b1, c3b);
            a0 += step;
            a1 += step;
            a2 += step;
            a3 += step;
            b += bStride;
        }
        c0a.Store(c);
        Avx512F.MaskStore(c + 16, mask, c0b);
        if (last < 1) return;
        c1a.Store(c + t.CStride);
        Avx512F.MaskStore(c + t.CStride + 16, mask, c1b);
        if (last < 2) return;
        c2a.Store(c + 2 * t.CStride);
        Avx512F.MaskStore(c + 2 * t.CStride + 16, mask, c2b);
        if (last < 3) return;
        c3a.Store(c + 3 * t.CStride);
        Avx512F.MaskStore(c + 3 * t.CStride + 16, mask, c3b);
    }
}
