namespace Rl.Distributed.Node.Pictures;

/// <summary>The 256 colours of terminals, as xterm has them: 16 named ones, a cube of 6 × 6 × 6, 24 greys.</summary>
internal static class TerminalPalette
{
    public const int Count = 256;

    /// <summary>Stands in pictures for colour 0 of a background, the terminal's own, and of a character.</summary>
    public const byte Background = 0, Foreground = 252;

    /// <summary>The cube's black, the same as <see cref="Background"/>: free to mean something else.</summary>
    public const byte SecondBlack = 16;

    private const int Cube = 16, Greys = 232;

    private static ReadOnlySpan<int> Named =>
    [
        0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
        0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
    ];

    /// <summary>[256 × 3]: red, green, blue.</summary>
    public static ReadOnlySpan<byte> Bytes => Table;

    private static readonly byte[] Table = Make();

    private static byte[] Make()
    {
        var table = new byte[3 * Count];
        for (var i = 0; i < Count; i++)
        {
            var (red, green, blue) = i switch
            {
                < Cube => (Named[i] >> 16, Named[i] >> 8 & 255, Named[i] & 255),
                < Greys => (Level((i - Cube) / 36), Level((i - Cube) / 6 % 6), Level((i - Cube) % 6)),
                _ => (8 + 10 * (i - Greys), 8 + 10 * (i - Greys), 8 + 10 * (i - Greys)),
            };
            (table[3 * i], table[3 * i + 1], table[3 * i + 2]) = ((byte)red, (byte)green, (byte)blue);
        }
        return table;
    }

    private static int Level(int step) => step == 0 ? 0 : 55 + 40 * step;
}
