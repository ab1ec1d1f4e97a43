using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Pictures;

namespace Rl.Distributed.Node.Tests.Pictures;

public sealed class CanvasPainterTests
{
    private const int Margin = 6, CaptionRows = 3;

    private readonly TextCanvas _canvas = new();

    [Fact]
    public void A_cell_becomes_a_block_of_its_background_with_its_character_in_front()
    {
        _canvas.Clear(24, 2, background: 17);
        _canvas.Put(3, 1, 'H', 200, 100);
        _canvas.Block(4, 1, '#', 150);
        var image = Paint();
        Assert.Equal((2 * Margin + 24 * 12, 2 * Margin + (CaptionRows + 2) * 24), (image.Width, image.Height));
        Assert.All(Cell(image, 0, 0), color => Assert.Equal(17, color));
        Assert.All(Cell(image, 4, 1), color => Assert.Equal(150, color));
        // Two bars of seven dots, and three dots between them; a dot is four pixels.
        Assert.Equal(4 * 17, Cell(image, 3, 1).Count(color => color == 200));
        Assert.Equal(12 * 24 - 4 * 17, Cell(image, 3, 1).Count(color => color == 100));
    }

    [Theory]
    [InlineData('█', 288)]
    [InlineData('▀', 144)]
    [InlineData('▄', 144)]
    [InlineData('▌', 144)]
    [InlineData('▐', 144)]
    [InlineData('▂', 72)]
    [InlineData('░', 72)]
    [InlineData('▒', 144)]
    [InlineData('▓', 216)]
    [InlineData('─', 24)]
    [InlineData('│', 48)]
    [InlineData('┼', 68)]
    [InlineData('☃', 36)]
    [InlineData(' ', 0)]
    public void Blocks_and_frames_fill_their_share_of_a_cell(char character, int pixels)
    {
        _canvas.Clear(24, 1);
        _canvas.Put(0, 0, character, 9);
        Assert.Equal(pixels, Cell(Paint(), 0, 0).Count(color => color == 9));
    }

    [Fact]
    public void The_halves_of_a_cell_are_where_they_were_painted()
    {
        _canvas.Clear(24, 1);
        _canvas.Dot(0, 1, 9);
        _canvas.Dot(1, 0, 10);
        _canvas.Dot(1, 1, 11);
        var image = Paint();
        Assert.Equal([.. Enumerable.Repeat<byte>(0, 144), .. Enumerable.Repeat<byte>(9, 144)], Cell(image, 0, 0));
        Assert.Equal([.. Enumerable.Repeat<byte>(10, 144), .. Enumerable.Repeat<byte>(11, 144)], Cell(image, 1, 0));
    }

    [Fact]
    public void Every_printable_character_has_a_drawing_of_its_own()
    {
        var drawings = new HashSet<string>();
        for (var character = ' '; character <= '~'; character++)
        {
            _canvas.Clear(24, 1);
            _canvas.Put(0, 0, character, 9);
            Assert.True(drawings.Add(string.Join(',', Cell(Paint(), 0, 0))), $"'{character}'");
        }
    }

    [Fact]
    public void A_small_picture_stands_in_the_middle_below_the_caption()
    {
        _canvas.Clear(2, 1);
        _canvas.Block(0, 0, '#', 9);
        var image = Paint();
        Assert.All(Cell(image, 11, 0), color => Assert.Equal(9, color));
        Assert.DoesNotContain((byte)9, Cell(image, 10, 0));
    }

    [Fact]
    public void All_pictures_have_the_size_of_the_first()
    {
        var painter = new CanvasPainter();
        _canvas.Clear(30, 5);
        var size = painter.Paint(_canvas, Caption(0)).Pixels.Length;
        _canvas.Clear(50, 9, background: 3);
        Assert.Equal(size, painter.Paint(_canvas, Caption(1_000_000)).Pixels.Length);
    }

    private static Caption Caption(int step) => new("an-environment-of-24-cha", 1, step, 0);

    private PixelImage Paint() => new CanvasPainter().Paint(_canvas, Caption(0));

    /// <summary>A cell of the canvas, row by row.</summary>
    private static byte[] Cell(PixelImage image, int column, int row) => [.. Enumerable.Range(0, 24)
        .SelectMany(y => image.Row(Margin + (CaptionRows + row) * 24 + y).Slice(Margin + column * 12, 12).ToArray())];
}
