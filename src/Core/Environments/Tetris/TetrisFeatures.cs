using System.Numerics;
using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Environments.Tetris;

/// <summary>Numbers that describe a board after a drop, for linear evaluation functions.</summary>
public interface ITetrisFeatures
{
    /// <summary>How many there are.</summary>
    static abstract int Count { get; }

    /// <summary>Writes the first Count elements.</summary>
    /// <param name="after">The board after the drop, full rows cleared.</param>
    /// <param name="move">What the drop did.</param>
    /// <param name="features">At least Count long.</param>
    static abstract void Write(in TetrisBoard after, in TetrisMove move, Span<float> features);
}

/// <summary>The 22 features of Bertsekas and Tsitsiklis, "Neuro-Dynamic Programming" (1996), section 8.3.</summary>
/// <remarks>
/// In this order: the heights of the 10 columns; the 9 absolute differences between the heights of neighbours; the largest height; the
/// holes, which are empty cells with a filled one anywhere above; 1.
/// </remarks>
public readonly struct BertsekasFeatures : ITetrisFeatures
{
    private const int FirstDifference = 10, Largest = 19, Holes = 20, Constant = 21;

    public static int Count => 22;

    public static void Write(in TetrisBoard after, in TetrisMove move, Span<float> features)
    {
        features = features[..Count];
        var h = after.Heights;
        var own = Vector256.Create(h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]);
        var next = Vector256.Create(h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8]);
        var last = h[9];
        Vector256.ConvertToSingle(own).CopyTo(features);
        (features[8], features[9]) = (h[8], last);
        Vector256.ConvertToSingle(Vector256.Abs(next - own)).CopyTo(features[FirstDifference..]);
        features[FirstDifference + 8] = Math.Max(h[8], last) - Math.Min(h[8], last);
        features[Largest] = Math.Max(Largest8(Vector256.Max(own, next)), last);
        features[Holes] = Vector256.Sum(own) + h[8] + last + 2 * TetrisBoard.Rows - TetrisBoard.PopCount(after.Cells);
        features[Constant] = 1;
    }

    private static int Largest8(Vector256<int> values)
    {
        var four = Vector128.Max(values.GetLower(), values.GetUpper());
        return Math.Max(Math.Max(four[0], four[1]), Math.Max(four[2], four[3]));
    }
}

/// <summary>Pierre Dellacherie's six features (2003), as Fahey and then Thiery and Scherrer (2009) give them.</summary>
/// <remarks>
/// <code>
/// 0 landing height      the middle of the dropped piece: the row of its bottom, 0 at the floor, + (its height - 1) / 2
/// 1 eroded piece cells  cleared lines × cells of the dropped piece that they took
/// 2 row transitions     neighbours within a row of which one is filled, in all 20 rows; walls are filled
/// 3 column transitions  the same within columns; the floor is filled, what is above the board is empty
/// 4 holes               empty cells with a filled one anywhere above
/// 5 cumulative wells    over all well cells, the empty cells from it down to the next filled one, itself included; a well cell is an
///                       empty one, covered or not, whose left and right neighbours are filled; walls are filled
/// </code>
/// </remarks>
public readonly struct DellacherieFeatures : ITetrisFeatures
{
    public static int Count => 6;

    /// <summary>Dellacherie's hand-made weights: -1, 1, -1, -1, -4, -1.</summary>
    public static ReadOnlySpan<float> Weights => [-1, 1, -1, -1, -4, -1];

    public static void Write(in TetrisBoard after, in TetrisMove move, Span<float> features) => Write(after, move, features, out _);

    internal static void Write(in TetrisBoard after, in TetrisMove move, Span<float> features, out Vector256<ulong> holes)
    {
        const int lane = TetrisBoard.LaneBits, twoLanes = 2 * lane;
        features = features[..6];
        var cells = after.Cells;
        var right = (cells >>> lane) | (Vector256.Shuffle(cells, Vector256.Create(1UL, 2, 3, 0)) << twoLanes);
        var left = (cells << lane) | (Vector256.Shuffle(cells, Vector256.Create(3UL, 0, 1, 2)) >>> twoLanes);
        var up = (cells << 1) | Vector256.Create(TetrisBoard.Ones);
        var empty = ~cells & TetrisBoard.Field;

        features[0] = move.Row + (move.PieceHeight - 1) * 0.5f;
        features[1] = move.Lines * move.PieceCellsCleared;
        features[2] = TetrisBoard.PopCount((cells ^ right) & TetrisBoard.Field);
        // The walls' two lanes change once each, at their top.
        features[3] = TetrisBoard.PopCount(cells ^ up) - 2;
        holes = Below(cells) & empty;
        features[4] = TetrisBoard.PopCount(holes);
        var wells = 0;
        for (var open = left & right & empty; open != Vector256<ulong>.Zero; open = (open >>> 1) & empty)
            wells += TetrisBoard.PopCount(open);
        features[5] = wells;
    }

    /// <summary>In every column the filled cells, and all below them.</summary>
    private static Vector256<ulong> Below(Vector256<ulong> cells)
    {
        // Shifts bring the next lane's low bits in at the top; the masks keep them out.
        cells |= (cells >>> 1) & Vector256.Create(TetrisBoard.Ones * ((1UL << 20) - 1));
        cells |= (cells >>> 2) & Vector256.Create(TetrisBoard.Ones * ((1UL << 19) - 1));
        cells |= (cells >>> 4) & Vector256.Create(TetrisBoard.Ones * ((1UL << 17) - 1));
        cells |= (cells >>> 8) & Vector256.Create(TetrisBoard.Ones * ((1UL << 13) - 1));
        return cells | ((cells >>> 16) & Vector256.Create(TetrisBoard.Ones * ((1UL << 5) - 1)));
    }
}

/// <summary>The eight features of BCTS ("building controllers for Tetris", Thiery and Scherrer 2009): Dellacherie's and two more.</summary>
/// <remarks>
/// <code>
/// 0 … 5                 Dellacherie's
/// 6 hole depth          filled cells right above a hole, and on them without a gap; so all that do not stand on the floor
/// 7 rows with holes     rows in which at least one cell is a hole
/// </code>
/// </remarks>
public readonly struct BctsFeatures : ITetrisFeatures
{
    public static int Count => 8;

    /// <summary>The weights that Thiery and Scherrer published; their controller won Tetris in the 2008 RL competition.</summary>
    public static ReadOnlySpan<float> Weights => [-12.63f, 6.60f, -9.22f, -19.77f, -13.08f, -10.49f, -1.61f, -24.04f];

    public static void Write(in TetrisBoard after, in TetrisMove move, Span<float> features)
    {
        features = features[..Count];
        DellacherieFeatures.Write(after, move, features, out var holes);
        // Adding 1 to a column carries through the filled cells that stand on the floor: what keeps its bit rests on a gap.
        features[6] = TetrisBoard.PopCount(after.Cells & (after.Cells + Vector256.Create(TetrisBoard.Ones)));
        var rows = holes[0] | holes[1] | holes[2] | holes[3];
        rows |= rows >> TetrisBoard.LaneBits | rows >> (2 * TetrisBoard.LaneBits);
        features[7] = BitOperations.PopCount(rows & ((1UL << TetrisBoard.Rows) - 1));
    }
}
