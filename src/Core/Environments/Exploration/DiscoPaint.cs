using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Environments.Exploration;

/// <summary>The colours of a Random Disco Maze: one of five a cell, drawn anew at every step.</summary>
/// <remarks>
/// One draw below 5¹² is the colours of 12 cells: its digits to the base 5, lowest first. Four digits at a time look up four painted
/// pixels, so that a picture of 441 cells takes 37 draws and 111 look-ups.
/// </remarks>
internal static class DiscoPaint
{
    private const int Colors = 5, CellsPerDraw = 12, DrawRange = 244_140_625, FourCells = 625, GroupBytes = 12;

    private static readonly FourPixels[] Palette = [.. Enumerable.Range(0, FourCells).Select(FourPixels.Of)];

    /// <summary>Colours of a terminal that are nearest to the five.</summary>
    public static ReadOnlySpan<byte> TerminalColors => [9, 11, 12, 13, 14];

    private static ReadOnlySpan<byte> Rgb => [255, 0, 0, 255, 255, 0, 0, 0, 255, 255, 0, 255, 0, 255, 255];

    private static ReadOnlySpan<int> Powers =>
        [1, 5, 25, 125, 625, 3125, 15_625, 78_125, 390_625, 1_953_125, 9_765_625, 48_828_125];

    /// <summary>Draws that the colours of this many cells take.</summary>
    public static int DrawCount(int cells) => (cells + CellsPerDraw - 1) / CellsPerDraw;

    public static void Draw<TDraws>(Span<int> colors, ref TDraws draws) where TDraws : struct, IDraws
    {
        foreach (ref var twelve in colors) twelve = draws.Integer(DrawRange);
    }

    /// <summary>Which of the five colours a cell has.</summary>
    public static int At(ReadOnlySpan<int> colors, int cell) => colors[cell / CellsPerDraw] / Powers[cell % CellsPerDraw] % Colors;

    /// <summary>Paints each cell where the mask is all ones, and makes those black where it is 0.</summary>
    /// <param name="colors">What <see cref="Draw"/> gave.</param>
    /// <param name="mask">As long as the picture.</param>
    /// <param name="picture">Three bytes a cell: red, green, blue.</param>
    public static void Paint(ReadOnlySpan<int> colors, ReadOnlySpan<byte> mask, Span<byte> picture)
    {
        var groups = MemoryMarshal.Cast<byte, FourPixels>(picture);
        var masks = MemoryMarshal.Cast<byte, FourPixels>(mask);
        var palette = Palette;
        var at = 0;
        foreach (var twelve in colors)
        {
            var digits = (uint)twelve;
            for (var last = Math.Min(at + 3, groups.Length); at < last; at++, digits /= FourCells)
                groups[at] = palette[digits % FourCells].Masked(masks[at]);
        }
        for (var cell = 4 * groups.Length; 3 * cell < picture.Length; cell++)
            if (mask[3 * cell] == 0) picture.Slice(3 * cell, 3).Clear();
            else Rgb.Slice(3 * At(colors, cell), 3).CopyTo(picture[(3 * cell)..]);
    }

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private readonly record struct FourPixels(ulong First, uint Rest)
    {
        /// <summary>The pixels of four digits.</summary>
        public static FourPixels Of(int digits)
        {
            Span<byte> bytes = stackalloc byte[GroupBytes];
            for (var pixel = 0; pixel < 4; pixel++, digits /= Colors) Rgb.Slice(3 * (digits % Colors), 3).CopyTo(bytes[(3 * pixel)..]);
            return MemoryMarshal.Read<FourPixels>(bytes);
        }

        public FourPixels Masked(in FourPixels mask) => new(First & mask.First, Rest & mask.Rest);
    }
}
