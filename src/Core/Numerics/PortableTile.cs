using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Numerics;

/// <summary>Tiles of 4 rows by 8 columns in 128-bit vectors, for any machine that has those.</summary>
/// <remarks>Every element is summed over k in ascending order; whether a step is fused is up to the machine.</remarks>
internal readonly struct PortableTile : ITile
{
    public static int Rows => 4;

    public static int Width => 8;

    public static int Lane => 8;

    public static unsafe void Run(in TileArguments t)
    {
        if (t.Columns == 8)
        {
            Tile4x8(t, t.C, t.CStride);
            return;
        }
        var buffer = stackalloc float[4 * 8];
        if (t.Accumulate) Copy(t, t.C, t.CStride, buffer, 8);
        Tile4x8(t, buffer, 8);
        Copy(t, buffer, 8, t.C, t.CStride);
    }

    private static unsafe void Copy(in TileArguments t, float* from, nint fromStride, float* to, nint toStride)
    {
        for (var i = 0; i < t.Rows; i++)
        {
            for (var j = 0; j < t.Columns; j++) to[i * toStride + j] = from[i * fromStride + j];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Tile4x8(in TileArguments t, float* c, nint cStride)
    {
        // Rows past the end repeat the last one: the same sums are stored there again.
        int last = t.Rows - 1, r1 = Math.Min(1, last), r2 = Math.Min(2, last), r3 = Math.Min(3, last);
        float* a0 = t.A, a1 = a0 + r1 * t.ARow, a2 = a0 + r2 * t.ARow, a3 = a0 + r3 * t.ARow, b = t.B;
        nint step = t.AStep, bStride = t.BStride;
        Vector128<float> c0a, c0b, c1a, c1b, c2a, c2b, c3a, c3b;
        if (t.Accumulate)
        {
            (c0a, c0b) = (Vector128.Load(c), Vector128.Load(c + 4));
            (c1a, c1b) = (Vector128.Load(c + r1 * cStride), Vector128.Load(c + r1 * cStride + 4));
            (c2a, c2b) = (Vector128.Load(c + r2 * cStride), Vector128.Load(c + r2 * cStride + 4));
            (c3a, c3b) = (Vector128.Load(c + r3 * cStride), Vector128.Load(c + r3 * cStride + 4));
        }
        else
        {
            c0a = c0b = c1a = c1b = c2a = c2b = c3a = c3b = Vector128<float>.Zero;
        }
        for (var p = t.K; p > 0; p--)
        {
            Vector128<float> b0 = Vector128.Load(b), b1 = Vector128.Load(b + 4);
            var x = Vector128.Create(*a0);
            c0a = Vector128.MultiplyAddEstimate(x, b0, c0a);
            c0b = Vector128.MultiplyAddEstimate(x, b1, c0b);
            x = Vector128.Create(*a1);
            c1a = Vector128.MultiplyAddEstimate(x, b0, c1a);
            c1b = Vector128.MultiplyAddEstimate(x, b1, c1b);
            x = Vector128.Create(*a2);
            c2a = Vector128.MultiplyAddEstimate(x, b0, c2a);
            c2b = Vector128.MultiplyAddEstimate(x, b1, c2b);
            x = Vector128.Create(*a3);
            c3a = Vector128.MultiplyAddEstimate(x, b0, c3a);
            c3b = Vector128.MultiplyAddEstimate(x, b1, c3b);
            a0 += step;
            a1 += step;
            a2 += step;
            a3 += step;
            b += bStride;
        }
        Store(c + r3 * cStride, c3a, c3b);
        Store(c + r2 * cStride, c2a, c2b);
        Store(c + r1 * cStride, c1a, c1b);
        Store(c, c0a, c0b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Store(float* c, Vector128<float> left, Vector128<float> right)
    {
        left.Store(c);
        right.Store(c + 4);
    }
}
