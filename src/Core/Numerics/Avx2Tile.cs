using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rl.Distributed.Core.Numerics;

/// <summary>AVX2 tiles: 6 rows by 16 columns in 12 accumulators, two vectors of b and one element of a.</summary>
/// <remarks>Masked stores are slow on AVX2, so a tile that is narrower than 16 columns goes through a buffer. Every
/// element is summed over k in ascending order by one fused multiply-add a step.</remarks>
internal readonly struct Avx2Tile : ITile
{
    public static int Rows => 6;

    public static int Width => 16;

    public static int Lane => 16;

    public static unsafe void Run(in TileArguments t)
    {
        if (t.Columns == 16)
        {
            Rows16(t, t.C, t.CStride);
            return;
        }
        var buffer = stackalloc float[6 * 16];
        if (t.Accumulate) Copy(t, t.C, t.CStride, buffer, 16);
        Rows16(t, buffer, 16);
        Copy(t, buffer, 16, t.C, t.CStride);
    }

    private static unsafe void Copy(in TileArguments t, float* from, nint fromStride, float* to, nint toStride)
    {
        for (var i = 0; i < t.Rows; i++)
        {
            for (var j = 0; j < t.Columns; j++) to[i * toStride + j] = from[i * fromStride + j];
        }
    }

    private static unsafe void Rows16(in TileArguments t, float* c, nint cStride)
    {
        if (t.Rows == 6)
        {
            Tile6x16(t, 0, c, cStride);
            return;
        }
        for (var row = 0; row < t.Rows; row += 2) Tile2x16(t, row, Math.Min(2, t.Rows - row), c, cStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Tile6x16(in TileArguments t, int row, float* c, nint cStride)
    {
        nint one = t.ARow, two = 2 * one, step = t.AStep, bStride = t.BStride;
        float* a0 = t.A + row * one, a3 = a0 + 3 * one, b = t.B;
        c += row * cStride;
        Vector256<float> c0a, c0b, c1a, c1b, c2a, c2b, c3a, c3b, c4a, c4b, c5a, c5b;
        if (t.Accumulate)
        {
            c0a = Vector256.Load(c);
            c0b = Vector256.Load(c + 8);
            c1a = Vector256.Load(c + cStride);
            c1b = Vector256.Load(c + cStride + 8);
            c2a = Vector256.Load(c + 2 * cStride);
            c2b = Vector256.Load(c + 2 * cStride + 8);
            c3a = Vector256.Load(c + 3 * cStride);
            c3b = Vector256.Load(c + 3 * cStride + 8);
            c4a = Vector256.Load(c + 4 * cStride);
            c4b = Vector256.Load(c + 4 * cStride + 8);
            c5a = Vector256.Load(c + 5 * cStride);
            c5b = Vector256.Load(c + 5 * cStride + 8);
        }
        else
        {
            c0a = c0b = c1a = c1b = c2a = c2b = c3a = c3b = c4a = c4b = c5a = c5b = Vector256<float>.Zero;
        }
        for (var p = t.K; p > 0; p--)
        {
            Vector256<float> b0 = Vector256.Load(b), b1 = Vector256.Load(b + 8);
            var x = Vector256.Create(*a0);
            c0a = Fma.MultiplyAdd(x, b0, c0a);
            c0b = Fma.MultiplyAdd(x, b1, c0b);
            x = Vector256.Create(a0[one]);
            c1a = Fma.MultiplyAdd(x, b0, c1a);
            c1b = Fma.MultiplyAdd(x, b1, c1b);
            x = Vector256.Create(a0[two]);
            c2a = Fma.MultiplyAdd(x, b0, c2a);
            c2b = Fma.MultiplyAdd(x, b1, c2b);
            x = Vector256.Create(*a3);
            c3a = Fma.MultiplyAdd(x, b0, c3a);
            c3b = Fma.MultiplyAdd(x, b1, c3b);
            x = Vector256.Create(a3[one]);
            c4a = Fma.MultiplyAdd(x, b0, c4a);
            c4b = Fma.MultiplyAdd(x, b1, c4b);
            x = Vector256.Create(a3[two]);
            c5a = Fma.MultiplyAdd(x, b0, c5a);
            c5b = Fma.MultiplyAdd(x, b1, c5b);
            a0 += step;
            a3 += step;
            b += bStride;
        }
        c0a.Store(c);
        c0b.Store(c + 8);
        c1a.Store(c + cStride);
        c1b.Store(c + cStride + 8);
        c2a.Store(c + 2 * cStride);
        c2b.Store(c + 2 * cStride + 8);
        c3a.Store(c + 3 * cStride);
        c3b.Store(c + 3 * cStride + 8);
        c4a.Store(c + 4 * cStride);
        c4b.Store(c + 4 * cStride + 8);
        c5a.Store(c + 5 * cStride);
        c5b.Store(c + 5 * cStride + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Tile2x16(in TileArguments t, int row, int rows, float* c, nint cStride)
    {
        // A missing second row repeats the first and is not stored.
        nint step = t.AStep, bStride = t.BStride;
        float* a0 = t.A + row * t.ARow, a1 = a0 + (rows - 1) * t.ARow, b = t.B;
        c += row * cStride;
        Vector256<float> c0a, c0b, c1a, c1b;
        if (t.Accumulate)
        {
            c0a = Vector256.Load(c);
            c0b = Vector256.Load(c + 8);
            c1a = Vector256.Load(c + (rows - 1) * cStride);
            c1b = Vector256.Load(c + (rows - 1) * cStride + 8);
        }
        else
        {
            c0a = c0b = c1a = c1b = Vector256<float>.Zero;
        }
        for (var p = t.K; p > 0; p--)
        {
            Vector256<float> b0 = Vector256.Load(b), b1 = Vector256.Load(b + 8);
            var x = Vector256.Create(*a0);
            c0a = Fma.MultiplyAdd(x, b0, c0a);
            c0b = Fma.MultiplyAdd(x, b1, c0b);
            x = Vector256.Create(*a1);
            c1a = Fma.MultiplyAdd(x, b0, c1a);
            c1b = Fma.MultiplyAdd(x, b1, c1b);
            a0 += step;
            a1 += step;
            b += bStride;
        }
        c0a.Store(c);
        c0b.Store(c + 8);
        if (rows < 2) return;
        c1a.Store(c + cStride);
        c1b.Store(c + cStride + 8);
    }
}
