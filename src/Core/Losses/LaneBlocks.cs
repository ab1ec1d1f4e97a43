using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rl.Distributed.Core.Losses;

/// <summary>Between rows [rows][A] and blocks [⌈rows/lanes⌉][A][lanes], in which one vector holds one action of several rows.</summary>
/// <remarks>A is small, so that vectors along a row would be mostly empty. With eight lanes, four columns of eight rows are
/// transposed in registers; other widths go element by element.</remarks>
internal static class LaneBlocks
{
    /// <summary>Rows to blocks; the lanes beyond the last row become zero.</summary>
    public static void FromRows(ReadOnlySpan<float> rows, int actions, Span<float> blocks)
    {
        var lanes = Vector<float>.Count;
        var count = rows.Length / actions;
        var first = FastRows(count, actions);
        ref var source = ref MemoryMarshal.GetReference(rows);
        ref var target = ref MemoryMarshal.GetReference(blocks[..(first * actions)]);
        for (var row = 0; row < first; row += lanes)
        {
            ref var from = ref Unsafe.Add(ref source, row * actions);
            ref var to = ref Unsafe.Add(ref target, row * actions);
            for (var column = 0; column < actions; column += 4)
            {
                var group = Math.Min(column, Math.Max(0, actions - 4));
                ReadColumns(ref Unsafe.Add(ref from, group), actions, ref Unsafe.Add(ref to, group * lanes), Math.Min(4, actions));
            }
        }
        FromRowsScalar(rows, actions, blocks, first);
    }

    /// <summary>The scalar twin of <see cref="FromRows"/>, from a row on that begins a block.</summary>
    public static void FromRowsScalar(ReadOnlySpan<float> rows, int actions, Span<float> blocks, int first)
    {
        var lanes = Vector<float>.Count;
        var count = rows.Length / actions;
        var padded = (count + lanes - 1) / lanes * lanes;
        if (padded != count) blocks[((padded - lanes) * actions)..(padded * actions)].Clear();
        for (var row = first; row < count; row++)
        {
            var block = blocks.Slice(row / lanes * lanes * actions, lanes * actions);
            for (var a = 0; a < actions; a++) block[a * lanes + row % lanes] = rows[row * actions + a];
        }
    }

    /// <summary>Blocks back to rows.</summary>
    public static void ToRows(ReadOnlySpan<float> blocks, int actions, Span<float> rows)
    {
        var lanes = Vector<float>.Count;
        var first = FastRows(rows.Length / actions, actions);
        ref var source = ref MemoryMarshal.GetReference(blocks[..(first * actions)]);
        ref var target = ref MemoryMarshal.GetReference(rows);
        for (var row = 0; row < first; row += lanes)
        {
            ref var from = ref Unsafe.Add(ref source, row * actions);
            ref var to = ref Unsafe.Add(ref target, row * actions);
            for (var column = 0; column < actions; column += 4)
            {
                var group = Math.Min(column, Math.Max(0, actions - 4));
                WriteColumns(ref Unsafe.Add(ref from, group * lanes), Math.Min(4, actions), ref Unsafe.Add(ref to, group), actions);
            }
        }
        ToRowsScalar(blocks, actions, rows, first);
    }

    /// <summary>The scalar twin of <see cref="ToRows"/>, from a row on that begins a block.</summary>
    public static void ToRowsScalar(ReadOnlySpan<float> blocks, int actions, Span<float> rows, int first)
    {
        var lanes = Vector<float>.Count;
        for (var row = first; row < rows.Length / actions; row++)
        {
            var block = blocks.Slice(row / lanes * lanes * actions, lanes * actions);
            for (var a = 0; a < actions; a++) rows[row * actions + a] = block[a * lanes + row % lanes];
        }
    }

    /// <summary>How many rows, whole blocks, go through registers. Rows of fewer than four are handled four elements at a time
    /// all the same, so that their last block must leave room behind it.</summary>
    private static int FastRows(int count, int actions)
    {
        if (Vector<float>.Count != 8 || !Avx.IsSupported) return 0;
        var room = actions < 4 ? 3 : 0;
        return Math.Max(0, count - room) / 8 * 8;
    }

    /// <summary>Four elements of each of eight rows become (up to) four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ReadColumns(ref float from, int stride, ref float to, int columns)
    {
        // Rows r and r + 4 share a vector, so that transposing its halves gives rows 0 … 7 in order.
        Vector256<float> r0 = Pair(ref from, 0, stride), r1 = Pair(ref from, 1, stride);
        Vector256<float> r2 = Pair(ref from, 2, stride), r3 = Pair(ref from, 3, stride);
        Transpose(ref r0, ref r1, ref r2, ref r3);
        r0.StoreUnsafe(ref to);
        if (columns > 1) r1.StoreUnsafe(ref to, 8);
        if (columns > 2) r2.StoreUnsafe(ref to, 16);
        if (columns > 3) r3.StoreUnsafe(ref to, 24);
    }

    /// <summary>The way back. What is written behind a short row is overwritten by the next one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteColumns(ref float from, int columns, ref float to, int stride)
    {
        var c0 = Vector256.LoadUnsafe(ref from);
        var c1 = columns > 1 ? Vector256.LoadUnsafe(ref from, 8) : c0;
        var c2 = columns > 2 ? Vector256.LoadUnsafe(ref from, 16) : c0;
        var c3 = columns > 3 ? Vector256.LoadUnsafe(ref from, 24) : c0;
        Transpose(ref c0, ref c1, ref c2, ref c3);
        var step = (nuint)stride;
        c0.GetLower().StoreUnsafe(ref to);
        c1.GetLower().StoreUnsafe(ref to, step);
        c2.GetLower().StoreUnsafe(ref to, 2 * step);
        c3.GetLower().StoreUnsafe(ref to, 3 * step);
        c0.GetUpper().StoreUnsafe(ref to, 4 * step);
        c1.GetUpper().StoreUnsafe(ref to, 5 * step);
        c2.GetUpper().StoreUnsafe(ref to, 6 * step);
        c3.GetUpper().StoreUnsafe(ref to, 7 * step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Pair(ref float from, int row, int stride) => Vector256.Create(
        Vector128.LoadUnsafe(ref from, (nuint)(row * stride)), Vector128.LoadUnsafe(ref from, (nuint)((row + 4) * stride)));

    /// <summary>4 x 4 in each 128-bit half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(ref Vector256<float> r0, ref Vector256<float> r1, ref Vector256<float> r2, ref Vector256<float> r3)
    {
        Vector256<double> low01 = Avx.UnpackLow(r0, r1).AsDouble(), high01 = Avx.UnpackHigh(r0, r1).AsDouble();
        Vector256<double> low23 = Avx.UnpackLow(r2, r3).AsDouble(), high23 = Avx.UnpackHigh(r2, r3).AsDouble();
        r0 = Avx.UnpackLow(low01, low23).AsSingle();
        r1 = Avx.UnpackHigh(low01, low23).AsSingle();
        r2 = Avx.UnpackLow(high01, high23).AsSingle();
        r3 = Avx.UnpackHigh(high01, high23).AsSingle();
    }
}
