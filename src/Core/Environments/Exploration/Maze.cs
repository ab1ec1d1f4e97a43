namespace Rl.Distributed.Core.Environments.Exploration;

/// <summary>Random mazes without loops, by a depth-first walk.</summary>
internal static class Maze
{
    /// <summary>The largest side, in cells.</summary>
    public const int MaxSize = 63;

    /// <summary>How many cells of such a maze are free: the rooms, and a passage to each but the first.</summary>
    public static int FreeCells(int size) => 2 * (size / 2) * (size / 2) - 1;

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
        // A frame of seen rooms around the true ones keeps the walk inside.
        var stride = side + 2;
        Span<bool> seen = stackalloc bool[stride * stride];
        for (var i = 0; i < stride; i++)
            seen[i] = seen[stride * (stride - 1) + i] = seen[stride * i] = seen[stride * i + stride - 1] = true;

        ReadOnlySpan<int> roomSteps = [1, -1, stride, -stride], cellSteps = [1, -1, size, -size];
        Span<(short Room, short Cell)> path = stackalloc (short, short)[side * side];
        Span<int> ways = stackalloc int[4];
        var (x, y) = (draws.Integer(side), draws.Integer(side));
        var (room, cell) = ((y + 1) * stride + x + 1, RoomCell(size, x, y));
        var (depth, count) = (0, 1);
        seen[room] = true;
        free[0] = (short)cell;
        while (count < free.Length)
        {
            var found = 0;
            for (var way = 0; way < 4; way++)
                if (!seen[room + roomSteps[way]]) ways[found++] = way;
            if (found == 0)
            {
                (room, cell) = path[--depth];
                continue;
            }
            // A room with one way left need not be visited again.
            if (found > 1) path[depth++] = ((short)room, (short)cell);
            var chosen = ways[found > 1 ? draws.Integer(found) : 0];
            free[count++] = (short)(cell + cellSteps[chosen]);
            (room, cell) = (room + roomSteps[chosen], cell + 2 * cellSteps[chosen]);
            free[count++] = (short)cell;
            seen[room] = true;
        }
    }

    /// <summary>The cell of the room in that column and row of rooms.</summary>
    public static int RoomCell(int size, int x, int y) => (2 * y + 1) * size + 2 * x + 1;
}
