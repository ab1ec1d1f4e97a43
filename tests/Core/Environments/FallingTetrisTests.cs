using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Tetris;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

public class FallingTetrisTests
{
    private const int None = 0, Left = 1, Right = 2, Turn = 3, Drop = 4;

    private static readonly EnvironmentOptions Options = new() { Name = "tetris", FallingPieces = true };

    [Fact]
    public void A_piece_appears_in_the_middle_of_the_top()
    {
        AssertPiece(Started(TetrisPiece.I), (0, 3), (0, 4), (0, 5), (0, 6));
        AssertPiece(Started(TetrisPiece.O), (0, 4), (0, 5), (1, 4), (1, 5));
        AssertPiece(Started(TetrisPiece.T), (0, 4), (1, 3), (1, 4), (1, 5));
        AssertPiece(Started(TetrisPiece.S), (0, 4), (0, 5), (1, 3), (1, 4));
        AssertPiece(Started(TetrisPiece.L), (0, 5), (1, 3), (1, 4), (1, 5));
    }

    [Fact]
    public void It_moves_or_turns_and_then_falls_a_row()
    {
        var game = new Scripted(TetrisPiece.T);
        game.Step(None);
        AssertPiece(game.Game, (1, 4), (2, 3), (2, 4), (2, 5));
        game.Step(Left);
        AssertPiece(game.Game, (2, 3), (3, 2), (3, 3), (3, 4));
        game.Step(Right);
        AssertPiece(game.Game, (3, 4), (4, 3), (4, 4), (4, 5));
        game.Step(Turn); // The stem points right; left column and top row are kept.
        AssertPiece(game.Game, (4, 3), (5, 3), (5, 4), (6, 3));
        game.Step(Turn);
        AssertPiece(game.Game, (5, 3), (5, 4), (5, 5), (6, 4));
    }

    [Fact]
    public void Walls_stop_it_and_forbid_turns()
    {
        var game = new Scripted(TetrisPiece.I);
        game.Step(Turn);
        for (var i = 0; i < 8; i++) game.Step(Right);
        AssertPiece(game.Game, (9, 9), (10, 9), (11, 9), (12, 9));
        game.Step(Turn); // Lying down it would pass the wall.
        AssertPiece(game.Game, (10, 9), (11, 9), (12, 9), (13, 9));
        game = new Scripted(TetrisPiece.O);
        for (var i = 0; i < 6; i++) game.Step(Left);
        AssertPiece(game.Game, (6, 0), (6, 1), (7, 0), (7, 1));
    }

    [Fact]
    public void A_turn_below_the_floor_has_no_effect()
    {
        var game = new Scripted(TetrisPiece.I, TetrisPiece.O);
        for (var i = 0; i < 18; i++) game.Step(None);
        AssertPiece(game.Game, (18, 3), (18, 4), (18, 5), (18, 6));
        game.Step(Turn);
        AssertPiece(game.Game, (19, 3), (19, 4), (19, 5), (19, 6));
    }

    [Fact]
    public void It_locks_when_it_cannot_fall_and_can_be_slid_until_then()
    {
        var game = new Scripted(TetrisPiece.O, TetrisPiece.I);
        for (var i = 0; i < 18; i++) Assert.Equal(new Outcome(0), game.Step(None));
        AssertPiece(game.Game, (18, 4), (18, 5), (19, 4), (19, 5));
        Assert.Empty(Cells(game.Game, 0));
        Assert.Equal(new Outcome(0), game.Step(Left));
        Assert.Equal([(18, 3), (18, 4), (19, 3), (19, 4)], Cells(game.Game, 0));
        AssertPiece(game.Game, (0, 3), (0, 4), (0, 5), (0, 6));
    }

