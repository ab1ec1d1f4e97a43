namespace Rl.Distributed.Node.Pictures;

/// <summary>Paints a character as a cell of 12 × 24 pixels: ASCII from the font, blocks and frames as terminals show them.</summary>
/// <remarks>A character that it does not know becomes a spot in the middle.</remarks>
internal static class CellPainter
{
    public const int Width = 12, Height = 24;

    private const int Scale = 2, GlyphLeft = 1, GlyphTop = 4, Stroke = 2;
    private const int Up = 1, Right = 2, Down = 4, Left = 8;

    /// <param name="color">As in a text canvas: 0 is the colour that text has by itself.</param>
    /// <param name="background">0 is the colour that is behind text by itself.</param>
    public static void Paint(PixelImage image, int x, int y, char character, byte color, byte background)
    {
        image.Fill(x, y, Width, Height, background == 0 ? TerminalPalette.Background : background);
        var front = color == 0 ? TerminalPalette.Foreground : color;
        switch (character)
        {
            case ' ':
                break;
            case '▀':
                image.Fill(x, y, Width, Height / 2, front);
                break;
            case >= '▁' and <= '█':
                var height = Height * (character - '▀') / 8;
                image.Fill(x, y + Height - height, Width, height, front);
                break;
            case >= '▉' and <= '▏':
                image.Fill(x, y, Width * ('▐' - character) / 8, Height, front);
                break;
            case '▐':
                image.Fill(x + Width / 2, y, Width / 2, Height, front);
                break;
            case '░' or '▒' or '▓':
                Shade(image, x, y, character - '▐', front);
                break;
            default:
                if (BitmapFont.Has(character)) PaintGlyph(image, x, y, character, front);
                else if (Arms(character) is > 0 and var arms) PaintArms(image, x, y, arms, front);
                else image.Fill(x + Width / 4, y + Height / 2 - Width / 4, Width / 2, Width / 2, front);
                break;
        }
    }

    private static void PaintGlyph(PixelImage image, int x, int y, char character, byte color)
    {
        for (var row = 0; row < BitmapFont.Height; row++)
            for (var column = 0; column < BitmapFont.Width; column++)
                if (BitmapFont.IsSet(character, column, row))
                    image.Fill(x + GlyphLeft + Scale * column, y + GlyphTop + Scale * row, Scale, Scale, color);
    }

    /// <summary>Sets so many quarters of the pixels.</summary>
    private static void Shade(PixelImage image, int x, int y, int quarters, byte color)
    {
        ReadOnlySpan<byte> order = [0, 2, 3, 1];
        for (var row = 0; row < Height; row++)
            for (var column = 0; column < Width; column++)
                if (order[2 * (row & 1) + (column & 1)] < quarters) image.Row(y + row)[x + column] = color;
    }

    /// <summary>Draws lines from the middle of the cell to its sides.</summary>
    private static void PaintArms(PixelImage image, int x, int y, int arms, byte color)
    {
        const int middleX = (Width - Stroke) / 2, middleY = (Height - Stroke) / 2;
        if ((arms & Up) != 0) image.Fill(x + middleX, y, Stroke, middleY + Stroke, color);
        if ((arms & Right) != 0) image.Fill(x + middleX, y + middleY, Width - middleX, Stroke, color);
        if ((arms & Down) != 0) image.Fill(x + middleX, y + middleY, Stroke, Height - middleY, color);
        if ((arms & Left) != 0) image.Fill(x, y + middleY, middleX + Stroke, Stroke, color);
    }

    private static int Arms(char character) => character switch
    {
        '─' or '━' or '═' => Left | Right,
        '│' or '┃' or '║' => Up | Down,
        '┌' or '┏' or '╔' or '╭' => Right | Down,
        '┐' or '┓' or '╗' or '╮' => Left | Down,
        '└' or '┗' or '╚' or '╰' => Up | Right,
        '┘' or '┛' or '╝' or '╯' => Up | Left,
        '├' or '┣' or '╠' => Up | Right | Down,
        '┤' or '┫' or '╣' => Up | Left | Down,
        '┬' or '┳' or '╦' => Left | Right | Down,
        '┴' or '┻' or '╩' => Left | Right | Up,
        '┼' or '╋' or '╬' => Left | Right | Up | Down,
        _ => 0,
    };
}
