using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Optimizers;

namespace Rl.Distributed.ParameterServer;

/// <summary>Why a gradient was not applied.</summary>
public enum GradientRejection
{
    None,

    /// <summary>It is of another network.</summary>
    WrongLength,

    /// <summary>It holds NaN or infinity, or its length is beyond <see cref="SharedParameters.MaxNorm"/>: one would poison the statistics, and so
    /// every learner, for good.</summary>
    NotFinite,

    /// <summary>It, or a later one of the same learner, was applied before, or was stale.</summary>
    Duplicate,

    /// <summary>Its learner was restarted meanwhile.</summary>
    StaleIncarnation,

    /// <summary>Its learner is not registered: it is of another run, or its node was given up.</summary>
    UnknownLearner,

    /// <summary>This run never had the parameters that it says it was computed with.</summary>
    WrongVersion,

    /// <summary>It was computed with parameters older than the bound.</summary>
    Stale,

    /// <summary>Its loss was far above the usual, so the learner kept it.</summary>
    OutlierLoss,
}

/// <summary>T: the frames of all learners.</summary>
public interface IFrameCount
{
    /// <summary>So many are done, as far as they are known here.</summary>
    long Frames { get; }
}

/// <summary>What became of a gradient.</summary>
/// <param name="Rejection">None where it was applied.</param>
/// <param name="Norm">Its Euclidean norm before clipping.</param>
/// <param name="Staleness">Updates that were applied between the read of the parameters that it was computed with and this one.</param>
/// <param name="Update">The update that it became, counted from 1 since the run began; 0 where it was not applied.</param>
public readonly record struct GradientOutcome(GradientRejection Rejection, float Norm, long Staleness, long Update = 0);

/// <summary>Parameters θ that all learners of a process read and write without locks, and what belongs to them: the statistics of the
/// update, the count of frames T and of updates.</summary>
/// <remarks>
/// Recht et al. 2011 (Hogwild!), as Mnih et al. 2016 use it. Any thread may call anything at any time. Reads and writes of θ race by
/// intent: a number is never torn, an update that another thread overwrites is lost, and nothing else is: the counts are exact.
/// A learner owns a <see cref="LocalParameters"/>:
/// <code>
/// shared.CopyTo(local);
/// while (shared.Frames &lt; total)
/// {
///     AddGradient(local.Values, local.Gradient);
///     var before = shared.AddFrames(frames);
///     shared.Apply(local, learningRate, maxNorm: 40); // θ changes; local is fresh again and its gradient zero
/// }
/// </code>
/// </remarks>
public sealed class SharedParameters : IFrameCount
{
    /// <summary>A longer gradient, after clipping, is refused as not finite. Its elements may be numbers, but their squares, or the sum of these that
    /// AdaGrad keeps, would not fit into single precision (3.4e38): g would be infinite for good, and its parameter never move again. So long a one
    /// comes from a run that diverges; AdaGrad could add up 10⁸ of just this length.</summary>
    public const float MaxNorm = 1e15f;

    private const string ParametersName = "parameters", SquaresName = "optimizer.square_avg", CountersName = "counters";

    // A cache line of their own: learners write them at every update.
    private const int FramesAt = 16, UpdatesAt = 17;

    private readonly SharedParametersOptions _options;
    private readonly AlignedFloats _theta, _squares;
    private readonly long[] _counters = new long[32];
    private readonly long[] _rejected = new long[Enum.GetValues<GradientRejection>().Length];

    /// <param name="initial">The parameters to begin with.</param>
    /// <param name="options">How gradients change them.</param>
    public SharedParameters(ReadOnlySpan<float> initial, SharedParametersOptions options)
    {
        _options = options;
        (_theta, _squares) = (new AlignedFloats(initial.Length), new AlignedFloats(options.Rule.HasSharedStatistics() ? initial.Length : 0));
        initial.CopyTo(_theta.AsSpan());
    }

    public int Count => _theta.Length;

    /// <summary>How gradients change the parameters.</summary>
    public UpdateRule Rule => _options.Rule;

    /// <summary>θ as it is now, while others may write it.</summary>
    public ReadOnlySpan<float> Values => _theta.AsSpan();

