using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Node.Pictures;

/// <summary>Paints text canvases with their captions as pixels.</summary>
/// <remarks>All pictures have the size of the first; what a later, larger canvas has beyond it is not seen.</remarks>
internal sealed class CanvasPainter
{
    private const int Margin = 6, MinColumns = 24, Gap = 2;

    private PixelImage? _image;
    private int _columns, _captionRows, _canvasRows;

    /// <returns>The picture, good until the next call.</returns>
    public PixelImage Paint(TextCanvas canvas, Caption caption)
    {
        var image = _image ??= Create(canvas, caption);
        image.Pixels.AsSpan().Fill(TerminalPalette.Background);
        PaintCaption(caption, image);
        var left = Math.Max(0, (_columns - canvas.Width) / 2);
        for (var y = 0; y < Math.Min(canvas.Height, _canvasRows); y++)
            for (var x = 0; x < Math.Min(canvas.Width, _columns); x++)
                Put(image, left + x, _captionRows + y, canvas.CharacterAt(x, y), canvas.ColorAt(x, y), canvas.BackgroundAt(x, y));
        return image;
    }

    private PixelImage Create(TextCanvas canvas, Caption caption)
    {
        (_columns, _canvasRows) = (Math.Max(canvas.Width, MinColumns), canvas.Height);
        _captionRows = PaintCaption(caption, null);
        return new PixelImage(2 * Margin + _columns * CellPainter.Width, 2 * Margin + (_captionRows + _canvasRows) * CellPainter.Height);
    }

    /// <summary>Places the caption's parts side by side, as many in a row as fit, and paints them where there is an image.</summary>
    /// <returns>The rows that it takes.</returns>
    private int PaintCaption(Caption caption, PixelImage? image)
    {
        var (column, row) = (0, 0);
        foreach (var (text, columns) in caption.Parts)
        {
            if (column > 0 && column + columns > _columns) (column, row) = (0, row + 1);
            for (var i = 0; image is not null && i < Math.Min(text.Length, _columns - column); i++) Put(image, column + i, row, text[i], 0, 0);
            column += columns + Gap;
        }
        return row + 1;
    }

    private static void Put(PixelImage image, int column, int row, char character, byte color, byte background) => CellPainter.Paint(
        image, Margin + column * CellPainter.Width, Margin + row * CellPainter.Height, character, color, background);
}
