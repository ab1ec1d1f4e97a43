using System.Numerics;

namespace Rl.Distributed.Core.Environments.Tetris;

/// <summary>Tetris by the rule of the original game: the piece falls a row a step while the player moves it.</summary>
/// <remarks>
/// <para>
/// The board, the pieces, the drawing of pieces, full rows and their pay are those of <see cref="PlacementTetris"/>. A piece appears
/// unturned with its top in the top row, its leftmost cell in column (10 - width) / 2, rounded down: 3, for O 4. The game is over when a
/// new piece would cover a filled cell, in the step in which the last one locked; what that one cleared is paid.
/// </para>
/// <para>
/// Actions: 0 none, 1 left, 2 right, 3 a clockwise quarter turn, 4 drop. A turn keeps the piece's left column and its top row. What would
/// pass a wall or the floor, or cover a filled cell, has no effect; nothing kicks off walls. Then the piece falls one row; where it
/// cannot, it locks, so a piece that has come to rest can still be slid or turned once. Drop lets it fall as far as it can and locks
/// it, in this step. A new piece is drawn when one locks and, at the reset, first.
/// </para>
/// <para>Observation: Bit[20, 10, 2], row 0 at the top: channel 0 the filled cells, channel 1 the falling piece.</para>
/// <para>
/// After the game of Pajitnov (1985) as Fahey describes it ("Tetris AI", 2003), without levels, scores for height, or a next piece
/// that is shown.
/// </para>
/// </remarks>
public struct FallingTetris : IGame<FallingTetris, int>
{
    private const int Left = 1, Right = 2, Turn = 3, Drop = 4, Actions = 5;
    private const int Channels = 2;

    private TetrisBoard _board;
    private TetrisColors _colors;
    private TetrisPiece _piece;
    private int _rotation, _column, _row; // The row of the piece's bottom.

    public static EnvironmentSpec Spec(EnvironmentOptions options)
    {
        if (options.TetrisObservation != TetrisObservation.Board)
            throw new ArgumentException("With FallingPieces, Tetris shows the board; leave TetrisObservation out.", nameof(options));
        var shown = new ObservationSpec(ElementType.Bit, TetrisBoard.Rows, TetrisBoard.Columns, Channels);
        return new EnvironmentSpec(TetrisFamily.Name, shown, new DiscreteActionSpec(Actions));
    }

    public static FallingTetris Create(EnvironmentOptions options) => default;

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        (_board, _colors) = (TetrisBoard.Empty, default);
        Appear(ref draws);
    }

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        switch (action)
        {
            case Left:
                MoveTo(_rotation, _column - 1);
                break;
            case Right:
                MoveTo(_rotation, _column + 1);
                break;
            case Turn:
                MoveTo((_rotation + 1) % TetrisPieces.Rotations(_piece), _column);
                break;
        }
        ref readonly var piece = ref Piece(_rotation, _column);
        do
        {
            if (_row == 0 || _board.Collides(piece, _row - 1)) return Lock(piece, ref draws);
            _row--;
        }
        while (action == Drop);
        return new Outcome(0);
    }

    public readonly void Observe(Span<byte> observation)
    {
        observation = observation[..(TetrisBoard.Rows * TetrisBoard.Columns * Channels / 8)];
        observation.Clear();
        for (var column = 0; column < TetrisBoard.Columns; column++) Show(observation, column, _board.Column(column), 0);
        ref readonly var piece = ref Piece(_rotation, _column);
        var cells = new TetrisBoard(piece.Cells << _row);
        for (var column = _column; column < _column + piece.Width; column++) Show(observation, column, cells.Column(column), 1);
    }

    public readonly void Render(TextCanvas canvas)
    {
        TetrisPicture.Draw(_colors, canvas);
        TetrisPicture.DrawOnBoard(Piece(_rotation, _column), _row, canvas);
    }

    private static void Show(Span<byte> observation, int column, uint rows, int channel)
    {
        for (; rows != 0; rows &= rows - 1)
        {
            var cell = (TetrisBoard.Rows - 1 - BitOperations.TrailingZeroCount(rows)) * TetrisBoard.Columns + column;
            observation[cell >> 2] |= (byte)((1 << channel) << ((cell & 3) * Channels));
        }
    }

    private readonly ref readonly TetrisPlacement Piece(int rotation, int column) =>
        ref TetrisPieces.Placement(_piece, rotation, column);

    private void MoveTo(int rotation, int column)
    {
        if (column < 0) return;
        ref readonly var piece = ref Piece(rotation, column);
        // A placement stops at the right wall; being elsewhere than asked, it would pass it.
        var row = _row + Piece(_rotation, _column).Height - piece.Height;
        if (piece.Column != column || row < 0 || _board.Collides(piece, row)) return;
        (_rotation, _column, _row) = (rotation, column, row);
    }

    private Outcome Lock<TDraws>(in TetrisPlacement piece, ref TDraws draws) where TDraws : struct, IDraws
    {
        _board = _board.Put(piece, _row, out var move);
        _colors.Put(piece, move);
        Appear(ref draws);
        return new Outcome(move.Lines, Terminated: _board.Collides(Piece(_rotation, _column), _row));
    }

    private void Appear<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        _piece = (TetrisPiece)draws.Integer(TetrisPieces.Count);
        ref readonly var piece = ref Piece(0, 0);
        (_rotation, _column, _row) = (0, (TetrisBoard.Columns - piece.Width) / 2, TetrisBoard.Rows - piece.Height);
    }
}
