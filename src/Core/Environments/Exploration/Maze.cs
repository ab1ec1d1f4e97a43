using System.Numerics;

namespace Rl.Distributed.Core.Environments.Exploration;

/// <summary>Random mazes without loops, by a depth-first walk.</summary>
internal static class Maze
{
    /// <summary>The largest side, in cells.</summary>
    public const int MaxSize = 63;

    private const int Ways = 4;

    // A draw below 12 chooses among 1, 2, 3 or 4 ways with equal chances; one draw below 12⁸ is eight of them.
    private const int Choices = 12, ChoicesPerDraw = 8, DrawRange = 429_981_696;

    // By the set of ways that are open (bit w: way w) and the choice: the way.
    private static readonly byte[] WayOf = MakeWays();

    /// <summary>How many cells of such a maze are free: the rooms, and a passage to each but the first.</summary>
    public static int FreeCells(int size) => 2 * (size / 2) * (size / 2) - 1;

    /// <summary>The cell of the room in that column and row of rooms.</summary>
    public static int RoomCell(int size, int x, int y) => (2 * y + 1) * size + 2 * x + 1;

    /// <summary>Carves a maze of size² cells: rooms at odd columns and rows, and passages between those that are joined.</summary>
    /// <remarks>
    /// The walk starts in a random room, goes on to a random neighbour that it has not seen, and turns back where there is none. Every
    /// maze without loops can come out, those with long corridors more often.
    /// </remarks>
    /// <param name="size">Cells a side: odd, 3 … <see cref="MaxSize"/>.</param>
    /// <param name="free">Takes the free cells, each as row · size + column.</param>
    /// <param name="draws">Gives the luck.</param>
    public static void Carve<TDraws>(int size, Span<short> free, ref TDraws draws) where TDraws : struct, IDraws
    {
        var side = size / 2;
        // 1 for a room not yet seen; a frame of zeros around them keeps the walk inside.
        var stride = side + 2;
        Span<byte> open = stackalloc byte[stride * stride];
        open.Clear();
        for (var row = 1; row <= side; row++) open.Slice(row * stride + 1, side).Fill(1);

        ReadOnlySpan<int> roomSteps = [1, -1, stride, -stride], cellSteps = [1, -1, size, -size];
        Span<(short Room, short Cell)> path = stackalloc (short, short)[side * side];
        var (x, y) = (draws.Integer(side), draws.Integer(side));
        var (room, cell) = ((y + 1) * stride + x + 1, RoomCell(size, x, y));
        var (depth, count, choices, left) = (0, 1, 0u, 0);
        open[room] = 0;
        free[0] = (short)cell;
        while (count < free.Length)
        {
            var ways = open[room + 1] | open[room - 1] << 1 | open[room + stride] << 2 | open[room - stride] << 3;
            if (ways == 0)
            {
                (room, cell) = path[--depth];
                continue;
            }
            path[depth] = ((short)room, (short)cell);
            // A room with one way left need not be visited again.
            if (!BitOperations.IsPow2(ways)) depth++;
            if (left-- == 0) (choices, left) = ((uint)draws.Integer(DrawRange), ChoicesPerDraw - 1);
            var way = WayOf[ways * Choices + (int)(choices % Choices)];
            choices /= Choices;
            free[count] = (short)(cell + cellSteps[way]);
            (room, cell) = (room + roomSteps[way], cell + 2 * cellSteps[way]);
            free[count + 1] = (short)cell;
            count += 2;
            open[room] = 0;
        }
    }

    private static byte[] MakeWays()
    {
        var table = new byte[(1 << Ways) * Choices];
        for (var open = 1; open < 1 << Ways; open++)
        {
            int[] ways = [.. Enumerable.Range(0, Ways).Where(way => (open >> way & 1) != 0)];
            for (var choice = 0; choice < Choices; choice++) table[open * Choices + choice] = (byte)ways[choice % ways.Length];
        }
        return table;
    }
}
