using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Rl.Distributed.Node.Pictures;

namespace Rl.Distributed.Node.Tests.Pictures;

public sealed class PngTests
{
    [Fact]
    public void A_picture_is_read_back_pixel_by_pixel()
    {
        var image = new PixelImage(31, 17);
        new Random(1).NextBytes(image.Pixels);
        var (width, height, colors) = Read(Write(image));
        Assert.Equal((31, 17), (width, height));
        Assert.Equal(Colors.Of(image), colors);
    }

    [Fact]
    public void Checksums_are_those_of_the_format()
    {
        // The last twelve bytes of every PNG file.
        var bytes = Write(new PixelImage(1, 1));
        Assert.Equal([0, 0, 0, 0, (byte)'I', (byte)'E', (byte)'N', (byte)'D', 0xAE, 0x42, 0x60, 0x82], bytes[^12..]);
    }

    private static byte[] Write(PixelImage image)
    {
        using var stream = new MemoryStream();
        PngWriter.Write(image, stream);
        return stream.ToArray();
    }

    /// <summary>A PNG file of 8-bit palette indices, unfiltered.</summary>
    internal static (int Width, int Height, int[] Colors) Read(byte[] file)
    {
        Assert.Equal([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], file[..8]);
        var chunks = new Dictionary<string, byte[]>();
        for (var at = 8; at < file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            chunks.Add(Encoding.ASCII.GetString(file, at + 4, 4), file[(at + 8)..(at + 8 + length)]);
            at += length + 12;
        }
        Assert.Equal(["IHDR", "PLTE", "IDAT", "IEND"], chunks.Keys);
        var header = chunks["IHDR"];
        Assert.Equal([8, 3, 0, 0, 0], header[8..]);
        var (width, height) = (BinaryPrimitives.ReadInt32BigEndian(header), BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4)));
        using var zlib = new ZLibStream(new MemoryStream(chunks["IDAT"]), CompressionMode.Decompress);
        using var unpacked = new MemoryStream();
        zlib.CopyTo(unpacked);
        var rows = unpacked.ToArray().Chunk(width + 1).ToArray();
        Assert.Equal(height, rows.Length);
        Assert.All(rows, row => Assert.Equal(0, row[0]));
        var palette = chunks["PLTE"];
        return (width, height, [.. rows.SelectMany(row => row.Skip(1))
            .Select(index => palette[3 * index] << 16 | palette[3 * index + 1] << 8 | palette[3 * index + 2])]);
    }
}
