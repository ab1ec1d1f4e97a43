using Rl.Distributed.Core.Environments.Tetris;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

public class TetrisBoardTests
{
    private static readonly TetrisPiece[] Pieces = Enum.GetValues<TetrisPiece>();

    [Fact]
    public void Every_piece_has_the_placements_of_its_orientations()
    {
        foreach (var piece in Pieces)
        {
            (int, int, int, int)[] slow =
                [.. SlowTetris.Placements(piece).Select(it => (it.Rotation, it.Column, it.Shape.GetLength(1), it.Shape.GetLength(0)))];
            var fast = TetrisPieces.Placements(piece).ToArray();
            Assert.Equal(slow, fast.Select(it => (it.Rotation, it.Column, it.Width, it.Height)));
            Assert.All(fast, it => Assert.Equal(piece, it.Piece));
        }
        Assert.Equal([17, 9, 34, 17, 17, 34, 34], Pieces.Select(piece => TetrisPieces.Placements(piece).Length));
    }

    [Fact]
    public void Drops_and_features_are_those_of_the_slow_game_on_any_cells()
    {
        var random = RandomStream.Create(3, StreamRole.Environment);
        var (drops, lost, cleared) = (0, 0, new int[5]);
        for (var i = 0; i < 300; i++)
        {
            var slow = SlowTetris.Random(ref random);
            foreach (var after in Compare(slow, (TetrisPiece)random.NextInt32(TetrisPieces.Count)))
            {
                drops++;
                if (after is null) lost++;
                else cleared[after.Lines]++;
            }
        }
        Assert.InRange(lost, drops / 20, drops / 2);
        Assert.True(cleared[1] > 10, $"only {cleared[1]} lines were cleared");
    }

    [Fact]
    public void Drops_and_features_are_those_of_the_slow_game_in_play()
    {
        var random = RandomStream.Create(4, StreamRole.Environment);
        var (slow, cleared) = (new SlowTetris(), new int[5]);
        for (var i = 0; i < 300; i++)
        {
            // Mostly good moves, so that boards grow high and lines fall; sometimes any.
            var piece = (TetrisPiece)random.NextInt32(TetrisPieces.Count);
            var all = Compare(slow, piece);
            var chosen = random.NextInt32(4) == 0
                ? random.NextInt32(all.Count)
                : TetrisController.Best<BctsFeatures>(slow.Fast(), piece, BctsFeatures.Weights);
            slow = (chosen < 0 ? null : all[chosen]) ?? new SlowTetris();
            cleared[slow.Lines]++;
        }
        Assert.True(cleared[1] > 20 && cleared[2] > 0, string.Join(' ', cleared));
    }

    [Fact]
    public void Four_lines_and_lines_with_a_gap_between_go_at_once()
    {
        var four = SlowTetris.Parse("""
            X.........
            XXXXXXXXX.
            XXXXXXXXX.
            XXXXXXXXX.
            XXXXXXXXX.
            """);
        Assert.True(TryDrop(four, TetrisPiece.I, 1, 9, out var after, out var move));
        Assert.Equal(new TetrisMove(0, 4, 15, 4), move);
        Assert.Equal(TetrisBoard.Empty.With(0, 0), after);

        var apart = SlowTetris.Parse("""
            XXXXXXXXX.
            .XXXXXXXX.
            XXXXXXXXX.
            """);
        Assert.True(TryDrop(apart, TetrisPiece.I, 1, 9, out after, out move));
        Assert.Equal(new TetrisMove(0, 4, 0b101, 2), move);
        Assert.Equal(SlowTetris.Parse("""
            .........X
            .XXXXXXXXX
            """).Fast(), after);
    }

    [Fact]
    public void A_piece_may_fill_the_top_row_but_not_stick_out_even_where_it_would_clear()
    {
        var board = new SlowTetris();
        for (var row = 0; row < 18; row++) board.Cells[row, 0] = true;
        Assert.True(TryDrop(board, TetrisPiece.O, 0, 0, out var after, out _));
        Assert.True(after[19, 0] && after[19, 1] && !after[17, 1]);
        Assert.False(TryDrop(board, TetrisPiece.T, 1, 0, out _, out _));

        for (var column = 1; column < 10; column++) board.Cells[18, column] = true;
        Assert.False(TryDrop(board, TetrisPiece.I, 1, 0, out after, out var move));
        Assert.Equal(board.Fast(), after);
        Assert.Equal(default, move);
    }

    [Fact]
    public void Cells_are_where_they_were_put()
    {
        var board = TetrisBoard.Empty.With(0, 0).With(19, 9).With(7, 3);
        for (var row = 0; row < 20; row++)
            for (var column = 0; column < 10; column++)
                Assert.Equal((row, column) is (0, 0) or (19, 9) or (7, 3), board[row, column]);
        Assert.Equal([1, 0, 0, 8, 0, 0, 0, 0, 0, 20], Enumerable.Range(0, 10).Select(column => board.Heights[column]));
        Assert.Throws<ArgumentOutOfRangeException>(() => board.With(20, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => board.With(0, -1));
    }

    private static bool TryDrop(
        SlowTetris board, TetrisPiece piece, int rotation, int column, out TetrisBoard after, out TetrisMove move) =>
        board.Fast().TryDrop(TetrisPieces.Placement(piece, rotation, column), board.Fast().Heights, out after, out move);

    /// <summary>Drops a piece everywhere, on both boards, and compares all; returns the slow boards after it.</summary>
    private static List<SlowTetris?> Compare(SlowTetris slow, TetrisPiece piece)
    {
        var fast = slow.Fast();
        Span<float> bertsekas = stackalloc float[22], bcts = stackalloc float[8], dellacherie = stackalloc float[6];
        var boards = new List<SlowTetris?>();
        foreach (var (rotation, column, shape) in SlowTetris.Placements(piece))
        {
            var expected = slow.Drop(column, shape);
            boards.Add(expected);
            var fits = fast.TryDrop(TetrisPieces.Placements(piece)[boards.Count - 1], fast.Heights, out var after, out var move);
            Assert.Equal(expected is not null, fits);
            if (expected is null) continue;
            Assert.Equal(expected.Fast(), after);
            Assert.Equal((expected.LandingRow, expected.PieceHeight, expected.Lines, expected.PieceCellsCleared),
                (move.Row, move.PieceHeight, move.Lines, move.PieceCellsCleared));
            BertsekasFeatures.Write(after, move, bertsekas);
            BctsFeatures.Write(after, move, bcts);
            DellacherieFeatures.Write(after, move, dellacherie);
            Assert.Equal(expected.Bertsekas(), bertsekas);
            Assert.Equal(expected.Bcts(), bcts);
            Assert.Equal(expected.Bcts().AsSpan(0, 6), dellacherie);
        }
        return boards;
    }
}
