using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Core.Tests.Environments;

public class TextCanvasTests
{
    private readonly TextCanvas _canvas = new();

    [Fact]
    public void Halves_of_a_cell_keep_their_colours()
    {
        _canvas.Clear(4, 1, background: 17);
        _canvas.Dot(0, 0, 9);
        _canvas.Dot(1, 1, 9);
        _canvas.Dot(2, 1, 9);
        _canvas.Dot(2, 0, 10);
        _canvas.Dot(3, 0, 9);
        _canvas.Dot(3, 1, 9);
        Assert.Equal(["▀ 9 17", "▀ 17 9", "▀ 10 9", "█ 9 9"], Cells());
        _canvas.Dot(3, 1, 8);
        Assert.Equal("▀ 9 8", Cells()[3]);
    }

    [Fact]
    public void The_terminals_own_background_shows_beside_a_dot()
    {
        _canvas.Clear(4, 1);
        _canvas.Dot(0, 0, 9);
        _canvas.Dot(1, 1, 9);
        _canvas.Dot(2, 1, 9);
        _canvas.Dot(2, 0, 10);
        Assert.Equal(["▀ 9 0", "▄ 9 0", "▀ 10 9", "  0 0"], Cells());
    }

    [Fact]
    public void Nothing_is_drawn_outside()
    {
        _canvas.Clear(2, 1);
        foreach (var at in new[] { -1, 2, int.MinValue, int.MaxValue })
        {
            _canvas.Put(at, 0, 'x');
            _canvas.Put(0, at, 'x');
            _canvas.Dot(at, 0, 9);
            _canvas.Dot(0, at, 9);
        }
        _canvas.Line(-5, -5, -1, 9, 9);
        Assert.Equal(["  0 0", "  0 0"], Cells());
    }

    [Theory]
    [InlineData(0, 0, 3, 0, 1, "▀▀▀▀")]
    [InlineData(0, 0, 3, 0, 2, "████")]
    [InlineData(0, 0, 3, 3, 1, "▀▄  |  ▀▄")]
    [InlineData(1, 1, 1, 1, 1, " ▄")]
    [InlineData(-9, 1, 9, 1, 1, "▄▄▄▄")]
    public void Lines_take_the_dots_that_are_near(double x1, double y1, double x2, double y2, double thickness, string picture)
    {
        _canvas.Clear(4, 2);
        _canvas.Line(x1, y1, x2, y2, 9, thickness);
        var rows = Enumerable.Range(0, 2).Select(y => new string([.. Enumerable.Range(0, 4).Select(x => _canvas.CharacterAt(x, y))]));
        Assert.Equal(picture, string.Join('|', rows).TrimEnd(' ', '|'));
    }

    private string[] Cells() =>
        [.. Enumerable.Range(0, _canvas.Width).Select(x => $"{_canvas.CharacterAt(x, 0)} {_canvas.ColorAt(x, 0)} {_canvas.BackgroundAt(x, 0)}")];
}
