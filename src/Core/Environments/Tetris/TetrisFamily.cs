namespace Rl.Distributed.Core.Environments.Tetris;

/// <summary>What a Tetris environment shows.</summary>
public enum TetrisObservation
{
    /// <summary>The cells, as bits.</summary>
    Board,

    /// <summary>The 22 features of Bertsekas and Tsitsiklis, and which piece is to be placed.</summary>
    Bertsekas,

    /// <summary>The 8 features of BCTS, and which piece is to be placed.</summary>
    Bcts,
}

/// <summary>Tetris by its two rules.</summary>
public static class TetrisFamily
{
    public const string Name = "tetris";

    public static EnvironmentEntry Entry { get; } = new()
    {
        Name = Name,
        Description = "Tetris on 10 by 20 cells, a point a line: a piece is placed at once, or falls as in the original game.",
        Spec = options => options.FallingPieces ? FallingTetris.Spec(options) : PlacementTetris.Spec(options),
        Create = (options, count, random) => options.FallingPieces
            ? new GameBatch<FallingTetris, int>(options, count, random)
            : new GameBatch<PlacementTetris, int>(options, count, random),
        Options = [nameof(EnvironmentOptions.FallingPieces), nameof(EnvironmentOptions.TetrisObservation)],
    };
}
