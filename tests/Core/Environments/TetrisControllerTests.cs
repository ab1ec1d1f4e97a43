using Rl.Distributed.Core.Environments.Tetris;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Environments;

public class TetrisControllerTests
{
    [Fact]
    public void Dellacheries_weights_clear_thousands_of_lines()
    {
        // On average they clear millions by this rule.
        var pieces = RandomStream.Create(1, StreamRole.Environment);
        var game = TetrisController.Play<DellacherieFeatures>(DellacherieFeatures.Weights, ref pieces, 15_000);
        Assert.False(game.Over);
        Assert.True(game.Lines > 5_900);
        // Four cells a piece come, ten a line go, and what is left fits on the board.
        Assert.InRange(4 * game.Pieces - 10 * game.Lines, 0, 200);
    }

    [Fact]
    public void The_weights_of_BCTS_clear_thousands_of_lines()
    {
        var pieces = RandomStream.Create(2, StreamRole.Environment);
        var game = TetrisController.Play<BctsFeatures>(BctsFeatures.Weights, ref pieces, 15_000);
        Assert.False(game.Over);
        Assert.True(game.Lines > 5_900);
    }

    [Fact]
    public void Simple_weights_of_the_22_features_clear_some_lines_and_none_clear_hardly_any()
    {
        float[] weights = [.. Enumerable.Repeat(-1f, 19), -1, -20, 0];
        var pieces = RandomStream.Create(3, StreamRole.Environment);
        var game = TetrisController.Play<BertsekasFeatures>(weights, ref pieces, 20_000);
        Assert.True(game.Lines > 50, $"{game}");

        game = TetrisController.Play<BertsekasFeatures>(new float[22], ref pieces, 20_000);
        Assert.True(game.Over);
        Assert.InRange(game.Lines, 0, 2);
    }

    [Fact]
    public void The_best_placement_has_the_best_score_and_ties_go_to_the_first()
    {
        var board = TetrisBoard.Empty.With(0, 0).With(0, 1).With(0, 2);
        var scores = new float[TetrisPieces.MaxPlacements];
        TetrisController.Score<DellacherieFeatures>(board, TetrisPiece.L, DellacherieFeatures.Weights, scores);
        var best = TetrisController.Best<DellacherieFeatures>(board, TetrisPiece.L, DellacherieFeatures.Weights);
        Assert.Equal(Array.IndexOf(scores, scores.Max()), best);
        Assert.Equal(0, TetrisController.Best<DellacherieFeatures>(board, TetrisPiece.L, new float[6]));
    }

    [Fact]
    public void What_does_not_fit_scores_negative_infinity_and_no_fit_gives_no_placement()
    {
        var board = TetrisBoard.Empty;
        for (var column = 0; column < 9; column++) board = board.With(18, column);
        var scores = new float[TetrisPieces.MaxPlacements];
        TetrisController.Score<BctsFeatures>(board, TetrisPiece.I, BctsFeatures.Weights, scores);
        Assert.All(scores[..7], score => Assert.True(float.IsFinite(score)));
        Assert.All(scores[7..16], score => Assert.Equal(float.NegativeInfinity, score));
        Assert.True(float.IsFinite(scores[16]));
        Assert.Equal(-1, TetrisController.Best<BctsFeatures>(board, TetrisPiece.O, BctsFeatures.Weights));
    }

    [Fact]
    public void A_score_is_the_sum_of_weights_times_features()
    {
        var features = new float[22];
        float[] weights = [.. Enumerable.Range(1, 22).Select(i => (float)i)];
        var scores = new float[TetrisPieces.MaxPlacements];
        TetrisController.Score<BertsekasFeatures>(TetrisBoard.Empty, TetrisPiece.S, weights, scores);
        for (var i = 0; i < TetrisPieces.Placements(TetrisPiece.S).Length; i++)
        {
            TetrisBoard.Empty.TryDrop(TetrisPieces.Placements(TetrisPiece.S)[i], TetrisBoard.Empty.Heights, out var after, out var move);
            BertsekasFeatures.Write(after, move, features);
            Assert.Equal(features.Zip(weights, (x, w) => x * w).Sum(), scores[i]);
        }
    }

    [Fact]
    public void Scoring_allocates_nothing_and_wrong_weights_are_refused()
    {
        var pieces = RandomStream.Create(5, StreamRole.Environment);
        TetrisController.Play<BctsFeatures>(BctsFeatures.Weights, ref pieces, 100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        TetrisController.Play<BctsFeatures>(BctsFeatures.Weights, ref pieces, 100);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Throws<ArgumentException>(() => TetrisController.Play<BctsFeatures>(new float[6], ref pieces, 100));
    }
}
