namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>Rods that turn about the middle of a picture, with room all around, in square dots.</summary>
internal static class RodPicture
{
    private const byte JointColor = 255, EndColor = 196, LevelColor = 240;
    private const double Thickness = 2.5;

    /// <summary>The picture's height in cells, with room for a chain of so many rods.</summary>
    public static int Rows(int rods) => rods * Dots(rods) + 1;

    public static int Columns(int rods) => 2 * rods * Dots(rods) + 1;

    /// <summary>Draws a rod and returns where it ends, in rods right of and below the middle.</summary>
    /// <param name="rods">The length of the chain that the picture has room for.</param>
    /// <param name="angle">From hanging straight down, counterclockwise, in radians.</param>
    /// <param name="from">Where it starts, as returned for another rod; the middle by default.</param>
    public static (double Right, double Down) Draw(
        TextCanvas canvas, int rods, double angle, byte color, (double Right, double Down) from = default)
    {
        var (right, down) = Math.SinCos(angle);
        var (dots, middle) = (Dots(rods), rods * Dots(rods));
        var end = (Right: from.Right + right, Down: from.Down + down);
        canvas.Line(
            middle + dots * from.Right, middle + dots * from.Down, middle + dots * end.Right, middle + dots * end.Down, color, Thickness);
        Spot(canvas, rods, end, EndColor);
        return end;
    }

    public static void Joint(TextCanvas canvas, int rods, (double Right, double Down) at = default) => Spot(canvas, rods, at, JointColor);

    /// <summary>Draws a line across, so many rods above the middle.</summary>
    public static void Level(TextCanvas canvas, int rods, int height)
    {
        for (var column = 0; column < Columns(rods); column++) canvas.Dot(column, (rods - height) * Dots(rods), LevelColor);
    }

    /// <summary>The length of one rod: what makes a picture of at most 21 rows.</summary>
    private static int Dots(int rods) => rods == 1 ? 16 : 10;

    private static void Spot(TextCanvas canvas, int rods, (double Right, double Down) at, byte color)
    {
        var (x, y) = (Math.Round((rods + at.Right) * Dots(rods)), Math.Round((rods + at.Down) * Dots(rods)));
        canvas.Line(x, y, x, y, color, thickness: 3);
    }
}
