namespace Rl.Distributed.Core.Numerics;

/// <summary>Checks of span lengths, once at the top of each kernel.</summary>
internal static class Lengths
{
    /// <summary>Two spans that belong together element by element.</summary>
    public static void CheckEqual(int one, int other)
    {
        if (one != other) throw new ArgumentException($"Spans of {one} and {other} elements must have equal lengths.");
    }

    /// <summary>Whole rows of a row-major matrix.</summary>
    public static void CheckMultiple(int elements, int columns)
    {
        if (columns == 0 ? elements != 0 : elements % columns != 0)
        {
            throw new ArgumentException($"A matrix of {elements} elements does not consist of whole rows of {columns}.");
        }
    }

    /// <summary>A matrix [rows, columns] of exactly that size.</summary>
    public static void CheckShape(int elements, int rows, int columns)
    {
        if (rows < 0 || columns < 0 || elements != (long)rows * columns)
        {
            throw new ArgumentException($"A matrix [{rows}, {columns}] has {(long)rows * columns} elements, not {elements}.");
        }
    }
}
