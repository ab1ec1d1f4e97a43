using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Environments.Tetris;

/// <summary>The seven one-sided tetrominoes.</summary>
public enum TetrisPiece : byte
{
    I,
    O,
    T,
    S,
    Z,
    J,
    L,
}

/// <summary>A piece in one orientation over one column; from there it drops. Immutable.</summary>
public readonly struct TetrisPlacement
{
    // The cells as they stand on the floor, in a board's layout.
    internal readonly Vector256<ulong> Cells;

    // How high above the piece's own bottom row its lowest cell is, in each of four columns; Beyond where it has none.
    internal readonly int Bottom0, Bottom1, Bottom2, Bottom3;

    private const int Beyond = 100;

    private readonly byte _piece, _rotation, _column, _width, _height;

    internal TetrisPlacement(TetrisPiece piece, int rotation, int column, bool[,] shape)
    {
        (_piece, _rotation, _column) = ((byte)piece, (byte)rotation, (byte)column);
        (_height, _width) = ((byte)shape.GetLength(0), (byte)shape.GetLength(1));
        Span<int> bottoms = [Beyond, Beyond, Beyond, Beyond];
        for (var x = 0; x < _width; x++)
            for (var y = _height - 1; y >= 0; y--)
            {
                if (!shape[y, x]) continue;
                bottoms[x] = y;
                Cells |= TetrisBoard.Cell(y, column + x);
            }
        (Bottom0, Bottom1, Bottom2, Bottom3) = (bottoms[0], bottoms[1], bottoms[2], bottoms[3]);
    }

    public TetrisPiece Piece => (TetrisPiece)_piece;

    /// <summary>Clockwise quarter turns from the shape in which the piece appears, fewer than its distinct orientations.</summary>
    public int Rotation => _rotation;

    /// <summary>Its leftmost column, 0 at the left wall.</summary>
    public int Column => _column;

    /// <summary>Columns that it covers.</summary>
    public int Width => _width;

    /// <summary>Rows that it covers.</summary>
    public int Height => _height;
}

/// <summary>The pieces, and all that can be done with each.</summary>
/// <remarks>
/// Pieces appear as below and turn clockwise; the distinct orientations are 2, 1, 4, 2, 2, 4, 4. That makes 17, 9, 34, 17, 17, 34, 34
/// placements on ten columns.
/// <code>
///   I XXXX    O XX    T .X.    S .XX    Z XX.    J X..    L ..X
///               XX      XXX      XX.      .XX      XXX      XXX
/// </code>
/// </remarks>
public static class TetrisPieces
{
    public const int Count = 7;

    /// <summary>The most placements that a piece has.</summary>
    public const int MaxPlacements = 34;

    private static readonly string[][] Shapes =
        [["XXXX"], ["XX", "XX"], [".X.", "XXX"], [".XX", "XX."], ["XX.", ".XX"], ["X..", "XXX"], ["..X", "XXX"]];

    private static readonly TetrisPlacement[][] All = [.. Enumerable.Range(0, Count).Select(i => Placed((TetrisPiece)i))];

    // [piece, rotation 0 … 3]: where its column 0 is among the piece's placements; turns beyond the distinct ones come around again.
    private static readonly int[] Starts =
        [.. Enumerable.Range(0, Count * 4).Select(i => FirstOf(All[i / 4], (i % 4) % (All[i / 4][^1].Rotation + 1)))];

    /// <summary>Every placement of a piece, sorted by rotation, then by column from the left.</summary>
    public static ReadOnlySpan<TetrisPlacement> Placements(TetrisPiece piece) => All[(int)piece];

    /// <summary>How many of a piece's four rotations differ.</summary>
    public static int Rotations(TetrisPiece piece) => All[(int)piece][^1].Rotation + 1;

    /// <summary>One placement of a piece.</summary>
    /// <param name="piece">Which.</param>
    /// <param name="rotation">Clockwise turns, 0 to 3; equal orientations count as one.</param>
    /// <param name="column">The wanted leftmost column; a piece that would pass the right wall is put at the wall.</param>
    public static ref readonly TetrisPlacement Placement(TetrisPiece piece, int rotation, int column)
    {
        var placements = All[(int)piece];
        var start = Starts[4 * (int)piece + rotation];
        return ref placements[start + Math.Min(column, TetrisBoard.Columns - placements[start].Width)];
    }

    private static int FirstOf(TetrisPlacement[] placements, int rotation) => Array.FindIndex(placements, it => it.Rotation == rotation);

    private static TetrisPlacement[] Placed(TetrisPiece piece)
    {
        var shape = Parse(Shapes[(int)piece]);
        var placements = new List<TetrisPlacement>();
        for (var rotation = 0; rotation < 4; rotation++, shape = Turned(shape))
        {
            if (rotation > 0 && shape.Cast<bool>().SequenceEqual(Parse(Shapes[(int)piece]).Cast<bool>())
                && shape.GetLength(0) == Shapes[(int)piece].Length) break;
            for (var column = 0; column <= TetrisBoard.Columns - shape.GetLength(1); column++)
                placements.Add(new TetrisPlacement(piece, rotation, column, shape));
        }
        return [.. placements];
    }

    /// <summary>[y, x] with row 0 at the bottom.</summary>
    private static bool[,] Parse(string[] lines)
    {
        var shape = new bool[lines.Length, lines[0].Length];
        for (var y = 0; y < lines.Length; y++)
            for (var x = 0; x < lines[0].Length; x++) shape[lines.Length - 1 - y, x] = lines[y][x] == 'X';
        return shape;
    }

    /// <summary>A quarter turn clockwise: what was at the left is at the top.</summary>
    private static bool[,] Turned(bool[,] shape)
    {
        var (height, width) = (shape.GetLength(0), shape.GetLength(1));
        var turned = new bool[width, height];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++) turned[width - 1 - x, y] = shape[y, x];
        return turned;
    }
}
