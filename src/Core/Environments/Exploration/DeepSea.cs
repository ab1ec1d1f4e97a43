using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments.Exploration;

/// <summary>Deep Sea, of DeepMind's bsuite: dive to the one treasure, which only the rightmost path reaches.</summary>
/// <remarks>
/// A board of N rows and columns (<see cref="EnvironmentOptions.Size"/>, 10 by default). The diver starts at the top left and sinks one row
/// a step, so that an episode has N steps. Of the actions 0 and 1 one means right and the other left; which one was drawn fairly for every
/// cell from <see cref="EnvironmentOptions.MappingSeed"/>, and from nothing else: whoever plays, whenever, finds the same sea, as in bsuite, whose
/// experiments all have the mapping seed 42. (Its draws are another generator's, so seeds do not give bsuite's very mappings.) Right moves a column right (the wall stops it) and costs 0.01/N;
/// left moves a column left (the wall stops it) and is free. Right in the last column, which is reached in the last row only, gives 1
/// on top; so one of the 2^N ways down returns 0.99, and all others 0 or less. Observation: Bit[N, N], row by row, 1 where the diver is; all
/// 0 after the last step.
/// With <see cref="EnvironmentOptions.Stochastic"/>, right moves nothing with probability 1/N, at the same cost, and in the last row the
/// first and the last column add a draw of a standard normal to the reward, whatever the action. (Its digits depend on the machine's
/// logarithm and cosine.)
/// Rules after bsuite/environments/deep_sea.py (Osband et al. 2019, arXiv:1908.03568, and 2017, arXiv:1703.07608).
/// </remarks>
public struct DeepSea : IGame<DeepSea, int>
{
    private const string Name = "deepsea";
    private const double MoveCost = 0.01;

    private static readonly OptionRange Sizes = new(Name, nameof(EnvironmentOptions.Size), Default: 10, Least: 2, Most: 64);

    private readonly int _size;
    private readonly bool _stochastic;

    // Bit x of row y: the action that means right there. All copies of a batch share it.
    private readonly ulong[] _right;
    private int _row, _column;

    private DeepSea(int size, bool stochastic, ulong[] right) => (_size, _stochastic, _right) = (size, stochastic, right);

    public static EnvironmentEntry Entry { get; } = new()
    {
        Name = Name,
        Description = "Find the one of 2^N ways that pays (bsuite deep_sea); N steps an episode, best return 0.99.",
        Spec = Spec,
        Create = (options, count, random) => new GameBatch<DeepSea, int>(options, count, random),
        Options = [Sizes.Option, nameof(EnvironmentOptions.Stochastic), nameof(EnvironmentOptions.MappingSeed)],
        Ranges = [Sizes],
        HasLuck = options => options.Stochastic,
    };

    public static EnvironmentSpec Spec(EnvironmentOptions options) =>
        new(Name, new ObservationSpec(ElementType.Bit, Size(options), Size(options)), new DiscreteActionSpec(2));

    public static DeepSea Create(EnvironmentOptions options) => new(Size(options), options.Stochastic, Mapping(Size(options), options.MappingSeed));

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws => (_row, _column) = (0, 0);

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        var isRight = action == (int)(_right[_row] >> _column & 1);
        var isLastRow = _row == _size - 1;
        double reward = isRight ? -MoveCost / _size : 0;
        if (isRight && _column == _size - 1) reward += 1;
        if (_stochastic && isLastRow && (_column == 0 || _column == _size - 1)) reward += Normal(ref draws);
        if (!isRight) _column = Math.Max(_column - 1, 0);
        else if (!_stochastic || draws.Integer(_size) > 0) _column = Math.Min(_column + 1, _size - 1);
        _row++;
        return new Outcome(reward, Terminated: isLastRow);
    }

    public readonly void Observe(Span<byte> observation)
    {
        observation.Clear();
        if (_row == _size) return;
        var bit = _row * _size + _column;
        observation[bit >> 3] = (byte)(1 << (bit & 7));
    }

    public readonly void Render(TextCanvas canvas)
    {
        canvas.Clear(2 * _size + 2, _size + 1);
        for (var y = 0; y < _size; y++)
        {
            canvas.Put(0, y, '|', 8);
            canvas.Put(2 * _size + 1, y, '|', 8);
            // The cells that can be reached are water.
            for (var x = 0; x < 2 * (y + 1); x++) canvas.Put(1 + x, y, '~', 4);
        }
        for (var x = 0; x < canvas.Width; x++) canvas.Put(x, _size, '-', 8);
        Put(canvas, _size - 1, _size - 1, '$', '$', 11);
        if (_row < _size) Put(canvas, _column, _row, '<', '>', 15);
    }

    private static void Put(TextCanvas canvas, int x, int y, char left, char right, byte color)
    {
        canvas.Put(1 + 2 * x, y, left, color);
        canvas.Put(2 + 2 * x, y, right, color);
    }

    private static ulong[] Mapping(int size, int seed)
    {
        var random = RandomStream.Create((ulong)seed, StreamRole.Environment);
        var right = new ulong[size];
        foreach (ref var row in right.AsSpan())
            for (var x = 0; x < size; x++) row |= (ulong)random.NextInt32(2) << x;
        return right;
    }

    /// <summary>A draw of the standard normal (Box and Muller).</summary>
    private static double Normal<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - draws.Double()));
        return radius * Math.Cos(2 * Math.PI * draws.Double());
    }

    private static int Size(EnvironmentOptions options) => Sizes.Value(options.Size);
}
