using System.Numerics;
using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Environments.Tetris;

/// <summary>What a drop did.</summary>
/// <param name="Row">The row in which the bottom of the piece came to rest, 0 at the floor.</param>
/// <param name="PieceHeight">Rows that the piece covered.</param>
/// <param name="FullRows">The rows that were full and went away, a bit each as they stood before.</param>
/// <param name="PieceCellsCleared">How many of the piece's four cells went away with them.</param>
public readonly record struct TetrisMove(int Row, int PieceHeight, uint FullRows, int PieceCellsCleared)
{
    /// <summary>Stands for a drop where there was none: landing height and eroded cells are 0.</summary>
    public static TetrisMove None => new(0, 1, 0, 0);

    /// <summary>Cleared lines, 0 to 4.</summary>
    public int Lines => BitOperations.PopCount(FullRows);
}

/// <summary>The heights of a board's ten columns: the rows up to and with the topmost filled cell, 0 to 20. Six bits each.</summary>
public readonly struct TetrisHeights
{
    private readonly ulong _packed;

    internal TetrisHeights(ulong packed) => _packed = packed;

    public int this[int column] => (int)(_packed >> (6 * column)) & 63;

    /// <summary>The row in which the bottom of a piece comes to rest when it falls straight down; it may stick out at the top.</summary>
    public int LandingRow(in TetrisPlacement placement)
    {
        var heights = _packed >> (6 * placement.Column);
        var row = (int)(heights & 63) - placement.Bottom0;
        row = Math.Max(row, (int)(heights >> 6 & 63) - placement.Bottom1);
        row = Math.Max(row, (int)(heights >> 12 & 63) - placement.Bottom2);
        return Math.Max(row, (int)(heights >> 18 & 63) - placement.Bottom3);
    }
}