    /// <summary>g as it is now, while others may write it; empty where each learner has its own.</summary>
    public ReadOnlySpan<float> Squares => _squares.AsSpan();

    /// <summary>T: frames of all learners since the run began.</summary>
    public long Frames => Volatile.Read(ref _counters[FramesAt]);

    /// <summary>Gradients that were applied since the run began.</summary>
    public long Updates => Volatile.Read(ref _counters[UpdatesAt]);

    /// <summary>Gradients that were not applied for this reason.</summary>
    public long Rejected(GradientRejection reason) => Volatile.Read(ref _rejected[(int)reason]);

    /// <summary>All gradients that were not applied.</summary>
    public long AllRejected => Enum.GetValues<GradientRejection>().Sum(Rejected);

    /// <summary>Counts gradients that were not worth a look at their values.</summary>
    public void Reject(GradientRejection reason, int count = 1) => Interlocked.Add(ref _rejected[(int)reason], count);

    /// <summary>Memory of one learner, or of several that take turns; its copy is fresh.</summary>
    public LocalParameters CreateLocal()
    {
        var local = new LocalParameters(Count);
        CopyTo(local);
        return local;
    }

    /// <summary>The own statistics of one learner; null where all share one.</summary>
    public AlignedFloats? CreateStatistics() => _options.Rule.HasSharedStatistics() ? null : new AlignedFloats(Count);

    /// <summary>Adds to T and returns what it was before; nobody else gets the same interval.</summary>
    public long AddFrames(long frames) => Interlocked.Add(ref _counters[FramesAt], frames) - frames;

    /// <summary>Makes a learner's copy fresh.</summary>
    public void CopyTo(LocalParameters local)
    {
        local.Version = Updates;
        _theta.AsSpan().CopyTo(local.Values);
    }

    /// <summary>Applies a learner's gradient, unless it is none; then the learner's copy is fresh and its gradient zero, either way.</summary>
    /// <param name="local">The learner's memory.</param>
    /// <param name="learningRate">η.</param>
    /// <param name="maxNorm">The gradient is scaled down to this Euclidean norm; infinity scales nothing.</param>
    /// <param name="statistics">What <see cref="CreateStatistics"/> gave this learner.</param>
    /// <exception cref="ArgumentException">The statistics are missing, or not wanted.</exception>
    public GradientOutcome Apply(LocalParameters local, float learningRate, float maxNorm, AlignedFloats? statistics = null)
    {
        var own = statistics ?? _squares;
        if ((statistics is null) != _options.Rule.HasSharedStatistics() || own.Length != Count)
            throw new ArgumentException($"The rule {_options.Rule} takes other statistics.", nameof(statistics));
        var norm = GradientClipping.Norm(local.Gradient);
        var scale = GradientClipping.Scale(norm, maxNorm);
        var before = Updates;
        var staleness = before - local.Version;
        var rejection = local.Gradient.Length != Count ? GradientRejection.WrongLength
            : !(norm * scale <= MaxNorm) ? GradientRejection.NotFinite
            : _options.MaxStaleness > 0 && staleness > _options.MaxStaleness ? GradientRejection.Stale
            : GradientRejection.None;
        if (rejection != GradientRejection.None) return Reject(local, rejection, norm, staleness);
        var (decay, rest) = _options.Rule == UpdateRule.AdaGrad ? (1.0, 1.0) : (_options.Decay, 1.0 - _options.Decay);
        var rates = new UpdateRates((float)decay, (float)rest, (float)_options.Epsilon, learningRate, scale);
        if (_options.Rule == UpdateRule.Momentum) UpdateKernel.Momentum(_theta.AsSpan(), own.AsSpan(), local.Gradient, local.Values, rates);
        else UpdateKernel.RmsProp(_theta.AsSpan(), own.AsSpan(), local.Gradient, local.Values, rates);
        local.Version = before + 1;
        return new GradientOutcome(GradientRejection.None, norm, staleness, Interlocked.Increment(ref _counters[UpdatesAt]));
    }

