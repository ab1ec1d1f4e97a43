using Rl.Distributed.Core.Environments.Tetris;

namespace Rl.Distributed.Core.Tests.Environments;

public class TetrisFeatureTests
{
    // The board that the documentation of MDPTetris (Thiery and Scherrer) works out, with two full columns for its right wall, as ours is
    // wider: 9 well cells, in sum 6 + 1 + 1 + 12.
    private static readonly TetrisBoard Worked = SlowTetris.Parse("""
        ........XX
        ........XX
        ...X....XX
        ...XX...XX
        .X.XX...XX
        .XXXXX.XXX
        .XXXXX.XXX
        XXXXX..XXX
        ...XXX.XXX
        X.X..X.XXX
        """).Fast();

    [Fact]
    public void An_empty_board_has_only_the_transitions_at_walls_and_floor()
    {
        Assert.Equal([0, 0, 40, 10, 0, 0, 0, 0], Bcts(TetrisBoard.Empty, TetrisMove.None));
        Assert.Equal([.. new float[21], 1], Bertsekas(TetrisBoard.Empty));
    }

    [Fact]
    public void Wells_count_every_empty_cell_below_each_well_cell() => Assert.Equal(20, Bcts(Worked, default)[5]);

    [Fact]
    public void Holes_are_covered_cells_and_their_depth_is_what_lies_right_on_them()
    {
        // By column: 0 covers 1; 1 covers 2, in one gap; 2 covers 1; 3 and 4 cover 1 each; 5 covers 1, with two cells on it.
        var features = Bcts(Worked, default);
        Assert.Equal(7, features[4]);
        Assert.Equal(1 + 4 + 3 + 7 + 6 + 2, features[6]);
        Assert.Equal(3, features[7]);
    }

    [Fact]
    public void Heights_and_differences_are_those_of_the_columns()
    {
        Assert.Equal([3, 6, 5, 8, 7, 5, 0, 5, 10, 10, 3, 1, 3, 1, 2, 5, 5, 5, 0, 10, 7, 1], Bertsekas(Worked));
    }

    [Fact]
    public void Transitions_are_counted_against_filled_walls_and_floor_and_an_empty_sky()
    {
        var board = SlowTetris.Parse("""
            .X........
            X.XXXXXX.X
            """).Fast();
        // Row 0: around two gaps; row 1: wall, cell and cell, wall; 18 empty rows.
        Assert.Equal(4 + 4 + 36, Bcts(board, default)[2]);
        // Column 1: floor, gap, cell, sky; column 8: floor; the others change at their top.
        Assert.Equal(3 + 1 + 8, Bcts(board, default)[3]);
    }

    [Fact]
    public void A_column_filled_to_the_top_changes_there()
    {
        var board = TetrisBoard.Empty;
        for (var row = 0; row < 20; row++) board = board.With(row, 9);
        Assert.Equal([0, 0, 40, 10, 0, 0, 0, 0], Bcts(board, TetrisMove.None));
        for (var row = 0; row < 20; row++) board = board.With(row, 7);
        Assert.Equal([0, 0, 80, 10, 0, 210, 0, 0], Bcts(board, TetrisMove.None));
    }

    [Fact]
    public void The_landing_height_is_the_middle_of_the_piece_and_erosion_multiplies()
    {
        Assert.Equal(5.5f, Bcts(TetrisBoard.Empty, new TetrisMove(5, 2, 0, 0))[0]);
        Assert.Equal(6, Bcts(TetrisBoard.Empty, new TetrisMove(5, 3, 0, 0))[0]);
        Assert.Equal(2 * 3, Bcts(TetrisBoard.Empty, new TetrisMove(5, 3, 0b1010_0000, 3))[1]);
    }

    private static float[] Bcts(TetrisBoard board, TetrisMove move)
    {
        var features = new float[8];
        BctsFeatures.Write(board, move, features);
        return features;
    }

    private static float[] Bertsekas(TetrisBoard board)
    {
        var features = new float[22];
        BertsekasFeatures.Write(board, default, features);
        return features;
    }
}
