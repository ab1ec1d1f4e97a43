using System.Buffers.Binary;

namespace Rl.Distributed.Node.Pictures;

/// <summary>Writes an animated GIF (GIF89a) that repeats for ever, picture by picture.</summary>
/// <remarks>
/// The palette is that of terminals. Of every picture but the first only the rectangle is written in which something has changed, and in it
/// what has not is transparent: long runs, which pack well.
/// </remarks>
internal sealed class GifWriter
{
    /// <summary>The shortest that viewers keep to, in hundredths of a second.</summary>
    public const int MinDelay = 2;

    private const byte Transparent = TerminalPalette.SecondBlack;

    private readonly Stream _output;
    private readonly LzwEncoder _encoder = new();
    private readonly byte[] _shown, _changed;
    private readonly int _width, _height;
    private bool _any;

    public GifWriter(Stream output, int width, int height)
    {
        (_output, _width, _height) = (output, width, height);
        (_shown, _changed) = (new byte[width * height], new byte[width * height]);
        _output.Write("GIF89a"u8);
        Put16(width);
        Put16(height);
        _output.Write([0xF7, TerminalPalette.Background, 0]); // A global palette of 256 colours of 8 bits; square pixels.
        _output.Write(TerminalPalette.Bytes);
        _output.Write([0x21, 0xFF, 11]);
        _output.Write("NETSCAPE2.0"u8);
        _output.Write([3, 1, 0, 0, 0]); // Repeats for ever.
    }

    /// <param name="image">Of the size given at the beginning.</param>
    /// <param name="delay">How long it is shown, in hundredths of a second, from <see cref="MinDelay"/> to 65535.</param>
    public void Add(PixelImage image, int delay)
    {
        var (left, top, width, height) = _any ? Changed(image) : (0, 0, _width, _height);
        _output.Write([0x21, 0xF9, 4, (byte)(_any ? 0x05 : 0x04)]); // The picture stays; from the second on one colour is transparent.
        Put16(delay);
        _output.Write([Transparent, 0, 0x2C]);
        Put16(left);
        Put16(top);
        Put16(width);
        Put16(height);
        _output.WriteByte(0);
        var pixels = _changed.AsSpan(0, width * height);
        for (var y = 0; y < height; y++)
        {
            var shown = _shown.AsSpan((top + y) * _width + left, width);
            var next = image.Row(top + y).Slice(left, width);
            for (var x = 0; x < width; x++)
            {
                var color = next[x] == Transparent ? TerminalPalette.Background : next[x];
                pixels[y * width + x] = _any && shown[x] == color ? Transparent : color;
                shown[x] = color;
            }
        }
        _encoder.Write(pixels, _output);
        _any = true;
    }

    public void Complete() => _output.WriteByte(0x3B);

    /// <summary>The smallest rectangle outside of which nothing has changed; one pixel where nothing has at all.</summary>
    private (int Left, int Top, int Width, int Height) Changed(PixelImage image)
    {
        var (left, top, right, bottom) = (_width, _height, -1, -1);
        for (var y = 0; y < _height; y++)
        {
            var shown = _shown.AsSpan(y * _width, _width);
            var next = image.Row(y);
            var first = shown.CommonPrefixLength(next);
            if (first == _width) continue;
            var last = _width - 1;
            while (shown[last] == next[last]) last--;
            (left, right) = (Math.Min(left, first), Math.Max(right, last));
            (top, bottom) = (Math.Min(top, y), y);
        }
        return bottom < 0 ? (0, 0, 1, 1) : (left, top, right - left + 1, bottom - top + 1);
    }

    private void Put16(int value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, checked((ushort)value));
        _output.Write(bytes);
    }
}
