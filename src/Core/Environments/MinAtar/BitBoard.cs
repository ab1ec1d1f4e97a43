namespace Rl.Distributed.Core.Environments.MinAtar;

/// <summary>A set of the board's cells, a bit a cell: cell (x, y) is bit 10 y + x of 100.</summary>
/// <remarks>What leaves the board is gone.</remarks>
internal static class BitBoard
{
    /// <summary>All cells of row 0.</summary>
    public const ulong Row = (1 << Board.Size) - 1;

    public static UInt128 All { get; } = (UInt128.One << Board.Cells) - 1;

    private static readonly UInt128 LeftColumn = All / Row; // A bit every ten: column 0.

    public static UInt128 Cell(int x, int y) => UInt128.One << (y * Board.Size + x);

    public static UInt128 Column(int x) => LeftColumn << x;

    public static bool Has(UInt128 cells, int x, int y) => (ulong)(cells >> (y * Board.Size + x) & 1) != 0;

    public static UInt128 Up(UInt128 cells) => cells >> Board.Size;

    public static UInt128 Down(UInt128 cells) => cells << Board.Size & All;

    public static UInt128 Left(UInt128 cells) => (cells & ~Column(0)) >> 1;

    public static UInt128 Right(UInt128 cells) => (cells & ~Column(Board.Size - 1)) << 1;

    /// <summary>The columns that hold any of the cells, a bit a column.</summary>
    public static uint Columns(UInt128 cells)
    {
        var five = (ulong)(cells | cells >> 5 * Board.Size);
        return (uint)((five | five >> 10 | five >> 20 | five >> 30 | five >> 40) & Row);
    }
}
