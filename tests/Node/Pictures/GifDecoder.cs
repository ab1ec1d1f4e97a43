using System.Buffers.Binary;

namespace Rl.Distributed.Node.Tests.Pictures;

/// <summary>A picture of an animation, as it is seen: red, green, blue of each pixel, and its delay in hundredths of a second.</summary>
internal sealed record GifFrame(int[] Colors, int Delay);

/// <summary>Reads GIF89a files as viewers do; written from the format's description, and strict.</summary>
internal sealed class GifDecoder
{
    private readonly byte[] _data;
    private int _at;

    public GifDecoder(byte[] data)
    {
        _data = data;
        Assert.Equal("GIF89a"u8, Take(6));
        (Width, Height) = (Take16(), Take16());
        var flags = Take(3)[0];
        Assert.Equal(0x80, flags & 0x80);
        var palette = ReadPalette(2 << (flags & 7));
        var screen = new int[Width * Height];
        var (delay, transparent) = (0, -1);
        while (true)
        {
            switch (Take(1)[0])
            {
                case 0x3B:
                    Assert.Equal(_data.Length, _at);
                    return;
                case 0x21 when Take(1)[0] == 0xF9:
                    var control = ReadBlocks();
                    Assert.Equal(4, control.Length);
                    delay = BinaryPrimitives.ReadUInt16LittleEndian(control.AsSpan(1));
                    transparent = (control[0] & 1) != 0 ? control[3] : -1;
                    Assert.Equal(1, control[0] >> 2 & 7);
                    break;
                case 0x21:
                    Repeats |= ReadBlocks().AsSpan().StartsWith("NETSCAPE2.0"u8);
                    break;
                case 0x2C:
                    ReadImage(screen, palette, transparent);
                    Frames.Add(new GifFrame([.. screen], delay));
                    break;
                default:
                    Assert.Fail($"no block begins like this, at {_at - 1}");
                    break;
            }
        }
    }

    public int Width { get; }

    public int Height { get; }

    public bool Repeats { get; }

    public List<GifFrame> Frames { get; } = [];

    /// <summary>The largest rectangle that any picture but the first took, in pixels.</summary>
    public int LargestChange { get; private set; }

    private int[] ReadPalette(int count)
    {
        var palette = new int[count];
        for (var i = 0; i < count; i++)
        {
            var color = Take(3);
            palette[i] = color[0] << 16 | color[1] << 8 | color[2];
        }
        return palette;
    }

    private void ReadImage(int[] screen, int[] palette, int transparent)
    {
        var (left, top, width, height) = (Take16(), Take16(), Take16(), Take16());
        Assert.Equal(0, Take(1)[0]);
        Assert.True(left + width <= Width && top + height <= Height);
        if (Frames.Count > 0) LargestChange = Math.Max(LargestChange, width * height);
        var bits = Take(1)[0];
        var pixels = Unpack(ReadBlocks(), bits);
        Assert.Equal(width * height, pixels.Count);
        for (var i = 0; i < pixels.Count; i++)
            if (pixels[i] != transparent) screen[(top + i / width) * Width + left + i % width] = palette[pixels[i]];
    }

    /// <summary>LZW: each code is a string of the table; the next one adds its first pixel to the string before it.</summary>
    private static List<byte> Unpack(byte[] packed, int pixelBits)
    {
        var (clear, end) = (1 << pixelBits, (1 << pixelBits) + 1);
        var (pixels, table) = (new List<byte>(), new List<byte[]>());
        byte[]? before = null;
        var (bits, at) = (pixelBits + 1, 0);
        while (true)
        {
            var code = 0;
            for (var bit = 0; bit < bits; bit++, at++) code |= (packed[at / 8] >> at % 8 & 1) << bit;
            if (code == end)
            {
                Assert.Equal(packed.Length, (at + 7) / 8);
                return pixels;
            }
            if (code == clear)
            {
                table = [.. Enumerable.Range(0, end + 1).Select(i => new[] { (byte)i })];
                (bits, before) = (pixelBits + 1, null);
                continue;
            }
            Assert.True(code < table.Count || (code == table.Count && before is not null), $"code {code} of {table.Count}");
            var text = code < table.Count ? table[code] : [.. before!, before![0]];
            pixels.AddRange(text);
            if (before is not null && table.Count < 4096) table.Add([.. before, text[0]]);
            if (table.Count == 1 << bits && bits < 12) bits++;
            before = text;
        }
    }

    private byte[] ReadBlocks()
    {
        var bytes = new List<byte>();
        for (int length = Take(1)[0]; length > 0; length = Take(1)[0]) bytes.AddRange(Take(length));
        return [.. bytes];
    }

    private int Take16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    private ReadOnlySpan<byte> Take(int count) => _data.AsSpan((_at += count) - count, count);
}
