namespace Rl.Distributed.Core.Environments.Exploration;

/// <summary>The Random Disco Maze: find one's way in a new maze whose walls change colour all the time.</summary>
/// <remarks>
/// From Badia et al. 2020, "Never give up" (arXiv:2002.06038), section 4.1: a new random maze of 21 × 21 cells for every episode, in full
/// sight; four actions that move one cell (0 left, 1 right, 2 up, 3 down); a step into a wall ends the episode; at every step each cell
/// of wall takes one of five colours at random; paths are black, the agent is green; there is no reward.
/// Chosen here, where the paper is silent: the mazes are those of <see cref="Maze"/>, 10 × 10 rooms a cell apart, without loops, framed by
/// wall; the agent starts in any room, with equal chances; after a step into a wall it is shown in the wall; the five colours are red,
/// yellow, blue, magenta and cyan, with equal chances, and drawn for the first observation too; an episode is truncated after 5 steps a
/// room, here 500, which is time to see all 199 free cells (a walk of 396 steps at most).
/// Options beyond the paper: <see cref="EnvironmentOptions.Size"/>, cells a side, odd, 5 … 63; and <see cref="EnvironmentOptions.Goal"/>, a
/// white cell in any of the other rooms, with equal chances: a step onto it gives reward 1 and ends the episode.
/// Observation: UInt8[21, 21, 3], row by row: red, green, blue.
/// </remarks>
public struct DiscoMaze : IGame<DiscoMaze, int>
{
    private const string Name = "discomaze";
    private const int StepsPerRoom = 5, Channels = 3;
    private const byte Wall = 255;

    private static readonly OptionRange Sizes = new(Name, nameof(EnvironmentOptions.Size), Default: 21, Least: 5, Most: Maze.MaxSize);

    private readonly int _size;
    private readonly bool _hasGoal;

    // As an observation: Wall in each byte of a cell of wall, 0 in the others. Both arrays are made at the first reset.
    private byte[]? _walls;
    private int[]? _colors;
    private int _agent, _goal, _steps;

    private DiscoMaze(int size, bool hasGoal) => (_size, _hasGoal) = (size, hasGoal);

    public static EnvironmentEntry Entry { get; } = new()
    {
        Name = Name,
        Description = "Explore a maze whose walls change colour at every step (Badia et al. 2020); no reward, or a goal for 1.",
        Spec = Spec,
        Create = (options, count, random) => new GameBatch<DiscoMaze, int>(options, count, random),
        Options = [Sizes.Option, nameof(EnvironmentOptions.Goal)],
        Ranges = [Sizes],
    };

    private readonly int Rooms => _size / 2;

    public static EnvironmentSpec Spec(EnvironmentOptions options) =>
        new(Name, new ObservationSpec(ElementType.UInt8, Size(options), Size(options), Channels), new DiscreteActionSpec(4));

    public static DiscoMaze Create(EnvironmentOptions options) => new(Size(options), options.Goal);

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        _walls ??= new byte[Channels * _size * _size];
        _colors ??= new int[DiscoPaint.DrawCount(_size * _size)];
        Span<short> free = stackalloc short[Maze.FreeCells(_size)];
        Maze.Carve(_size, free, ref draws);
        var walls = _walls;
        Array.Fill(walls, Wall);
        foreach (var cell in free) walls[Channels * cell] = walls[Channels * cell + 1] = walls[Channels * cell + 2] = 0;
        var start = draws.Integer(Rooms * Rooms);
        _agent = Maze.RoomCell(_size, start % Rooms, start / Rooms);
        if (_hasGoal)
        {
            var goal = draws.Integer(Rooms * Rooms - 1);
            if (goal >= start) goal++;
            _goal = Maze.RoomCell(_size, goal % Rooms, goal / Rooms);
        }
        _steps = 0;
        DiscoPaint.Draw(_colors, ref draws);
    }

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        _agent += action switch { 0 => -1, 1 => 1, 2 => -_size, _ => _size };
        DiscoPaint.Draw(_colors, ref draws);
        var isFound = _hasGoal && _agent == _goal;
        return new Outcome(
            isFound ? 1 : 0,
            Terminated: isFound || _walls![Channels * _agent] == Wall,
            Truncated: ++_steps >= StepsPerRoom * Rooms * Rooms);
    }

    public readonly void Observe(Span<byte> observation)
    {
        DiscoPaint.Paint(_colors, _walls, observation);
        if (_hasGoal) observation.Slice(Channels * _goal, Channels).Fill(255);
        var agent = observation.Slice(Channels * _agent, Channels);
        (agent[0], agent[1], agent[2]) = (0, 255, 0);
    }

    public readonly void Render(TextCanvas canvas)
    {
        canvas.Clear(2 * _size, _size);
        for (var cell = 0; cell < _size * _size; cell++)
            if (_walls![Channels * cell] == Wall) Put(canvas, cell, '#', '#', DiscoPaint.TerminalColors[DiscoPaint.At(_colors, cell)]);
        if (_hasGoal) Put(canvas, _goal, '(', ')', 15);
        Put(canvas, _agent, '[', ']', 10);
    }

    private readonly void Put(TextCanvas canvas, int cell, char left, char right, byte color)
    {
        var (y, x) = Math.DivRem(cell, _size);
        canvas.Put(2 * x, y, left, color);
        canvas.Put(2 * x + 1, y, right, color);
    }

    private static int Size(EnvironmentOptions options)
    {
        var size = Sizes.Value(options.Size);
        if (size % 2 == 1) return size;
        throw new ArgumentException(
            $"{nameof(options.Size)} of '{Name}' is an odd number, 5 to {Maze.MaxSize}, but is {size}.", nameof(options));
    }
}