/// <summary>A Tetris board of 10 columns and 20 rows, as bits. Immutable; nothing here allocates.</summary>
/// <remarks>
/// Layout: twelve lanes of 21 bits, three in each of four words: the left wall, the columns from left to right, the right wall. Bit r of
/// a lane is row r, 0 at the floor; bit 20, the guard, is always 0, so that sums and shifts within a lane do not reach the next. Walls
/// are full. So one shift by a lane compares every column with its neighbour, and one shift by a bit every row with the next.
/// </remarks>
public readonly struct TetrisBoard : IEquatable<TetrisBoard>
{
    public const int Rows = 20, Columns = 10;

    internal const int LaneBits = 21, LanesPerWord = 3;

    /// <summary>The lowest bit of every lane.</summary>
    internal const ulong Ones = 1UL | 1UL << LaneBits | 1UL << (2 * LaneBits);

    private const uint FullColumn = (1u << Rows) - 1;

    internal readonly Vector256<ulong> Cells;

    internal TetrisBoard(Vector256<ulong> cells) => Cells = cells;

    public static TetrisBoard Empty => new(Walls);

    /// <summary>All twenty rows of all lanes.</summary>
    internal static Vector256<ulong> Field => Vector256.Create(Ones * FullColumn);

    private static Vector256<ulong> Walls => Vector256.Create(FullColumn, 0UL, 0UL, (ulong)FullColumn << (2 * LaneBits));

    /// <summary>The heights of all columns.</summary>
    public TetrisHeights Heights
    {
        get
        {
            // Word by word, as a lane whose place is a variable would go through memory.
            var packed = Height(Cells[0], 1) | Height(Cells[0], 2) << 6;
            packed |= Height(Cells[1], 0) << 12 | Height(Cells[1], 1) << 18 | Height(Cells[1], 2) << 24;
            packed |= Height(Cells[2], 0) << 30 | Height(Cells[2], 1) << 36 | Height(Cells[2], 2) << 42;
            packed |= Height(Cells[3], 0) << 48 | Height(Cells[3], 1) << 54;
            return new TetrisHeights(packed);
        }
    }

    /// <summary>Whether a cell is filled; row 0 is at the floor, column 0 at the left wall.</summary>
    public bool this[int row, int column] => (Column(column) >> row & 1) != 0;

    /// <summary>The board with one more cell filled; a row that this fills stays.</summary>
    public TetrisBoard With(int row, int column)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)Columns);
        return new TetrisBoard(Cells | Cell(row, column));
    }

    /// <summary>Drops a piece straight down and clears the rows that are full.</summary>
    /// <param name="placement">The piece, turned, over its column.</param>
    /// <param name="heights">This board's.</param>
    /// <param name="after">The board after the drop.</param>
    /// <param name="move">What the drop did.</param>
    /// <returns>False where the piece would stick out above row 19, whatever it fills: then the rest means nothing.</returns>
    public bool TryDrop(in TetrisPlacement placement, TetrisHeights heights, out TetrisBoard after, out TetrisMove move)
    {
        var row = heights.LandingRow(placement);
        if (row + placement.Height > Rows)
        {
            (after, move) = (this, default);
            return false;
        }
        after = Put(placement, row, out move);
        return true;
    }

    public bool Equals(TetrisBoard other) => Cells == other.Cells;

    public override bool Equals(object? other) => other is TetrisBoard board && Equals(board);

    public override int GetHashCode() => Cells.GetHashCode();

    public static bool operator ==(TetrisBoard left, TetrisBoard right) => left.Equals(right);

    public static bool operator !=(TetrisBoard left, TetrisBoard right) => !left.Equals(right);

    /// <summary>Puts a piece with its bottom in a row, where it must fit, and clears the rows that are full.</summary>
    internal TetrisBoard Put(in TetrisPlacement placement, int row, out TetrisMove move)
    {
        var piece = placement.Cells << row;
        var cells = Cells | piece;
        var common = cells[0] & cells[1] & cells[2] & cells[3];
        var full = (uint)(common & common >> LaneBits & common >> (2 * LaneBits)) & FullColumn;
        if (full == 0)
        {
            move = new TetrisMove(row, placement.Height, 0, 0);
            return new TetrisBoard(cells);
        }
        move = new TetrisMove(row, placement.Height, full, PopCount(piece & Vector256.Create(Ones * full)));
        return new TetrisBoard(Without(cells, full) | Walls);
    }

    /// <summary>Whether a piece with its bottom in a row would cover filled cells.</summary>
    internal bool Collides(in TetrisPlacement placement, int row) => (Cells & (placement.Cells << row)) != Vector256<ulong>.Zero;

    /// <summary>A column's rows, a bit each.</summary>
    internal uint Column(int column)
    {
        var (word, lane) = Math.DivRem(column + 1, LanesPerWord);
        return (uint)(Cells[word] >> (LaneBits * lane)) & FullColumn;
    }

    internal static Vector256<ulong> Cell(int row, int column)
    {
        var (word, lane) = Math.DivRem(column + 1, LanesPerWord);
        return Vector256<ulong>.Zero.WithElement(word, 1UL << (LaneBits * lane + row));
    }

    /// <summary>Takes rows out; what lies above them moves down.</summary>
    internal static Vector256<ulong> Without(Vector256<ulong> cells, uint rows)
    {
        for (var left = rows; left != 0;)
        {
            // From the top, so that the rows still to come keep their places.
            var top = 1u << BitOperations.Log2(left);
            left ^= top;
            var below = Vector256.Create(Ones * (top - 1));
            cells = (cells & below) | ((cells >>> 1) & ~below & Field);
        }
        return cells;
    }

    private static ulong Height(ulong word, int lane) =>
        (ulong)(32 - BitOperations.LeadingZeroCount((uint)(word >> (LaneBits * lane)) & FullColumn));

    internal static int PopCount(Vector256<ulong> bits) =>
        BitOperations.PopCount(bits[0]) + BitOperations.PopCount(bits[1])
        + BitOperations.PopCount(bits[2]) + BitOperations.PopCount(bits[3]);
}
