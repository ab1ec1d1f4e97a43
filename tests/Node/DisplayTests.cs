using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Output;
using Rl.Distributed.Node.Pictures;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Tests;

public sealed class DisplayTests
{
    [Theory]
    [InlineData(new double[0], "")]
    [InlineData(new[] { double.NaN }, "")]
    [InlineData(new[] { 3.0, 3.0 }, "▁▁")]
    [InlineData(new[] { 0.0, double.NaN, 7.0, 1.0 }, "▁█▂")]
    public void A_curve_is_scaled_to_its_lowest_and_highest_value(double[] values, string expected) => Assert.Equal(expected, Sparkline.Draw(values, 10));

    [Fact]
    public void A_long_curve_is_squeezed_into_its_width() =>
        Assert.Equal("▁▂▃▄▅▆▇█", Sparkline.Draw([.. Enumerable.Range(0, 8000).Select(i => (double)i)], 8));

    [Fact]
    public void The_live_display_shows_progress_and_warnings_and_ends_cleanly()
    {
        using var writer = new StringWriter();
        using (var display = new LiveDisplay(writer, ConfigLoader.Load("impala-catch", [])))
        {
            display.Start("runs/x", null);
            display.People.WriteLine("warning: [odd] markup");
            for (var i = 1; i <= 10; i++)
            {
                display.Show(new TrainingProgress { Frames = i * 1000, TotalFrames = 20_000, MeanReturn100 = i, FramesPerSecond = 12_345, Remaining = TimeSpan.FromSeconds(75) });
            }
            display.Stop();
        }
        var text = writer.ToString();
        Assert.Contains("12,345", text);
        Assert.Contains("1:15", text);
        Assert.Contains("▁", text);
        Assert.Contains("warning: [odd] markup", text);
    }

    [Fact]
    public void A_terminal_gets_colours_and_a_file_does_not()
    {
        var canvas = new TextCanvas();
        canvas.Clear(3, 1);
        canvas.Put(1, 0, '#', 9);
        Assert.Contains(" \e[38;5;9m#\e[39m ", Draw(canvas, isTerminal: true));
        Assert.Equal("caption\n #\n\n", Draw(canvas, isTerminal: false));
    }

    [Fact]
    public void A_terminal_gets_the_colours_behind_characters_too()
    {
        var canvas = new TextCanvas();
        canvas.Clear(4, 2);
        canvas.Put(1, 0, 'a', 9, 17);
        canvas.Put(2, 0, 'b', 10, 17);
        canvas.Block(3, 1, '#', 5);
        Assert.Contains(" \e[38;5;9m\e[48;5;17ma\e[38;5;10mb\e[39m\e[49m \e[K\n", Draw(canvas, isTerminal: true));
        Assert.Contains("   \e[38;5;5m\e[48;5;5m#\e[39m\e[49m\e[K\n", Draw(canvas, isTerminal: true));
        Assert.Equal("caption\n ab\n   #\n\n", Draw(canvas, isTerminal: false));
    }

    [Theory]
    [InlineData(8, "caption\e[K\n12345678\e[K\n")]
    [InlineData(7, "caption\e[K\n123456»\e[K\n")]
    [InlineData(4, "cap»\e[K\n123»\e[K\n")]
    [InlineData(1, "»\e[K\n»\e[K\n")]
    public void A_picture_wider_than_the_terminal_is_cut_off_with_a_mark(int columns, string expected)
    {
        var canvas = new TextCanvas();
        canvas.Clear(8, 1);
        for (var x = 0; x < 8; x++) canvas.Put(x, 0, (char)('1' + x));
        Assert.Contains(expected, Draw(canvas, isTerminal: true, columns));
        Assert.Contains("caption\n12345678\n", Draw(canvas, isTerminal: false, columns));
    }

    [Fact]
    public void What_rounds_to_nothing_has_no_sign()
    {
        Assert.Equal(["0", "0", "-0.01", "0.25"], new[] { -0.0, -0.004, -0.01, 0.25 }.Select(TrainingDisplay.Short));
        Assert.EndsWith("return 0", new Caption("deepsea", 1, 10, -1e-17).ToString());
    }

    private static string Draw(TextCanvas canvas, bool isTerminal, int columns = 80)
    {
        using var writer = new StringWriter();
        using (var screen = new TerminalScreen(writer, isTerminal, () => columns)) screen.Show(canvas, "caption");
        return writer.ToString();
    }
}
