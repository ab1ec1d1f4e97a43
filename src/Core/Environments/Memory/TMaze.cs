namespace Rl.Distributed.Core.Environments.Memory;

/// <summary>The T-maze: a sign at the start of a corridor says where the goal is at its end.</summary>
/// <remarks>
/// A corridor runs east from the start to a junction, N steps away (<see cref="EnvironmentOptions.Length"/>, 10 by default). From there one
/// arm goes north, one south, and at the end of one of them, drawn fairly at the reset, is the goal. Actions: 0 north, 1 east, 2 south;
/// there is no way back. East moves one step along the corridor, for reward 0. At the junction, north and south choose an arm and end the
/// episode: reward 4 if the goal is there, else -0.1. Any other key, that is north or south in the corridor and east at the junction, means
/// staying, at reward -0.1. After 2N steps the episode is truncated, so the best return is 4, after N + 1 steps.
/// Observation: Bit[3]. The first one of an episode is the sign: 011 for a goal in the north, 110 for one in the south; from then on it is
/// 101 in the corridor, at the start too, and 010 at the junction. After a choice it stays 010. So a policy without memory is right half
/// of the time, at an expected return of at most 1.95.
/// Task, rewards and observations after Bakker 2002, "Reinforcement learning with long short-term memory", section 3. Bakker's agent has a
/// fourth key, west, and sees the sign for as long as it stands at the start; the limit and which sign means which arm are chosen here.
/// </remarks>
public struct TMaze : IGame<TMaze, int>
{
    private const string Name = "tmaze";
    private const int East = 1, South = 2;
    private const byte NorthSign = 0b110, SouthSign = 0b011, Corridor = 0b101, Junction = 0b010;

    private static readonly OptionRange Lengths = new(Name, nameof(EnvironmentOptions.Length), Default: 10, Least: 1, Most: 1000);

    private readonly int _length;
    private int _position, _steps;
    private bool _goalSouth;

    private TMaze(int length) => _length = length;

    public static EnvironmentEntry Entry { get; } = new()
    {
        Name = Name,
        Description = "Remember a sign to the end of a corridor of N steps (Bakker 2002); best return 4, without memory 1.95.",
        Spec = Spec,
        Create = (options, count, random) => new GameBatch<TMaze, int>(options, count, random),
        Options = [Lengths.Option],
        Ranges = [Lengths],
    };

    public static EnvironmentSpec Spec(EnvironmentOptions options)
    {
        Length(options);
        return new EnvironmentSpec(Name, new ObservationSpec(ElementType.Bit, 3), new DiscreteActionSpec(3));
    }

    public static TMaze Create(EnvironmentOptions options) => new(Length(options));

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws =>
        (_position, _steps, _goalSouth) = (0, 0, draws.Integer(2) == 1);

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        var late = ++_steps >= 2 * _length;
        var atJunction = _position == _length;
        if (atJunction && action != East) return new Outcome(_goalSouth == (action == South) ? 4 : -0.1, Terminated: true, Truncated: late);
        if (atJunction || action != East) return new Outcome(-0.1, Truncated: late);
        _position++;
        return new Outcome(0, Truncated: late);
    }

    public readonly void Observe(Span<byte> observation) => observation[0] =
        _steps == 0 ? _goalSouth ? SouthSign : NorthSign : _position == _length ? Junction : Corridor;

    public readonly void Render(TextCanvas canvas)
    {
        canvas.Clear(_length + 3, 5);
        for (var x = 0; x < canvas.Width; x++)
            for (var y = 0; y < canvas.Height; y++)
            {
                var isFree = y == 2 ? x > 0 && x < canvas.Width - 1 : x == _length + 1 && y is 1 or 3;
                var isBeside = y is 1 or 2 or 3 || x >= _length;
                if (isBeside) canvas.Put(x, y, isFree ? '.' : '#', 8);
            }
        canvas.Put(_length + 1, _goalSouth ? 3 : 1, 'G', 10);
        canvas.Put(_position + 1, 2, '@', 11);
    }

    private static int Length(EnvironmentOptions options) => Lengths.Value(options.Length);
}
