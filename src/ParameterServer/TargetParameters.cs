using Rl.Distributed.Core.Checkpoints;

namespace Rl.Distributed.ParameterServer;

/// <summary>Target parameters θ⁻, wherever they come from.</summary>
public interface ITargetParameters
{
    /// <summary>θ⁻, which does not change while a segment is collected and learned from.</summary>
    float[] Values { get; }
}

/// <summary>What the interval of target parameters counts.</summary>
public enum TargetClock
{
    /// <summary>Frames of all learners.</summary>
    Frames,

    /// <summary>Gradients that were applied.</summary>
    Updates,
}

/// <summary>Target parameters θ⁻ that all learners of a process read, copied from θ each time that the count of frames, or of updates,
/// crosses a multiple of an interval.</summary>
/// <remarks>
/// Mnih et al. 2016, Alg. 1: "if T mod I_target == 0"; with T counted a segment at a time that is a crossing. Nair et al. 2015 count
/// updates. Intervals of frames come from <see cref="SharedParameters.AddFrames"/>, updates have each a number of their own, neither
/// overlap: so exactly one learner sees a crossing, and only that one copies.
/// A copy is a new array: who still reads the old one keeps it. Any thread may call anything.
/// </remarks>
public sealed class TargetParameters : ITargetParameters
{
    private readonly SharedParameters _shared;
    private readonly long _interval;
    private readonly TargetClock _clock;
    private readonly Lock _gate = new();
    private float[] _values;
    private long _newest = -1, _refreshes;

    /// <param name="shared">θ.</param>
    /// <param name="interval">I_target.</param>
    /// <param name="clock">What it counts.</param>
    public TargetParameters(SharedParameters shared, long interval, TargetClock clock = TargetClock.Frames)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(interval);
        (_shared, _interval, _clock, _values) = (shared, interval, clock, shared.Values.ToArray());
    }

    /// <summary>θ⁻; whoever reads an array may go on reading it after the next refresh.</summary>
    public float[] Values => Volatile.Read(ref _values);

    /// <summary>How often θ⁻ was refreshed.</summary>
    public long Refreshes => Volatile.Read(ref _refreshes);

    /// <summary>Takes θ⁻ from a checkpoint. Nobody may be at work.</summary>
    /// <exception cref="CheckpointFormatException">It is of another length.</exception>
    public void Load(float[] values)
    {
        if (values.Length != _shared.Count)
            throw new CheckpointFormatException($"The checkpoint's target parameters are {values.Length}, {_shared.Count} expected.");
        Volatile.Write(ref _values, values);
    }

    /// <summary>Refreshes θ⁻ if a segment brings the count across a multiple of the interval; true if so.</summary>
    /// <param name="framesBefore">Frames of all learners before the segment's, which the caller added.</param>
    /// <param name="framesAfter">And after them.</param>
    /// <param name="outcome">What became of its gradient.</param>
    public bool OnSegment(long framesBefore, long framesAfter, in GradientOutcome outcome) => _clock == TargetClock.Frames
        ? RefreshIfCrossed(framesBefore, framesAfter)
        : outcome.Update > 0 && RefreshIfCrossed(outcome.Update - 1, outcome.Update);

    /// <summary>Refreshes θ⁻ if these frames or updates, which are the caller's, cross a multiple of the interval; true if so.</summary>
    public bool RefreshIfCrossed(long before, long after)
    {
        var crossing = after / _interval;
        if (before / _interval == crossing) return false;
        lock (_gate)
        {
            _refreshes++;
            // Somebody who crossed a later multiple may have been faster.
            if (crossing > _newest) (_newest, _values) = (crossing, _shared.Values.ToArray());
        }
        return true;
    }
}
