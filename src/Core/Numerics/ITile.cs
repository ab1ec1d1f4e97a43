namespace Rl.Distributed.Core.Numerics;

/// <summary>One tile of c: Rows x Columns, summed over K steps.</summary>
/// <remarks>Element (i, p) of a is at A[i * ARow + p * AStep]; row p of b is at B[p * BStride], where whole vectors
/// can be read; row i of c is at C[i * CStride], where only Columns elements are touched.</remarks>
internal unsafe struct TileArguments
{
    public float* A, B, C;
    public nint ARow, AStep, BStride, CStride;
    public int Rows, Columns, K;

    /// <summary>Whether the sums start from c (which joins blocks of k to one chain) or from zero.</summary>
    public bool Accumulate;
}

/// <summary>The innermost product of one instruction set. A struct, so that the loops around it are compiled for
/// each.</summary>
internal interface ITile
{
    /// <summary>How many rows of c a tile has at most.</summary>
    static abstract int Rows { get; }

    /// <summary>How many columns of c a tile has at most.</summary>
    static abstract int Width { get; }

    /// <summary>Panels of b are padded with zeros to a multiple of this many columns.</summary>
    static abstract int Lane { get; }

    /// <summary>Computes one tile, of at most Rows x Width.</summary>
    static abstract void Run(in TileArguments tile);
}