    [Fact]
    public void It_can_be_slid_under_an_overhang_and_a_filled_cell_stops_it()
    {
        var game = new Scripted(TetrisPiece.O, TetrisPiece.I, TetrisPiece.O, TetrisPiece.O, TetrisPiece.O);
        game.Step(Drop);
        game.Step(Right);
        game.Step(Drop); // In columns 4 to 7 of row 17, on the O in columns 4 and 5.
        for (var i = 0; i < 4; i++) game.Step(Right);
        for (var i = 0; i < 14; i++) game.Step(None);
        AssertPiece(game.Game, (18, 8), (18, 9), (19, 8), (19, 9));
        game.Step(Left);
        Assert.Equal(
            [(17, 4), (17, 5), (17, 6), (17, 7), (18, 4), (18, 5), (18, 7), (18, 8), (19, 4), (19, 5), (19, 7), (19, 8)],
            Cells(game.Game, 0));

        for (var i = 0; i < 4; i++) game.Step(Right);
        for (var i = 0; i < 12; i++) game.Step(None);
        AssertPiece(game.Game, (16, 8), (16, 9), (17, 8), (17, 9));
        game.Step(Left);
        Assert.Contains((17, 9), Cells(game.Game, 0));
    }

    [Fact]
    public void Full_rows_pay_and_the_next_piece_is_drawn_only_then()
    {
        var game = new Scripted(TetrisPiece.I, TetrisPiece.I, TetrisPiece.O, TetrisPiece.T);
        for (var i = 0; i < 3; i++) game.Step(Left);
        Assert.Equal(0, game.Step(Drop).Reward);
        game.Step(Right);
        game.Step(Drop);
        for (var i = 0; i < 4; i++) game.Step(Right);
        Assert.Equal(new Outcome(1), game.Step(Drop));
        Assert.Equal([(19, 8), (19, 9)], Cells(game.Game, 0));
    }

    [Fact]
    public void The_game_is_over_when_a_new_piece_covers_a_filled_cell()
    {
        var game = new Scripted([.. Enumerable.Repeat(TetrisPiece.O, 11)]);
        for (var i = 0; i < 9; i++) Assert.Equal(new Outcome(0), game.Step(Drop));
        Assert.Equal(new Outcome(0, Terminated: true), game.Step(Drop));
    }

    [Fact]
    public void Random_play_ends_every_game_and_the_same_actions_give_the_same_games()
    {
        var play = Play.Of(Options, 50);
        var choices = RandomStream.Create(1, StreamRole.Policy);
        var (games, lines) = (0, 0.0);
        for (var step = 0; step < 2000; step++)
        {
            foreach (ref var action in play.Actions.AsSpan()) action = choices.NextInt32(5);
            play.Step();
            games += play.Terminated.Count(over => over);
            lines += play.Rewards.Sum();
        }
        Assert.True(games > 300, $"{games} games");
        Assert.InRange(lines / games, 0, 0.2);
    }

    [Fact]
    public void It_shows_the_board_only()
    {
        var error = Assert.Throws<ArgumentException>(
            () => EnvironmentRegistry.Default.Spec(Options with { TetrisObservation = TetrisObservation.Bcts }));
        Assert.Contains("leave TetrisObservation out", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_shows_the_falling_piece()
    {
        var play = Play.Of(Options, 50);
        play.Step();
        var line = Enumerable.Range(0, 50).First(i => Cells(play.Observations.AsSpan(50 * i, 50), 1).Count(it => it.Row == 1) == 4);
        Assert.StartsWith("|                    |\n|      [][][][]      |\n", play.Picture(line), StringComparison.Ordinal);
    }

    private static FallingTetris Started(TetrisPiece piece) => new Scripted(piece).Game;

    private static void AssertPiece(FallingTetris game, params (int Row, int Column)[] cells) => Assert.Equal(cells, Cells(game, 1));

    /// <summary>The set cells of a channel, rows from the top.</summary>
    private static List<(int Row, int Column)> Cells(FallingTetris game, int channel)
    {
        var observation = new byte[50];
        game.Observe(observation);
        return Cells(observation, channel);
    }

    private static List<(int Row, int Column)> Cells(Span<byte> observation, int channel)
    {
        var bytes = observation.ToArray();
        return [.. from cell in Enumerable.Range(0, 200)
                let bit = 2 * cell + channel
                where (bytes[bit / 8] >> (bit % 8) & 1) != 0
                select (cell / 10, cell % 10)];
    }

    /// <summary>A game whose pieces are known.</summary>
    private sealed class Scripted
    {
        private FallingTetris _game = FallingTetris.Create(Options);
        private TetrisScript _draws;

        public Scripted(params TetrisPiece[] pieces)
        {
            _draws = new TetrisScript(pieces);
            _game.Reset(ref _draws);
        }

        public FallingTetris Game => _game;

        public Outcome Step(int action) => _game.Step(action, ref _draws);
    }
}
