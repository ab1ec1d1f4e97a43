using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Environments.Tetris;

/// <summary>Which piece every filled cell of a board came from, for pictures: three planes of bits in the board's layout.</summary>
internal struct TetrisColors
{
    private Planes _planes;

    /// <summary>Follows a drop.</summary>
    public void Put(in TetrisPlacement placement, in TetrisMove move)
    {
        var number = (int)placement.Piece + 1;
        for (var i = 0; i < 3; i++)
        {
            if ((number >> i & 1) != 0) _planes[i] |= placement.Cells << move.Row;
            if (move.FullRows != 0) _planes[i] = TetrisBoard.Without(_planes[i], move.FullRows);
        }
    }

    /// <summary>The piece's number plus 1; 0 where the cell is empty.</summary>
    public readonly int this[int row, int column]
    {
        get
        {
            var cell = TetrisBoard.Cell(row, column);
            var number = 0;
            for (var i = 0; i < 3; i++)
                if ((_planes[i] & cell) != Vector256<ulong>.Zero) number |= 1 << i;
            return number;
        }
    }

    [InlineArray(3)]
    private struct Planes
    {
        private Vector256<ulong> _first;
    }
}

/// <summary>Draws Tetris: two characters a cell, a colour a piece, a frame.</summary>
internal static class TetrisPicture
{
    /// <summary>Columns beside the board, for the next piece.</summary>
    private const int Side = 11;

    private static ReadOnlySpan<byte> Palette => [8, 14, 11, 13, 10, 9, 12, 208];

    /// <summary>Draws the board; the framed field is at the left.</summary>
    public static void Draw(in TetrisColors colors, TextCanvas canvas)
    {
        const int width = 2 * TetrisBoard.Columns + 2;
        canvas.Clear(width + Side, TetrisBoard.Rows + 1);
        for (var x = 0; x < width; x++) canvas.Put(x, TetrisBoard.Rows, x is 0 or width - 1 ? '+' : '-', 8);
        for (var row = 0; row < TetrisBoard.Rows; row++)
        {
            canvas.Put(0, row, '|', 8);
            canvas.Put(width - 1, row, '|', 8);
            for (var column = 0; column < TetrisBoard.Columns; column++)
                if (colors[row, column] is > 0 and var number) Cell(canvas, 1 + 2 * column, TetrisBoard.Rows - 1 - row, number);
        }
    }

    /// <summary>Draws a falling piece whose bottom is in a row.</summary>
    public static void DrawOnBoard(in TetrisPlacement placement, int row, TextCanvas canvas) =>
        Draw(placement, 1, TetrisBoard.Rows - 1 - row, canvas);

    /// <summary>Draws a piece beside the board.</summary>
    public static void DrawBeside(in TetrisPlacement placement, TextCanvas canvas) =>
        Draw(placement, 2 * TetrisBoard.Columns + 4, placement.Height, canvas);

    private static void Draw(in TetrisPlacement placement, int left, int bottom, TextCanvas canvas)
    {
        for (var y = 0; y < placement.Height; y++)
            for (var column = placement.Column; column < placement.Column + placement.Width; column++)
                if ((placement.Cells & TetrisBoard.Cell(y, column)) != Vector256<ulong>.Zero)
                    Cell(canvas, left + 2 * column, bottom - y, (int)placement.Piece + 1);
    }

    private static void Cell(TextCanvas canvas, int x, int y, int number)
    {
        canvas.Put(x, y, '[', Palette[number]);
        canvas.Put(x + 1, y, ']', Palette[number]);
    }
}
