using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Gymnasium;

/// <summary>Draws an environment: its own picture in the terminal's colours, or else its observation in numbers.</summary>
/// <param name="asks">Whether the environment was made to draw.</param>
internal sealed class FramePicture(bool asks)
{
    private const int Columns = 80, Rows = 48, MostNumbers = 40, NumbersInARow = 4, NumberWidth = 14;

    private bool _asks = asks;

    public void Draw(CopyGroup group, int slot, int copy, GymnasiumFacts facts, TextCanvas canvas)
    {
        if (_asks && Ask(group, copy) is { } frame) DrawFrame(frame, canvas);
        else if (facts.Format == WireFormat.Frame) DrawGray(group.Observation(slot, copy), facts.WireShape[0], facts.WireShape[1], canvas);
        else DrawNumbers(group.Observation(slot, copy), facts, canvas);
    }

    /// <summary>The colour of the terminal's 6×6×6 cube, or of its greys, that is nearest.</summary>
    public static byte Nearest(byte red, byte green, byte blue)
    {
        if (Math.Abs(red - green) < 8 && Math.Abs(green - blue) < 8)
            return red < 4 ? (byte)16 : red > 246 ? (byte)231 : (byte)(232 + Math.Clamp((red - 3) / 10, 0, 23));
        return (byte)(16 + 36 * Level(red) + 6 * Level(green) + Level(blue));

        // Its levels are 0, 95, 135, 175, 215 and 255.
        static int Level(byte value) => value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40;
    }

    // What it cannot draw once (a package is missing) it is not asked for again.
    private JsonObject? Ask(CopyGroup group, int copy)
    {
        try
        {
            if (group.Render(copy, Columns, Rows) is var answer && answer.ContainsKey("rgb")) return answer;
        }
        catch (PythonException)
        {
            // The numbers are drawn instead; if the process is at its end, the next step says so.
        }
        _asks = false;
        return null;
    }

    private static void DrawFrame(JsonObject frame, TextCanvas canvas)
    {
        var (rows, columns) = (frame["rows"]!.GetValue<int>(), frame["columns"]!.GetValue<int>());
        var rgb = Convert.FromBase64String(frame["rgb"]!.GetValue<string>());
        canvas.Clear(columns, (rows + 1) / 2);
        for (var y = 0; y < rows; y++)
            for (var x = 0; x < columns; x++)
            {
                var pixel = rgb.AsSpan((y * columns + x) * 3);
                canvas.Dot(x, y, Nearest(pixel[0], pixel[1], pixel[2]));
            }
    }

    private static void DrawGray(ReadOnlySpan<byte> frame, int height, int width, TextCanvas canvas)
    {
        canvas.Clear(Columns, Rows / 2);
        for (var y = 0; y < Rows; y++)
            for (var x = 0; x < Columns; x++)
            {
                var gray = frame[y * height / Rows * width + x * width / Columns];
                canvas.Dot(x, y, Nearest(gray, gray, gray));
            }
    }

    private static void DrawNumbers(ReadOnlySpan<byte> observation, GymnasiumFacts facts, TextCanvas canvas)
    {
        var count = facts.Format switch
        {
            WireFormat.Float32 => observation.Length / sizeof(float),
            WireFormat.Index => 1,
            _ => observation.Length,
        };
        var shown = Math.Min(count, MostNumbers);
        canvas.Clear(NumberWidth * NumbersInARow, (shown + NumbersInARow - 1) / NumbersInARow);
        Span<char> text = stackalloc char[64];
        for (var i = 0; i < shown; i++)
        {
            var number = facts.Format switch
            {
                WireFormat.Float32 => MemoryMarshal.Cast<byte, float>(observation)[i],
                WireFormat.Index => MemoryMarshal.Read<long>(observation),
                _ => observation[i],
            };
            if (!number.TryFormat(text, out var length, "0.####", CultureInfo.InvariantCulture) || length >= NumberWidth)
                number.TryFormat(text, out length, "0.###e+0", CultureInfo.InvariantCulture);
            if (i == MostNumbers - 1 && count > shown) (text[0], length) = ('…', 1);
            var left = i % NumbersInARow * NumberWidth + NumberWidth - 1 - length;
            for (var x = 0; x < length; x++) canvas.Put(left + x, i / NumbersInARow, text[x]);
        }
    }
}
