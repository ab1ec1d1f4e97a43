using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Tetris;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

public class PlacementTetrisTests
{
    private const int Rows = 20, Columns = 10, Copies = 16;

    private static readonly EnvironmentOptions Options = new() { Name = "tetris" };

    [Fact]
    public void Every_action_plays_as_the_slow_game_does()
    {
        var play = Play.Of(Options, Copies, seed: 5);
        var choices = RandomStream.Create(5, StreamRole.Policy);
        var boards = Enumerable.Range(0, Copies).Select(_ => new SlowTetris()).ToArray();
        var (ends, lines) = (0, 0);
        for (var step = 0; step < 150; step++)
        {
            var pieces = new TetrisPiece[Copies];
            for (var i = 0; i < Copies; i++)
            {
                pieces[i] = Piece(play.Observations, i);
                play.Actions[i] = Choose(boards[i], pieces[i], ref choices);
            }
            play.Step();
            for (var i = 0; i < Copies; i++)
            {
                var (column, shape) = Meant(pieces[i], play.Actions[i]);
                var after = boards[i].Drop(column, shape);
                Assert.Equal(after is null, play.Terminated[i]);
                Assert.Equal(after?.Lines ?? 0, play.Rewards[i]);
                Assert.False(play.Truncated[i]);
                if (after is null)
                {
                    AssertShows(boards[i], play.Finals, i);
                    Assert.Equal(pieces[i], Piece(play.Finals, i));
                    ends++;
                }
                boards[i] = after ?? new SlowTetris();
                lines += boards[i].Lines;
                AssertShows(boards[i], play.Observations, i);
            }
        }
        Assert.True(ends > 10 && lines > 10, $"{ends} games, {lines} lines");
    }

    [Fact]
    public void Each_placement_has_an_action_and_every_action_is_a_placement()
    {
        foreach (var piece in Enum.GetValues<TetrisPiece>())
        {
            var reached = new HashSet<int>();
            for (var action = 0; action < 40; action++)
            {
                ref readonly var played = ref TetrisPieces.Placement(piece, action / 10, action % 10);
                reached.Add(PlacementTetris.Action(played));
            }
            Assert.Equal(TetrisPieces.Placements(piece).ToArray().Select(it => PlacementTetris.Action(it)), reached.Order());
        }
    }

    [Fact]
    public void Pieces_are_drawn_uniformly()
    {
        var play = Play.Of(Options, 500, seed: 2);
        var counts = new int[7];
        for (var step = 0; step < 8; step++, play.Step())
            for (var i = 0; i < 500; i++) counts[(int)Piece(play.Observations, i)]++;
        // 4000 draws: 571 each, deviation 22.
        Assert.All(counts, count => Assert.InRange(count, 571 - 90, 571 + 90));
    }

    [Fact]
    public void Random_play_clears_hardly_anything()
    {
        var play = Play.Of(Options, 100);
        var choices = RandomStream.Create(1, StreamRole.Policy);
        var (games, lines) = (0, 0.0);
        for (var step = 0; step < 500; step++)
        {
            foreach (ref var action in play.Actions.AsSpan()) action = choices.NextInt32(40);
            play.Step();
            games += play.Terminated.Count(over => over);
            lines += play.Rewards.Sum();
        }
        Assert.True(games > 1000);
        Assert.InRange(lines / games, 0, 0.1);
    }

    [Theory]
    [InlineData(TetrisObservation.Bertsekas, 22)]
    [InlineData(TetrisObservation.Bcts, 8)]
    public void Features_are_those_of_the_board_and_the_piece_follows(TetrisObservation shown, int count)
    {
        // The same seed and actions: one shows cells, the other features.
        var (cells, features) = (Play.Of(Options, Copies), Play.Of(Options with { TetrisObservation = shown }, Copies));
        Assert.Equal([count + 7], features.Batch.Spec.Observation.Shape);
        var choices = RandomStream.Create(1, StreamRole.Policy);
        for (var step = 0; step < 100; step++)
        {
            for (var i = 0; i < Copies; i++)
            {
                var board = Board(cells.Observations, i);
                var piece = Piece(cells.Observations, i);
                var seen = features.Shown(i);
                Assert.Equal([.. Enumerable.Range(0, 7).Select(p => p == (int)piece ? 1f : 0)], seen[count..]);
                // What the drop was, the cells do not tell: the first two of BCTS are compared elsewhere.
                if (shown == TetrisObservation.Bertsekas) Assert.Equal(board.Bertsekas(), seen[..count]);
                else Assert.Equal(board.Bcts().AsSpan(2), seen[2..count]);
                if (shown == TetrisObservation.Bcts) Assert.True(seen[0] >= 0 && seen[1] >= cells.Rewards[i]);
                if (shown == TetrisObservation.Bcts && step == 0) Assert.Equal([0, 0], seen[..2]);
                cells.Actions[i] = features.Actions[i] = choices.NextInt32(40);
            }
            cells.Step();
            features.Step();
            Assert.Equal(cells.Rewards, features.Rewards);
        }
    }

