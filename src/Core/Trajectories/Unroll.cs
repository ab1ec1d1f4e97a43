using System.Diagnostics;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Wrappers;

namespace Rl.Distributed.Core.Trajectories;

/// <summary>Which unroll this is: the worker, how often that worker was restarted, and its count from 0.</summary>
public readonly record struct UnrollId(int Worker, int Incarnation, long Sequence)
{
    public override string ToString() => $"{Worker}.{Incarnation}#{Sequence}";
}

/// <summary>A version of the weights; each resume or restart of their owner starts a new epoch.</summary>
public readonly record struct ParameterVersion(int Epoch, long Counter) : IComparable<ParameterVersion>
{
    public int CompareTo(ParameterVersion other) =>
        Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Counter.CompareTo(other.Counter);

    public static bool operator <(ParameterVersion a, ParameterVersion b) => a.CompareTo(b) < 0;

    public static bool operator >(ParameterVersion a, ParameterVersion b) => a.CompareTo(b) > 0;

    public static bool operator <=(ParameterVersion a, ParameterVersion b) => a.CompareTo(b) <= 0;

    public static bool operator >=(ParameterVersion a, ParameterVersion b) => a.CompareTo(b) >= 0;

    public override string ToString() => $"{Epoch}:{Counter}";
}

/// <summary>The shapes of an unroll: T steps of B environments with A discrete actions.</summary>
public sealed record UnrollShape(int Steps, int Environments, ObservationSpec Observation, int Actions)
{
    /// <summary>T·B.</summary>
    public int Frames => Steps * Environments;

    /// <summary>Bytes of the observations of one time step of all B environments.</summary>
    public int ObservationRowBytes => Environments * Observation.ByteCount;

    /// <summary>Bytes of an unroll's buffers: per frame the action, reward, discount and an ended episode's return and
    /// length, A logits; per observation its bytes and the reset flag.</summary>
    public long ByteCount => (long)Frames * sizeof(float) * (5 + Actions) + (Steps + 1L) * (ObservationRowBytes + Environments);
}

/// <summary>Experience of one worker: T steps of B environments, time first. The one place that states its shapes.</summary>
/// <remarks>
/// Observations [T+1][B]: observation T is observation 0 of the next unroll, and gives the bootstrap value. Actions, Rewards,
/// Discounts [T][B]; BehaviourLogits [T][B][A] are those that the actions were drawn from. Reset [T+1][B]: that observation starts an
/// episode; Reset[t+1] = terminal[t] | truncated[t]. Discounts[t] = γ·(1 - terminal[t]); where the episode was truncated the
/// worker folds the bootstrap into the reward (r += γ V(final observation)) and sets the discount to 0, so that a product of
/// discounts is cut there too. A lost life may set the discount to 0 without a reset. The value of a reset observation is never used.
/// From Tell on the buffers belong to the message: the sender may reuse them when its credit returns.
/// </remarks>
public sealed class Unroll
{
    public Unroll(UnrollShape shape)
    {
        var (frames, rows) = (shape.Frames, (shape.Steps + 1) * shape.Environments);
        Shape = shape;
        Stacking = shape.Observation.StackedFrames > 1 ? new FrameStacking(shape.Observation) : null;
        Observations = new byte[(shape.Steps + 1) * shape.ObservationRowBytes];
        Actions = new int[frames];
        BehaviourLogits = new float[frames * shape.Actions];
        Rewards = new float[frames];
        Discounts = new float[frames];
        Reset = new bool[rows];
        EpisodeReturns = new float[frames];
        EpisodeLengths = new int[frames];
    }

    public UnrollShape Shape { get; }

    /// <summary>How its observations are made of frames; null where one is a frame.</summary>
    public FrameStacking? Stacking { get; }

    /// <summary>The pool that takes the buffers back when the unroll is consumed; null where its worker reuses them.</summary>
    public object? Owner { get; set; }

    public UnrollId Id { get; set; }

    /// <summary>The weights that acted at the first step.</summary>
    public ParameterVersion Version { get; set; }

    public byte[] Observations { get; }

    public int[] Actions { get; }

    public float[] BehaviourLogits { get; }

    public float[] Rewards { get; }

    public float[] Discounts { get; }

    public bool[] Reset { get; }

    /// <summary>Undiscounted, unclipped returns of the episodes that ended in this unroll: the first EpisodeCount entries.</summary>
    public float[] EpisodeReturns { get; }

    /// <summary>Their lengths, in steps.</summary>
    public int[] EpisodeLengths { get; }

    public int EpisodeCount { get; set; }

    /// <summary>Episodes that broke off in this unroll because their environment failed.</summary>
    public int EpisodesLost { get; set; }

    /// <summary>Observations of time step <paramref name="t"/>, [B × ByteCount]; t up to and including T.</summary>
    public Span<byte> ObservationsAt(int t) => Observations.AsSpan(t * Shape.ObservationRowBytes, Shape.ObservationRowBytes);

    /// <summary>One observation; row t·B + b.</summary>
    public Span<byte> ObservationAt(int row) => Observations.AsSpan(row * Shape.Observation.ByteCount, Shape.Observation.ByteCount);

    public Span<float> BehaviourLogitsAt(int t) =>
        BehaviourLogits.AsSpan(t * Shape.Environments * Shape.Actions, Shape.Environments * Shape.Actions);

    /// <summary>In debug builds, makes whatever is not written anew stand out: NaN, and actions that do not exist.</summary>
    [Conditional("DEBUG")]
    public void Poison()
    {
        BehaviourLogits.AsSpan().Fill(float.NaN);
        Rewards.AsSpan().Fill(float.NaN);
        Discounts.AsSpan().Fill(float.NaN);
        EpisodeReturns.AsSpan().Fill(float.NaN);
        Actions.AsSpan().Fill(int.MinValue);
        EpisodeLengths.AsSpan().Fill(int.MinValue);
    }
}
