using Rl.Distributed.Node.Pictures;

namespace Rl.Distributed.Node.Tests.Pictures;

public sealed class GifTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    [InlineData(300, 372)]
    public void Every_picture_of_an_animation_is_seen_as_it_was_drawn(int width, int height)
    {
        var random = new Random(1);
        var images = Enumerable.Range(0, 5).Select(_ => new PixelImage(width, height)).ToArray();
        foreach (var image in images) random.NextBytes(image.Pixels);
        Check(images);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(17)]
    public void Long_runs_and_short_ones_are_packed_right(int colors)
    {
        // Lengths around every width of a code, and beyond a full table.
        var random = new Random(colors);
        foreach (var width in new[] { 1, 2, 253, 254, 255, 256, 257, 765, 766, 767, 768, 4093, 4094, 4095, 4096, 4097, 65535 })
        {
            var image = new PixelImage(width, 1);
            for (var i = 0; i < width; i++) image.Pixels[i] = (byte)(20 + random.Next(colors));
            Check(image);
            image.Fill(0, 0, width, 1, 7);
            Check(image);
        }
    }

    [Fact]
    public void Only_what_has_changed_is_written()
    {
        var (first, second, third) = (new PixelImage(40, 30), new PixelImage(40, 30), new PixelImage(40, 30));
        second.Fill(5, 6, 4, 3, 200);
        third.Fill(7, 6, 4, 3, 200);
        var gif = Check(first, second, third, third);
        Assert.Equal(6 * 3, gif.LargestChange);
        Assert.True(gif.Repeats);
    }

    [Fact]
    public void Both_blacks_of_the_palette_stay_black()
    {
        var (first, second) = (new PixelImage(4, 4), new PixelImage(4, 4));
        first.Fill(0, 0, 4, 4, 9);
        second.Fill(0, 0, 2, 4, TerminalPalette.SecondBlack);
        Check(first, second, first);
    }

    private static GifDecoder Check(params PixelImage[] images)
    {
        using var stream = new MemoryStream();
        var writer = new GifWriter(stream, images[0].Width, images[0].Height);
        for (var i = 0; i < images.Length; i++) writer.Add(images[i], 3 + i);
        writer.Complete();
        var gif = new GifDecoder(stream.ToArray());
        Assert.Equal((images[0].Width, images[0].Height), (gif.Width, gif.Height));
        Assert.Equal(images.Select(Colors.Of), gif.Frames.Select(frame => frame.Colors));
        Assert.Equal(Enumerable.Range(3, images.Length), gif.Frames.Select(frame => frame.Delay));
        return gif;
    }
}

/// <summary>Red, green and blue of pixels.</summary>
internal static class Colors
{
    public static int[] Of(PixelImage image) => [.. image.Pixels.Select(Of)];

    public static int Of(byte color)
    {
        var bytes = TerminalPalette.Bytes.Slice(3 * color, 3);
        return bytes[0] << 16 | bytes[1] << 8 | bytes[2];
    }
}
