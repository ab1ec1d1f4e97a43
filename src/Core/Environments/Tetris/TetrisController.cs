using System.Runtime.Intrinsics;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments.Tetris;

/// <summary>How one game of a controller went.</summary>
/// <param name="Lines">Cleared lines.</param>
/// <param name="Pieces">Pieces that were placed.</param>
/// <param name="Over">Whether the game was lost; otherwise the limit ended it.</param>
public readonly record struct TetrisGameResult(long Lines, long Pieces, bool Over);

/// <summary>Plays Tetris by a linear function of features: of all placements of the current piece the one that it values most.</summary>
/// <remarks>
/// The score of a placement is Σ weights[i]·features[i] of the board after it, in single precision and in a fixed order, so the same on
/// every machine. Of equal scores the first placement wins. Nothing allocates; any number of threads may call.
/// </remarks>
public static class TetrisController
{
    private const int MaxFeatures = 32;

    /// <summary>Writes the score of every placement of a piece; negative infinity where it does not fit.</summary>
    /// <param name="board">Where the piece falls.</param>
    /// <param name="piece">The current piece.</param>
    /// <param name="weights">As many as there are features.</param>
    /// <param name="scores">At least as long as the piece has placements, in their order.</param>
    public static void Score<TFeatures>(in TetrisBoard board, TetrisPiece piece, ReadOnlySpan<float> weights, Span<float> scores)
        where TFeatures : struct, ITetrisFeatures
    {
        Span<float> features = stackalloc float[MaxFeatures];
        features = features[..TFeatures.Count];
        var placements = TetrisPieces.Placements(piece);
        var heights = board.Heights;
        for (var i = 0; i < placements.Length; i++)
        {
            scores[i] = float.NegativeInfinity;
            if (!board.TryDrop(placements[i], heights, out var after, out var move)) continue;
            TFeatures.Write(after, move, features);
            scores[i] = Dot(weights, features);
        }
    }

    /// <summary>The best placement of a piece, as its index among <see cref="TetrisPieces.Placements"/>; -1 where none fits.</summary>
    public static int Best<TFeatures>(in TetrisBoard board, TetrisPiece piece, ReadOnlySpan<float> weights)
        where TFeatures : struct, ITetrisFeatures
    {
        Span<float> scores = stackalloc float[TetrisPieces.MaxPlacements];
        Score<TFeatures>(board, piece, weights, scores);
        var best = -1;
        for (var i = 0; i < TetrisPieces.Placements(piece).Length; i++)
            if (scores[i] > (best < 0 ? float.NegativeInfinity : scores[best])) best = i;
        return best;
    }

    /// <summary>Plays one game from the empty board with pieces drawn uniformly.</summary>
    /// <param name="weights">As many as there are features.</param>
    /// <param name="pieces">Where the pieces are drawn from.</param>
    /// <param name="maxPieces">Ends the game.</param>
    /// <exception cref="ArgumentException">The weights are not as many as the features.</exception>
    public static TetrisGameResult Play<TFeatures>(ReadOnlySpan<float> weights, ref RandomStream pieces, long maxPieces)
        where TFeatures : struct, ITetrisFeatures
    {
        if (weights.Length != TFeatures.Count)
            throw new ArgumentException($"There are {TFeatures.Count} features, but {weights.Length} weights.", nameof(weights));
        var board = TetrisBoard.Empty;
        long lines = 0;
        for (long placed = 0; placed < maxPieces; placed++)
        {
            var piece = (TetrisPiece)pieces.NextInt32(TetrisPieces.Count);
            var best = Best<TFeatures>(board, piece, weights);
            if (best < 0) return new TetrisGameResult(lines, placed, Over: true);
            board.TryDrop(TetrisPieces.Placements(piece)[best], board.Heights, out board, out var move);
            lines += move.Lines;
        }
        return new TetrisGameResult(lines, maxPieces, Over: false);
    }

    /// <summary>A sum in four parts and without fused operations, so in one order whatever the machine.</summary>
    private static float Dot(ReadOnlySpan<float> weights, ReadOnlySpan<float> features)
    {
        weights = weights[..features.Length];
        var parts = Vector128<float>.Zero;
        var i = 0;
        for (; i <= features.Length - 4; i += 4) parts += Vector128.Create(weights[i..]) * Vector128.Create(features[i..]);
        var sum = parts[0] + parts[1] + (parts[2] + parts[3]);
        for (; i < features.Length; i++) sum += weights[i] * features[i];
        return sum;
    }
}
