using Rl.Distributed.Core.Environments.Tetris;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

/// <summary>Tetris as one would first write it down: cells[row, column], row 0 at the floor. The oracle of the fast one.</summary>
internal sealed class SlowTetris
{
    public const int Rows = 20, Columns = 10;

    /// <summary>Every orientation, typed by hand: clockwise turns from the first.</summary>
    private static readonly Dictionary<TetrisPiece, string[]> Orientations = new()
    {
        [TetrisPiece.I] = ["XXXX", "X/X/X/X"],
        [TetrisPiece.O] = ["XX/XX"],
        [TetrisPiece.T] = [".X./XXX", "X./XX/X.", "XXX/.X.", ".X/XX/.X"],
        [TetrisPiece.S] = [".XX/XX.", "X./XX/.X"],
        [TetrisPiece.Z] = ["XX./.XX", ".X/XX/X."],
        [TetrisPiece.J] = ["X../XXX", "XX/X./X.", "XXX/..X", ".X/.X/XX"],
        [TetrisPiece.L] = ["..X/XXX", "X./X./XX", "XXX/X..", "XX/.X/.X"],
    };

    public bool[,] Cells { get; private set; } = new bool[Rows, Columns];

    public int LandingRow { get; private set; }

    public int PieceHeight { get; private set; }

    public int Lines { get; private set; }

    public int PieceCellsCleared { get; private set; }

    /// <summary>The lowest rows of a board, '.' for empty, the floor last.</summary>
    public static SlowTetris Parse(string picture)
    {
        var board = new SlowTetris();
        var lines = picture.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Reverse().ToArray();
        for (var row = 0; row < lines.Length; row++)
            for (var column = 0; column < Columns; column++) board.Cells[row, column] = lines[row][column] != '.';
        return board;
    }

    /// <summary>Any cells, up to a random height, with at least one gap in each row.</summary>
    public static SlowTetris Random(ref RandomStream random)
    {
        var board = new SlowTetris();
        var (height, density) = (random.NextInt32(Rows + 1), random.NextDouble());
        for (var row = 0; row < height; row++)
        {
            for (var column = 0; column < Columns; column++) board.Cells[row, column] = random.NextDouble() < density;
            board.Cells[row, random.NextInt32(Columns)] = false;
        }
        return board;
    }

    public static IEnumerable<(int Rotation, int Column, bool[,] Shape)> Placements(TetrisPiece piece) =>
        from rotation in Enumerable.Range(0, Orientations[piece].Length)
        let shape = Shape(Orientations[piece][rotation])
        from column in Enumerable.Range(0, Columns - shape.GetLength(1) + 1)
        select (rotation, column, shape);

    public TetrisBoard Fast()
    {
        var board = TetrisBoard.Empty;
        foreach (var (row, column) in All())
            if (Cells[row, column]) board = board.With(row, column);
        return board;
    }

    /// <summary>The board after a drop; null where the piece sticks out.</summary>
    public SlowTetris? Drop(int column, bool[,] shape)
    {
        var row = Rows;
        while (row > 0 && Fits(row - 1, column, shape)) row--;
        var after = new SlowTetris { Cells = (bool[,])Cells.Clone(), LandingRow = row, PieceHeight = shape.GetLength(0) };
        var mine = new bool[Rows, Columns];
        for (var y = 0; y < shape.GetLength(0); y++)
            for (var x = 0; x < shape.GetLength(1); x++)
            {
                if (!shape[y, x]) continue;
                if (row + y >= Rows) return null;
                after.Cells[row + y, column + x] = mine[row + y, column + x] = true;
            }
        var kept = new List<int>();
        for (var y = 0; y < Rows; y++)
        {
            if (Enumerable.Range(0, Columns).Any(x => !after.Cells[y, x])) kept.Add(y);
            else after.PieceCellsCleared += Enumerable.Range(0, Columns).Count(x => mine[y, x]);
        }
        after.Lines = Rows - kept.Count;
        var cleared = new bool[Rows, Columns];
        for (var y = 0; y < kept.Count; y++)
            for (var x = 0; x < Columns; x++) cleared[y, x] = after.Cells[kept[y], x];
        after.Cells = cleared;
        return after;
    }

    public float[] Bertsekas()
    {
        int[] heights = [.. Enumerable.Range(0, Columns).Select(Height)];
        return [.. heights, .. heights.Skip(1).Zip(heights, (a, b) => (float)Math.Abs(a - b)), heights.Max(), Holes().Count(), 1];
    }

    public float[] Bcts() =>
    [
        LandingRow + (PieceHeight - 1) / 2f,
        Lines * PieceCellsCleared,
        All().Count(it => Filled(it.Row, it.Column) != Filled(it.Row, it.Column - 1))
            + Enumerable.Range(0, Rows).Count(row => !Filled(row, Columns - 1)),
        Enumerable.Range(0, Rows + 1).Sum(row => Enumerable.Range(0, Columns).Count(x => Filled(row, x) != Filled(row - 1, x))),
        Holes().Count(),
        All().Where(it => !Filled(it.Row, it.Column) && Filled(it.Row, it.Column - 1) && Filled(it.Row, it.Column + 1))
            .Sum(it => RunDown(it.Row, it.Column, filled: false)),
        Depth(),
        Holes().Select(it => it.Row).Distinct().Count(),
    ];

    private static IEnumerable<(int Row, int Column)> All() =>
        from row in Enumerable.Range(0, Rows) from column in Enumerable.Range(0, Columns) select (row, column);

    private static bool[,] Shape(string text)
    {
        var lines = text.Split('/');
        var shape = new bool[lines.Length, lines[0].Length];
        for (var y = 0; y < lines.Length; y++)
            for (var x = 0; x < lines[0].Length; x++) shape[y, x] = lines[lines.Length - 1 - y][x] == 'X';
        return shape;
    }

    private bool Fits(int row, int column, bool[,] shape)
    {
        for (var y = 0; y < shape.GetLength(0); y++)
            for (var x = 0; x < shape.GetLength(1); x++)
                if (shape[y, x] && row + y < Rows && Cells[row + y, column + x]) return false;
        return true;
    }

    /// <summary>Walls and floor are filled, above the board all is empty.</summary>
    private bool Filled(int row, int column) => column is < 0 or >= Columns || row < 0 || (row < Rows && Cells[row, column]);

    private int Height(int column) => 1 + Enumerable.Range(0, Rows).LastOrDefault(row => Cells[row, column], -1);

    private IEnumerable<(int Row, int Column)> Holes()
    {
        int[] heights = [.. Enumerable.Range(0, Columns).Select(Height)];
        return All().Where(it => !Cells[it.Row, it.Column] && it.Row < heights[it.Column]);
    }

    private int RunDown(int row, int column, bool filled)
    {
        var length = 0;
        while (row >= 0 && Filled(row, column) == filled) (row, length) = (row - 1, length + 1);
        return length;
    }

    private int Depth()
    {
        var depth = 0;
        foreach (var (row, column) in Holes())
            for (var above = row + 1; above < Rows && Cells[above, column]; above++) depth++;
        return depth;
    }
}