    [Fact]
    public void A_picture_shows_the_cells_in_their_pieces_colours()
    {
        var play = Play.Of(Options, 100);
        var first = Enumerable.Range(0, 100).First(i => Piece(play.Observations, i) == TetrisPiece.O);
        play.Actions[first] = 4;
        play.Step();
        Assert.Contains("|        [][]        |", play.Picture(first), StringComparison.Ordinal);
        var canvas = new TextCanvas();
        play.Batch.Render(first, canvas);
        Assert.Equal((11, 11, 0), (canvas.ColorAt(9, 19), canvas.ColorAt(12, 18), canvas.ColorAt(13, 19)));
        Assert.Equal(('[', ']'), (canvas.CharacterAt(9, 18), canvas.CharacterAt(10, 18)));
        // The next piece stands beside the board, in another column than the frame's.
        Assert.Contains(Enumerable.Range(24, 8), x => canvas.CharacterAt(x, 1) == '[');
    }

    [Fact]
    public void Colours_stay_with_their_cells_when_rows_go()
    {
        var game = PlacementTetris.Create(Options);
        var draws = new TetrisScript(TetrisPiece.I, TetrisPiece.I, TetrisPiece.T, TetrisPiece.L, TetrisPiece.O);
        game.Reset(ref draws);
        int[] actions = [0, 4, 0, 18];
        Assert.Equal([0, 0, 0, 1], actions.Select(action => game.Step(action, ref draws).Reward));
        var canvas = new TextCanvas();
        game.Render(canvas);
        string Row(int row) => string.Concat(Enumerable.Range(0, 10).Select(x => Letter(canvas.ColorAt(1 + 2 * x, 19 - row))));
        Assert.Equal(["TTT.....L.", ".T......L.", ".........."], Enumerable.Range(0, 3).Select(Row));

        static string Letter(byte color) => color switch { 0 => ".", 14 => "I", 11 => "O", 13 => "T", 208 => "L", _ => "?" };
    }

    private static int Choose(SlowTetris board, TetrisPiece piece, ref RandomStream choices)
    {
        if (choices.NextInt32(2) == 0) return choices.NextInt32(40);
        var best = TetrisController.Best<DellacherieFeatures>(board.Fast(), piece, DellacherieFeatures.Weights);
        return best < 0 ? choices.NextInt32(40) : PlacementTetris.Action(TetrisPieces.Placements(piece)[best]);
    }

    /// <summary>What an action means by its description.</summary>
    private static (int Column, bool[,] Shape) Meant(TetrisPiece piece, int action)
    {
        var all = SlowTetris.Placements(piece).ToArray();
        var rotation = action / 10 % (all[^1].Rotation + 1);
        var fitting = all.Where(it => it.Rotation == rotation).ToArray();
        var (_, column, shape) = fitting[Math.Min(action % 10, fitting.Length - 1)];
        return (column, shape);
    }

    private static TetrisPiece Piece(byte[] observations, int copy) =>
        (TetrisPiece)Enumerable.Range(0, 7).Single(piece => (observations[copy * Rows * Columns] >> (piece + 1) & 1) != 0);

    private static SlowTetris Board(byte[] observations, int copy)
    {
        var board = new SlowTetris();
        for (var cell = 0; cell < Rows * Columns; cell++)
            board.Cells[Rows - 1 - cell / Columns, cell % Columns] = (observations[copy * Rows * Columns + cell] & 1) != 0;
        return board;
    }

    private static void AssertShows(SlowTetris board, byte[] observations, int copy)
    {
        var bytes = observations.AsSpan(copy * Rows * Columns, Rows * Columns);
        Assert.Equal(board.Fast(), Board(observations, copy).Fast());
        var piece = bytes[0] & ~1;
        foreach (var cell in bytes) Assert.Equal(piece, cell & ~1);
    }
}
