using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace GridWorld;

/// <summary>Monday, 8:59. Somewhere among the desks there is a coffee, and every step to it counts.</summary>
/// <remarks>
/// You and the coffee begin on two different free squares. Actions 0 to 3 go up, right, down and left; whoever walks into a desk or a wall
/// stays. The coffee gives 1 and ends the episode, each step costs 0.02, and after 40 steps the meeting begins without you.
/// </remarks>
public sealed class CoffeeRun : IDiscreteEnvironment
{
    private const int MeetingBegins = 40;

    private static readonly string[] Office =
    [
        "......",
        ".##.#.",
        ".#..#.",
        "....#.",
        ".##...",
        "......",
    ];

    private static readonly int Size = Office.Length;

    private (int X, int Y) _you, _coffee;
    private int _steps;

    // Three planes of bits: you, the coffee, the desks.
    public EnvironmentSpec Spec { get; } =
        new("coffee-run", new ObservationSpec(ElementType.Bit, Size, Size, 3), new DiscreteActionSpec(4));

    public void Reset(ref RandomStream random, ObservationWriter observation)
    {
        _steps = 0;
        _you = FreeSquare(ref random);
        do _coffee = FreeSquare(ref random);
        while (_coffee == _you);
        Observe(observation.Flags);
    }

    public Outcome Step(int action, ref RandomStream random, ObservationWriter observation)
    {
        var (dx, dy) = action switch { 0 => (0, -1), 1 => (1, 0), 2 => (0, 1), _ => (-1, 0) };
        if (IsFree(_you.X + dx, _you.Y + dy)) _you = (_you.X + dx, _you.Y + dy);
        _steps++;
        Observe(observation.Flags);
        var found = _you == _coffee;
        return new Outcome(Reward: found ? 1 : -0.02, Terminated: found, Truncated: _steps == MeetingBegins);
    }

    public void Render(TextCanvas canvas)
    {
        canvas.Clear(2 * Size, Size);
        for (var y = 0; y < Size; y++)
            for (var x = 0; x < Size; x++)
                canvas.Put(2 * x, y, Office[y][x], color: Office[y][x] == '#' ? (byte)240 : (byte)236);
        canvas.Put(2 * _coffee.X, _coffee.Y, 'c', color: 172);
        canvas.Put(2 * _you.X, _you.Y, '@', color: 15);
    }

    private void Observe(Span<bool> planes)
    {
        for (var y = 0; y < Size; y++)
            for (var x = 0; x < Size; x++)
                planes[At(x, y, 2)] = !IsFree(x, y);
        planes[At(_you.X, _you.Y, 0)] = true;
        planes[At(_coffee.X, _coffee.Y, 1)] = true;
    }

    private static int At(int x, int y, int plane) => (y * Size + x) * 3 + plane;

    private static bool IsFree(int x, int y) => x >= 0 && y >= 0 && x < Size && y < Size && Office[y][x] != '#';

    private static (int X, int Y) FreeSquare(ref RandomStream random)
    {
        while (true)
        {
            var (x, y) = (random.NextInt32(Size), random.NextInt32(Size));
            if (IsFree(x, y)) return (x, y);
        }
    }
}