    /// <summary>A copy of θ, g and the counts, taken while learners may go on: not of one moment, as nothing here is.</summary>
    /// <remarks>Learners' own statistics are not kept: they begin anew.</remarks>
    public IReadOnlyList<NamedTensor> Save() =>
    [
        new(ParametersName, [Count], _theta.AsSpan().ToArray()),
        new(SquaresName, [_squares.Length], _squares.AsSpan().ToArray()),
        new(CountersName, [2], (long[])[Frames, Updates]),
    ];

    /// <summary>Takes what <see cref="Save"/> gave. No learner may be at work; copies are stale after it.</summary>
    /// <exception cref="CheckpointFormatException">It lacks something, or does not fit; then nothing has changed.</exception>
    public void Load(Checkpoint checkpoint)
    {
        var parameters = Values(ParametersName, Count);
        var squares = Values(SquaresName, _squares.Length);
        var (frames, updates) = CountsOf(checkpoint);
        parameters.CopyTo(_theta.AsSpan());
        squares.CopyTo(_squares.AsSpan());
        Volatile.Write(ref _counters[FramesAt], frames);
        Volatile.Write(ref _counters[UpdatesAt], updates);

        float[] Values(string name, int count) => checkpoint.Tensor(name).Floats is var floats && floats.Length == count
            ? floats
            : throw new CheckpointFormatException(
                $"The checkpoint's '{name}' has {floats.Length} values, this run needs {count}: the network or the update rule differs.");
    }

    /// <summary>The frames and the updates of a checkpoint.</summary>
    /// <exception cref="CheckpointFormatException">It has none.</exception>
    public static (long Frames, long Updates) CountsOf(Checkpoint checkpoint) =>
        checkpoint.Tensor(CountersName).Int64s is [>= 0 and var frames, >= 0 and var updates]
            ? (frames, updates)
            : throw new CheckpointFormatException($"The checkpoint's '{CountersName}' are not the frames and the updates.");

    /// <summary>Takes a part of the parameters from what the server of that part saved; the counts with the first one. Nobody may be at work.</summary>
    /// <exception cref="CheckpointFormatException">It lacks something, or does not fit; then nothing has changed.</exception>
    public void LoadRange(ShardRange range, Checkpoint checkpoint)
    {
        var part = new SharedParameters(new float[range.Count], _options);
        part.Load(checkpoint);
        part.Values.CopyTo(_theta.AsSpan()[range.Start..]);
        if (_squares.Length > 0) part.Squares.CopyTo(_squares.AsSpan()[range.Start..]);
        if (range.Start > 0) return;
        Volatile.Write(ref _counters[FramesAt], part.Frames);
        Volatile.Write(ref _counters[UpdatesAt], part.Updates);
    }

    /// <summary>A copy of a part, as <see cref="Save"/> gives it, with these counts.</summary>
    public IReadOnlyList<NamedTensor> SaveRange(ShardRange range, long frames, long updates)
    {
        var squares = _squares.Length == 0 ? [] : Squares.Slice(range.Start, range.Count).ToArray();
        return
        [
            new(ParametersName, [range.Count], Values.Slice(range.Start, range.Count).ToArray()),
            new(SquaresName, [squares.Length], squares),
            new(CountersName, [2], (long[])[frames, updates]),
        ];
    }

    private GradientOutcome Reject(LocalParameters local, GradientRejection reason, float norm, long staleness)
    {
        Reject(reason);
        local.Gradient.Clear();
        if (reason != GradientRejection.WrongLength) CopyTo(local);
        return new GradientOutcome(reason, norm, staleness);
    }
}

/// <summary>A learner's own memory: its copy θ' of the parameters, and the gradient that it adds up. Not thread-safe.</summary>
public sealed class LocalParameters(int count)
{
    private readonly AlignedFloats _values = new(count), _gradient = new(count);

    /// <summary>θ', which does not change while a segment is collected and learned from.</summary>
    public Span<float> Values => _values.AsSpan();

    /// <summary>Zero after each update.</summary>
    public Span<float> Gradient => _gradient.AsSpan();

    /// <summary>Updates that had been applied when the parameters were read that the gradient is computed with: they hold at least these.</summary>
    public long Version { get; set; }
}
