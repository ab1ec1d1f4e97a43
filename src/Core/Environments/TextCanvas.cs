namespace Rl.Distributed.Core.Environments;

/// <summary>A small picture in coloured characters, for terminals. Drawing allocates only when the size changes.</summary>
/// <remarks>
/// A cell has a character, its colour and the colour behind it, each one of the terminal's 256 colours; 0 is the terminal's own. Where
/// colours cannot be shown the characters alone must tell enough: a solid block is a character in the colour of its background. A cell is
/// about twice as high as wide, so its two halves are square dots.
/// </remarks>
public sealed class TextCanvas
{
    private const char UpperHalf = '▀', LowerHalf = '▄', Full = '█';

    private char[] _characters = [];
    private byte[] _colors = [], _backgrounds = [];

    /// <summary>In cells.</summary>
    public int Width { get; private set; }

    /// <summary>In cells.</summary>
    public int Height { get; private set; }

    /// <summary>Makes the canvas this large, all blank.</summary>
    public void Clear(int width, int height, byte background = 0)
    {
        (Width, Height) = (width, height);
        var cells = width * height;
        if (_characters.Length != cells) (_characters, _colors, _backgrounds) = (new char[cells], new byte[cells], new byte[cells]);
        Array.Fill(_characters, ' ');
        Array.Clear(_colors);
        Array.Fill(_backgrounds, background);
    }

    /// <summary>Puts a character; outside the canvas nothing happens.</summary>
    public void Put(int x, int y, char character, byte color = 0, byte background = 0)
    {
        if (!Contains(x, y)) return;
        var cell = y * Width + x;
        (_characters[cell], _colors[cell], _backgrounds[cell]) = (character, color, background);
    }

    /// <summary>Puts a character that stands for a solid block: seen where there are no colours.</summary>
    public void Block(int x, int y, char character, byte color) => Put(x, y, character, color, color);

    /// <summary>Paints half a cell; rows count halves, so 2·Height of them. Outside the canvas nothing happens.</summary>
    public void Dot(int x, int halfRow, byte color)
    {
        if (halfRow < 0 || !Contains(x, halfRow / 2)) return;
        var cell = halfRow / 2 * Width + x;
        var (upper, lower) = _characters[cell] switch
        {
            UpperHalf => (_colors[cell], _backgrounds[cell]),
            LowerHalf => (_backgrounds[cell], _colors[cell]),
            Full => (_colors[cell], _colors[cell]),
            _ => (_backgrounds[cell], _backgrounds[cell]),
        };
        (upper, lower) = halfRow % 2 == 0 ? (color, lower) : (upper, color);
        // Colour 0 is another one in front than behind.
        (_characters[cell], _colors[cell], _backgrounds[cell]) =
            upper == lower ? (Full, upper, upper) : upper == 0 ? (LowerHalf, lower, upper) : (UpperHalf, upper, lower);
    }

    /// <summary>Paints the dots whose middles are at most half the thickness away from a line.</summary>
    /// <remarks>Rows are those of <see cref="Dot"/>; the middle of a dot is at whole numbers.</remarks>
    public void Line(double x1, double halfRow1, double x2, double halfRow2, byte color, double thickness = 1)
    {
        var (reach, right, down) = (thickness / 2, x2 - x1, halfRow2 - halfRow1);
        var perLength = right == 0 && down == 0 ? 0 : 1 / (right * right + down * down);
        var (first, last) = ((int)Math.Floor(Math.Min(x1, x2) - reach), (int)Math.Ceiling(Math.Max(x1, x2) + reach));
        var (top, bottom) = ((int)Math.Floor(Math.Min(halfRow1, halfRow2) - reach), (int)Math.Ceiling(Math.Max(halfRow1, halfRow2) + reach));
        for (var row = Math.Max(top, 0); row <= Math.Min(bottom, 2 * Height - 1); row++)
            for (var x = Math.Max(first, 0); x <= Math.Min(last, Width - 1); x++)
            {
                var along = Math.Clamp(((x - x1) * right + (row - halfRow1) * down) * perLength, 0, 1);
                var (beside, below) = (x - x1 - along * right, row - halfRow1 - along * down);
                if (beside * beside + below * below <= reach * reach) Dot(x, row, color);
            }
    }

    public char CharacterAt(int x, int y) => _characters[y * Width + x];

    public byte ColorAt(int x, int y) => _colors[y * Width + x];

    public byte BackgroundAt(int x, int y) => _backgrounds[y * Width + x];

    private bool Contains(int x, int y) => (uint)x < (uint)Width && (uint)y < (uint)Height;
}
