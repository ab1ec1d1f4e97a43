using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Losses;

/// <summary>Between rows [rows][A] and blocks [⌈rows/lanes⌉][A][lanes], in which one vector holds one action of several rows.</summary>
/// <remarks>A is small, so that vectors along a row would be mostly empty.</remarks>
internal static class LaneBlocks
{
    /// <summary>Rows to blocks; the lanes beyond the last row become zero.</summary>
    public static void FromRows(ReadOnlySpan<float> rows, int actions, Span<float> blocks)
    {
        var lanes = Vector<float>.Count;
        var count = rows.Length / actions;
        var whole = count / lanes;
        ref var source = ref MemoryMarshal.GetReference(rows);
        ref var target = ref MemoryMarshal.GetReference(blocks[..(whole * lanes * actions)]);
        for (var block = 0; block < whole; block++)
        {
            for (var a = 0; a < actions; a++)
            {
                for (var lane = 0; lane < lanes; lane++) Unsafe.Add(ref target, lane) = Unsafe.Add(ref source, lane * actions + a);
                target = ref Unsafe.Add(ref target, lanes);
            }
            source = ref Unsafe.Add(ref source, lanes * actions);
        }
        if (whole * lanes == count) return;
        var rest = blocks.Slice(whole * lanes * actions, lanes * actions);
        rest.Clear();
        for (var row = whole * lanes; row < count; row++)
        {
            for (var a = 0; a < actions; a++) rest[a * lanes + row % lanes] = rows[row * actions + a];
        }
    }

    /// <summary>Blocks back to rows.</summary>
    public static void ToRows(ReadOnlySpan<float> blocks, int actions, Span<float> rows)
    {
        var lanes = Vector<float>.Count;
        var count = rows.Length / actions;
        var whole = count / lanes;
        ref var source = ref MemoryMarshal.GetReference(blocks[..(whole * lanes * actions)]);
        ref var target = ref MemoryMarshal.GetReference(rows);
        for (var block = 0; block < whole; block++)
        {
            for (var a = 0; a < actions; a++)
            {
                for (var lane = 0; lane < lanes; lane++) Unsafe.Add(ref target, lane * actions + a) = Unsafe.Add(ref source, lane);
                source = ref Unsafe.Add(ref source, lanes);
            }
            target = ref Unsafe.Add(ref target, lanes * actions);
        }
        for (var row = whole * lanes; row < count; row++)
        {
            for (var a = 0; a < actions; a++) rows[row * actions + a] = blocks[(whole * actions + a) * lanes + row % lanes];
        }
    }
}
