using System.Numerics;

namespace Rl.Distributed.Core.Losses;

/// <summary>Scratch memory of <see cref="ImpalaLoss"/>, allocated once. Not thread-safe: one for each shard.</summary>
/// <remarks>Serves any batch with this number of actions and at most this many frames.</remarks>
public sealed class ImpalaLossWorkspace
{
    /// <summary>Rows are handled in blocks of this many, one a lane.</summary>
    internal static int Lanes => Vector<float>.Count;

    public ImpalaLossWorkspace(int steps, int environments, int actions)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(environments);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(actions);
        Actions = actions;
        Frames = checked(steps * environments);
        var padded = checked(Frames + Lanes - 1) / Lanes * Lanes;
        (Logits, Exponentials) = (new float[checked(padded * actions)], new float[padded * actions]);
        (ChosenActions, LogNormalizer, InverseSum, NegativeEntropy, LogProbability) =
            (new int[padded], new float[padded], new float[padded], new float[padded], new float[padded]);
        (Ratios, Targets, Advantages) = (new float[padded], new float[padded], new float[padded]);
    }

    /// <summary>A.</summary>
    public int Actions { get; }

    /// <summary>The largest T·B that fits.</summary>
    public int Frames { get; }

    /// <summary>Blocks of [A][Lanes]: logits, one block of rows after the other.</summary>
    internal float[] Logits { get; }

    /// <summary>Blocks of [A][Lanes]: exp(logit - greatest logit of the row).</summary>
    internal float[] Exponentials { get; }

    internal int[] ChosenActions { get; }

    /// <summary>log Σ exp(logit).</summary>
    internal float[] LogNormalizer { get; }

    /// <summary>1 / Σ exp(logit - greatest logit).</summary>
    internal float[] InverseSum { get; }

    /// <summary>Σ p log p.</summary>
    internal float[] NegativeEntropy { get; }

    /// <summary>log π(a).</summary>
    internal float[] LogProbability { get; }

    /// <summary>ρ = π(a) / μ(a).</summary>
    internal float[] Ratios { get; }

    internal float[] Targets { get; }

    internal float[] Advantages { get; }
}
