using System.Collections.Immutable;

namespace Rl.Distributed.Core.Environments.MinAtar;

/// <summary>The bits of a MinAtar observation: cell (x, y), channel c is bit (10 y + x)·channels + c, least significant first.</summary>
public static class Board
{
    /// <summary>Rows, and columns.</summary>
    public const int Size = 10;

    /// <summary>Size².</summary>
    public const int Cells = Size * Size;

    private const byte FloorColor = 234, WallColor = 240;

    public static bool IsSet(ReadOnlySpan<byte> observation, int channels, int x, int y, int channel)
    {
        var bit = (y * Size + x) * channels + channel;
        return (observation[bit >> 3] >> (bit & 7) & 1) != 0;
    }

    public static void Set(Span<byte> observation, int channels, int x, int y, int channel)
    {
        var bit = (y * Size + x) * channels + channel;
        observation[bit >> 3] |= (byte)(1 << (bit & 7));
    }

    /// <summary>The first channel that is set in a cell; -1 where none is.</summary>
    public static int FirstSet(ReadOnlySpan<byte> observation, int channels, int x, int y)
    {
        for (var channel = 0; channel < channels; channel++)
            if (IsSet(observation, channels, x, y, channel)) return channel;
        return -1;
    }

    /// <summary>Draws the board, two characters a cell, within a frame.</summary>
    public static void Draw(ReadOnlySpan<byte> observation, ImmutableArray<ChannelLook> channels, TextCanvas canvas)
    {
        const int width = 2 * Size + 2, height = Size + 2;
        canvas.Clear(width, height, FloorColor);
        for (var x = 0; x < width; x++)
        {
            canvas.Block(x, 0, x is 0 or width - 1 ? '+' : '-', WallColor);
            canvas.Block(x, height - 1, x is 0 or width - 1 ? '+' : '-', WallColor);
        }
        for (var y = 0; y < Size; y++)
        {
            canvas.Block(0, y + 1, '|', WallColor);
            canvas.Block(width - 1, y + 1, '|', WallColor);
            for (var x = 0; x < Size; x++)
            {
                var channel = FirstSet(observation, channels.Length, x, y);
                if (channel < 0) continue;
                canvas.Block(1 + 2 * x, y + 1, channels[channel].Glyph, channels[channel].Color);
                canvas.Block(2 + 2 * x, y + 1, channels[channel].Glyph, channels[channel].Color);
            }
        }
    }
}
