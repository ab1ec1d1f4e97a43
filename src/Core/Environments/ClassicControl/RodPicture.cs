namespace Rl.Distributed.Core.Environments.ClassicControl;

/// <summary>Rods that turn about the middle of a picture, 5 rows long each, with room all around.</summary>
/// <remarks>A character is about twice as high as wide, so a rod that lies takes twice as many columns as rows.</remarks>
internal static class RodPicture
{
    private const int RodRows = 5, RodColumns = 2 * RodRows;

    /// <summary>The picture's height, with room for a chain of so many rods.</summary>
    public static int Rows(int rods) => 2 * rods * RodRows + 1;

    public static int Columns(int rods) => 2 * rods * RodColumns + 1;

    /// <summary>Draws a rod and returns where it ends, in rods right of and below the middle.</summary>
    /// <param name="rods">The length of the chain that the picture has room for.</param>
    /// <param name="angle">From hanging straight down, counterclockwise, in radians.</param>
    /// <param name="from">Where it starts, as returned for another rod; the middle by default.</param>
    public static (double Right, double Down) Draw(
        TextCanvas canvas, int rods, double angle, byte color, (double Right, double Down) from = default)
    {
        var (right, down) = Math.SinCos(angle);
        for (var point = 0; point <= RodColumns; point++)
        {
            var along = (double)point / RodColumns;
            Put(canvas, rods, (from.Right + along * right, from.Down + along * down), point == RodColumns ? '@' : '*', color);
        }
        return (from.Right + right, from.Down + down);
    }

    public static void Joint(TextCanvas canvas, int rods, (double Right, double Down) at = default) => Put(canvas, rods, at, 'o', 15);

    /// <summary>Draws a line across, so many rods above the middle.</summary>
    public static void Level(TextCanvas canvas, int rods, int height)
    {
        for (var column = 0; column < Columns(rods); column++) canvas.Put(column, (rods - height) * RodRows, '-', 8);
    }

    private static void Put(TextCanvas canvas, int rods, (double Right, double Down) at, char character, byte color) =>
        canvas.Put((int)Math.Round((rods + at.Right) * RodColumns), (int)Math.Round((rods + at.Down) * RodRows), character, color);
}
