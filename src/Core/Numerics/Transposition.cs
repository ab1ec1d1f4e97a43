using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rl.Distributed.Core.Numerics;

/// <summary>Transposes matrices that lie anywhere in memory.</summary>
internal static unsafe class Transposition
{
    /// <summary>to [columns, rows] = the transpose of from [rows, columns].</summary>
    public static void Run(int rows, int columns, ReadOnlySpan<float> from, Span<float> to)
    {
        Lengths.CheckShape(from.Length, rows, columns);
        Lengths.CheckEqual(from.Length, to.Length);
        fixed (float* source = from, target = to) Run(rows, columns, source, columns, target, rows);
    }

    /// <summary>to[j * toStride + i] = from[i * fromStride + j] for i below rows and j below columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(int rows, int columns, float* from, nint fromStride, float* to, nint toStride)
    {
        var i = 0;
        if (Avx512F.IsSupported && columns >= 16)
        {
            for (; i + 16 <= rows; i += 16)
            {
                var j = 0;
                for (; j + 16 <= columns; j += 16) Block16(from + i * fromStride + j, fromStride, to + j * toStride + i, toStride);
                for (var y = i; j < columns && y < i + 16; y += 4)
                {
                    Band4(columns - j, from + y * fromStride + j, fromStride, to + j * toStride + y, toStride);
                }
            }
        }
        if (Sse.IsSupported)
        {
            for (; i + 4 <= rows; i += 4) Band4(columns, from + i * fromStride, fromStride, to + i, toStride);
        }
        Scalar(rows - i, columns, from + i * fromStride, fromStride, to + i, toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Band4(int columns, float* from, nint fromStride, float* to, nint toStride)
    {
        var j = 0;
        for (; j + 4 <= columns; j += 4) Block4(from + j, fromStride, to + j * toStride, toStride);
        for (; j < columns; j++)
        {
            var column = from + j;
            Vector128.Create(column[0], column[fromStride], column[2 * fromStride], column[3 * fromStride]).Store(to + j * toStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scalar(int rows, int columns, float* from, nint fromStride, float* to, nint toStride)
    {
        for (var j = 0; j < columns; j++)
        {
            for (var i = 0; i < rows; i++) to[j * toStride + i] = from[i * fromStride + j];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block4(float* from, nint fromStride, float* to, nint toStride)
    {
        Vector128<float> r0 = Vector128.Load(from), r1 = Vector128.Load(from + fromStride);
        Vector128<float> r2 = Vector128.Load(from + 2 * fromStride), r3 = Vector128.Load(from + 3 * fromStride);
        Vector128<float> low01 = Sse.UnpackLow(r0, r1), high01 = Sse.UnpackHigh(r0, r1);
        Vector128<float> low23 = Sse.UnpackLow(r2, r3), high23 = Sse.UnpackHigh(r2, r3);
        Sse.MoveLowToHigh(low01, low23).Store(to);
        Sse.MoveHighToLow(low23, low01).Store(to + toStride);
        Sse.MoveLowToHigh(high01, high23).Store(to + 2 * toStride);
        Sse.MoveHighToLow(high23, high01).Store(to + 3 * toStride);
    }

    /// <summary>16 x 16 in three passes: within 128-bit lanes 4 x 4 blocks are transposed, then lanes change places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block16(float* from, nint fromStride, float* to, nint toStride)
    {
        // Rows 4g … 4g+3, transposed within lanes: lane l of column c holds (column 4l + c, rows 4g … 4g+3).
        Lanes(from, fromStride, out var a0, out var a1, out var a2, out var a3);
        Lanes(from + 4 * fromStride, fromStride, out var b0, out var b1, out var b2, out var b3);
        Lanes(from + 8 * fromStride, fromStride, out var c0, out var c1, out var c2, out var c3);
        Lanes(from + 12 * fromStride, fromStride, out var d0, out var d1, out var d2, out var d3);
        Spread(a0, b0, c0, d0, to, 4 * toStride);
        Spread(a1, b1, c1, d1, to + toStride, 4 * toStride);
        Spread(a2, b2, c2, d2, to + 2 * toStride, 4 * toStride);
        Spread(a3, b3, c3, d3, to + 3 * toStride, 4 * toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lanes(
        float* from, nint stride, out Vector512<float> t0, out Vector512<float> t1, out Vector512<float> t2, out Vector512<float> t3)
    {
        Vector512<float> r0 = Vector512.Load(from), r1 = Vector512.Load(from + stride);
        Vector512<float> r2 = Vector512.Load(from + 2 * stride), r3 = Vector512.Load(from + 3 * stride);
        Vector512<double> low01 = Avx512F.UnpackLow(r0, r1).AsDouble(), high01 = Avx512F.UnpackHigh(r0, r1).AsDouble();
        Vector512<double> low23 = Avx512F.UnpackLow(r2, r3).AsDouble(), high23 = Avx512F.UnpackHigh(r2, r3).AsDouble();
        t0 = Avx512F.UnpackLow(low01, low23).AsSingle();
        t1 = Avx512F.UnpackHigh(low01, low23).AsSingle();
        t2 = Avx512F.UnpackLow(high01, high23).AsSingle();
        t3 = Avx512F.UnpackHigh(high01, high23).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* to, nint stride)
    {
        // 0x88 takes lanes 0 and 2 of both operands, 0xDD lanes 1 and 3.
        Vector512<float> abEven = Avx512F.Shuffle4x128(a, b, 0x88), abOdd = Avx512F.Shuffle4x128(a, b, 0xDD);
        Vector512<float> cdEven = Avx512F.Shuffle4x128(c, d, 0x88), cdOdd = Avx512F.Shuffle4x128(c, d, 0xDD);
        Avx512F.Shuffle4x128(abEven, cdEven, 0x88).Store(to);
        Avx512F.Shuffle4x128(abOdd, cdOdd, 0x88).Store(to + stride);
        Avx512F.Shuffle4x128(abEven, cdEven, 0xDD).Store(to + 2 * stride);
        Avx512F.Shuffle4x128(abOdd, cdOdd, 0xDD).Store(to + 3 * stride);
    }
}
