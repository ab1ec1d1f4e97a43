namespace Rl.Distributed.Node.Pictures;

/// <summary>A picture whose pixels are colours of <see cref="TerminalPalette"/>, row by row from the top left.</summary>
internal sealed class PixelImage(int width, int height)
{
    public int Width { get; } = width;

    public int Height { get; } = height;

    /// <summary>[Height × Width].</summary>
    public byte[] Pixels { get; } = new byte[width * height];

    public Span<byte> Row(int y) => Pixels.AsSpan(y * Width, Width);

    /// <summary>Paints a rectangle, which must lie within the picture.</summary>
    public void Fill(int x, int y, int width, int height, byte color)
    {
        for (var row = y; row < y + height; row++) Row(row).Slice(x, width).Fill(color);
    }
}
