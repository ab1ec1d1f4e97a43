using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Environments.Bsuite;

/// <summary>How one of bsuite's two memory experiments sets up <see cref="MemoryChain{TTask}"/>.</summary>
public interface IMemoryTask
{
    static abstract string Name { get; }

    static abstract string Description { get; }

    /// <summary>The one option that it has.</summary>
    static abstract OptionRange Range { get; }

    /// <summary>The memory length and the number of bits.</summary>
    /// <exception cref="ArgumentException">The option is out of range.</exception>
    static abstract (int Length, int Bits) Setting(EnvironmentOptions options);
}

/// <summary>bsuite's memory_len: one bit, <see cref="EnvironmentOptions.Length"/> steps, 10 by default; in bsuite 1 to 100.</summary>
public readonly struct MemoryLength : IMemoryTask
{
    public static string Name => "memory-len";

    public static string Description => "Remember one bit for N steps (bsuite memory_len); best return 1, without memory 0.";

    public static OptionRange Range { get; } = new(Name, nameof(EnvironmentOptions.Length), Default: 10, Least: 1, Most: 1000);

    public static (int Length, int Bits) Setting(EnvironmentOptions options) => (Range.Value(options.Length), 1);
}

/// <summary>bsuite's memory_size: 2 steps, <see cref="EnvironmentOptions.Bits"/> bits, 10 by default; in bsuite 1 to 40.</summary>
public readonly struct MemorySize : IMemoryTask
{
    public static string Name => "memory-size";

    public static string Description => "Remember N bits and tell the one asked for (bsuite memory_size); best return 1, without memory 0.";

    public static OptionRange Range { get; } = new(Name, nameof(EnvironmentOptions.Bits), Default: 10, Least: 1, Most: 64);

    public static (int Length, int Bits) Setting(EnvironmentOptions options) => (2, Range.Value(options.Bits));
}

/// <summary>The memory chain of DeepMind's bsuite: see some bits, wait, be asked for one of them.</summary>
/// <remarks>
/// With memory length L and n bits, moment m = 0 … L of an episode is observed as Float32[n + 2]: the time left, 1 - m/L; the query, the
/// index from 0 of the bit asked for, at m = L - 1, else 0; and n numbers, the bits as -1 and 1 at m = 0, else 0. Bits and query are drawn
/// fairly at the reset. Moment 0 is observed after the reset and again after the first step, moment m after step m + 1, so that an episode
/// has L + 1 steps, the last of which acts upon moment L - 1 and ends it at moment L. Actions 0 and 1 say a bit; only the last one
/// counts, for reward 1 if it is the bit asked for, else -1. All other steps give 0.
/// Rules after bsuite/environments/memory_chain.py (Osband et al. 2019, arXiv:1908.03568), where the shape is [1, n + 2].
/// </remarks>
public struct MemoryChain<TTask> : IGame<MemoryChain<TTask>, int>
    where TTask : struct, IMemoryTask
{
    private const int BitsPerDraw = 30;

    private readonly int _length, _bits;
    private int _steps, _query;
    private ulong _context;

    private MemoryChain(int length, int bits) => (_length, _bits) = (length, bits);

    public static EnvironmentEntry Entry { get; } = new()
    {
        Name = TTask.Name,
        Description = TTask.Description,
        Spec = Spec,
        Create = (options, count, random) => new GameBatch<MemoryChain<TTask>, int>(options, count, random),
        Options = [TTask.Range.Option],
        Ranges = [TTask.Range],
    };

    private readonly int Moment => Math.Max(0, _steps - 1);

    public static EnvironmentSpec Spec(EnvironmentOptions options) =>
        new(TTask.Name, new ObservationSpec(ElementType.Float32, TTask.Setting(options).Bits + 2), new DiscreteActionSpec(2));

    public static MemoryChain<TTask> Create(EnvironmentOptions options)
    {
        var (length, bits) = TTask.Setting(options);
        return new MemoryChain<TTask>(length, bits);
    }

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        (_steps, _context) = (0, 0);
        for (var bit = 0; bit < _bits; bit += BitsPerDraw) _context |= (ulong)draws.Integer(1 << BitsPerDraw) << bit;
        _query = draws.Integer(_bits);
    }

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws =>
        ++_steps <= _length ? new Outcome(0) : new Outcome(action == Bit(_query) ? 1 : -1, Terminated: true);

    public readonly void Observe(Span<byte> observation)
    {
        var shown = MemoryMarshal.Cast<byte, float>(observation);
        shown.Clear();
        shown[0] = (float)(1 - Moment / (double)_length);
        if (Moment == _length - 1) shown[1] = _query;
        if (Moment > 0) return;
        for (var bit = 0; bit < _bits; bit++) shown[2 + bit] = 2 * Bit(bit) - 1;
    }

    public readonly void Render(TextCanvas canvas)
    {
        canvas.Clear(Math.Max(_bits, 20), 3);
        for (var bit = 0; bit < _bits; bit++) canvas.Put(bit, 0, (char)('0' + Bit(bit)), (byte)(Moment > 0 ? 8 : Bit(bit) > 0 ? 11 : 12));
        if (Moment == _length - 1) canvas.Put(_query, 1, '^', 10);
        var left = 20 * (_length - Moment) / _length;
        for (var x = 0; x < 20; x++) canvas.Put(x, 2, x < left ? '=' : '.', (byte)(x < left ? 14 : 8));
    }

    private readonly int Bit(int index) => (int)(_context >> index) & 1;
}
