using System.Numerics;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Environments.Tetris;

/// <summary>Tetris as the literature plays it: an action is where the current piece goes.</summary>
/// <remarks>
/// <para>
/// The board has 20 rows of 10 columns. Each step the current piece is turned, put above the board over some columns, and falls straight
/// down until it rests on the floor or on a filled cell; it is not slid sideways. Full rows go away, what is above moves down, and each
/// pays 1. Then the next piece is drawn, uniformly from the seven, whatever came before; it is not known earlier. The game is over
/// when a piece comes to rest with a cell above row 20: it is not placed, clears nothing and pays 0, even where it would have filled a
/// row. The one draw of a step, and of the reset, is the new piece's; the last step of a game draws none.
/// </para>
/// <para>
/// Actions: 10·rotation + column, 40 in all: rotation, 0 to 3, counts clockwise quarter turns from the shape in
/// <see cref="TetrisPieces"/>, column is that of the piece's leftmost cell. Every action is legal always: a turn of a piece that has
/// fewer orientations counts modulo these (so S and Z: 2 as 0, 3 as 1; O: all alike), and a piece that would pass the right wall is
/// put at the wall. Each of a piece's 9 to 34 placements is one of the 40.
/// </para>
/// <para>
/// Observation: Bit[20, 10, 8], row 0 at the top: channel 0 the filled cells, channel 1 + p set everywhere where p is the current piece
/// (I O T S Z J L), so that every patch of a convolution knows it. Or Float32, as they are: Bertsekas [29], the
/// <see cref="BertsekasFeatures"/> of the board; or Bcts [15], the <see cref="BctsFeatures"/> of the board and of the last drop (0
/// before the first); each followed by 1 at the place of the current piece, else 0, in seven elements. The end shows the last board,
/// and the piece that did not fit.
/// </para>
/// <para>
/// After Bertsekas and Tsitsiklis, "Neuro-Dynamic Programming" (1996), section 8.3; Szita and Lorincz, "Learning Tetris Using the Noisy
/// Cross-Entropy Method" (2006); and Thiery and Scherrer, "Building Controllers for Tetris" (2009), who show how much small
/// differences count: their MDPTetris ends the game like this where it allows no lines after an overflow, others let a piece clear
/// lines before it is judged, and in the original game a piece needs rows to appear in. Scores compare only under one rule.
/// </para>
/// </remarks>
public struct PlacementTetris : IGame<PlacementTetris, int>
{
    private const int Rotations = 4, Channels = 1 + TetrisPieces.Count;

    private readonly TetrisObservation _shown;
    private TetrisBoard _board;
    private TetrisColors _colors;
    private TetrisMove _move;
    private TetrisPiece _piece;

    private PlacementTetris(TetrisObservation shown) => _shown = shown;

    public static EnvironmentSpec Spec(EnvironmentOptions options) =>
        new(TetrisFamily.Name, Shown(options.TetrisObservation), new DiscreteActionSpec(Rotations * TetrisBoard.Columns));

    public static PlacementTetris Create(EnvironmentOptions options) => new(options.TetrisObservation);

    /// <summary>The action that plays a placement.</summary>
    public static int Action(in TetrisPlacement placement) => TetrisBoard.Columns * placement.Rotation + placement.Column;

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        (_board, _colors, _move) = (TetrisBoard.Empty, default, TetrisMove.None);
        _piece = (TetrisPiece)draws.Integer(TetrisPieces.Count);
    }

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        var (rotation, column) = Math.DivRem(action, TetrisBoard.Columns);
        ref readonly var placement = ref TetrisPieces.Placement(_piece, rotation, column);
        if (!_board.TryDrop(placement, _board.Heights, out var after, out var move)) return new Outcome(0, Terminated: true);
        (_board, _move) = (after, move);
        _colors.Put(placement, move);
        _piece = (TetrisPiece)draws.Integer(TetrisPieces.Count);
        return new Outcome(move.Lines);
    }

    public readonly void Observe(Span<byte> observation)
    {
        if (_shown == TetrisObservation.Board)
        {
            // Eight channels make a byte a cell.
            observation = observation[..(TetrisBoard.Rows * TetrisBoard.Columns)];
            observation.Fill((byte)(2 << (int)_piece));
            for (var column = 0; column < TetrisBoard.Columns; column++)
                for (var rows = _board.Column(column); rows != 0; rows &= rows - 1)
                    observation[(TetrisBoard.Rows - 1 - BitOperations.TrailingZeroCount(rows)) * TetrisBoard.Columns + column] |= 1;
            return;
        }
        var features = MemoryMarshal.Cast<byte, float>(observation);
        features.Clear();
        if (_shown == TetrisObservation.Bertsekas) BertsekasFeatures.Write(_board, _move, features);
        else BctsFeatures.Write(_board, _move, features);
        features[FeatureCount(_shown) + (int)_piece] = 1;
    }

    public readonly void Render(TextCanvas canvas)
    {
        TetrisPicture.Draw(_colors, canvas);
        TetrisPicture.DrawBeside(TetrisPieces.Placement(_piece, 0, 0), canvas);
    }

    private static ObservationSpec Shown(TetrisObservation shown) => shown == TetrisObservation.Board
        ? new ObservationSpec(ElementType.Bit, TetrisBoard.Rows, TetrisBoard.Columns, Channels)
        : new ObservationSpec(ElementType.Float32, FeatureCount(shown) + TetrisPieces.Count);

    private static int FeatureCount(TetrisObservation shown) =>
        shown == TetrisObservation.Bertsekas ? BertsekasFeatures.Count : BctsFeatures.Count;
}
