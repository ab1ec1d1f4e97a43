using System.Numerics;

namespace Rl.Distributed.Core.Returns;

/// <summary>Where V-trace clips, and how far its traces reach.</summary>
/// <remarks>Infinity means no clipping. The defaults are those of Espeholt et al. 2018.</remarks>
/// <param name="RhoBar">Clips the ratio in front of each temporal difference: decides whose value function is learnt.</param>
/// <param name="CBar">Clips the ratio in each trace coefficient: decides how fast it is learnt.</param>
/// <param name="PgRhoBar">Clips the ratio in front of the policy-gradient advantage.</param>
/// <param name="Lambda">Factor of each trace coefficient, in [0, 1].</param>
public readonly record struct VTraceSettings(float RhoBar, float CBar, float PgRhoBar, float Lambda)
{
    public VTraceSettings()
        : this(1f, 1f, 1f, 1f)
    {
    }
}

/// <summary>V-trace targets and policy-gradient advantages.</summary>
/// <remarks>
/// Espeholt et al. 2018 (arXiv:1802.01561), eq. 1 by the recursion of remark 1, with the λ of remark 2:
///   v[s] - V[s] = d[s] + γ[s] c[s] (v[s+1] - V[s+1]),   d[s] = min(ρ̄, ρ[s]) (r[s] + γ[s] V[s+1] - V[s]),   c[s] = λ min(c̄, ρ[s]),
///   advantage[s] = min(ρ̄pg, ρ[s]) (r[s] + γ[s] (λ v[s+1] + (1 - λ) V[s+1]) - V[s]),   v[T] = V[T].
/// γ[s] is discounts[s] = γ·(1 - terminal); ρ[s] = π(a[s]) / μ(a[s]) is ratios[s], not yet clipped.
/// </remarks>
public static class VTrace
{
    /// <summary>One trajectory of T steps.</summary>
    /// <remarks>Shapes: rewards, discounts, ratios, targets, advantages [T]; values [T+1], the last one bootstraps.
    /// targets and advantages may each alias rewards, discounts or ratios.</remarks>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Compute(
        ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> ratios, ReadOnlySpan<float> values,
        VTraceSettings settings, Span<float> targets, Span<float> advantages)
    {
        CheckLengths(rewards.Length, 1, rewards, discounts, ratios, values, targets, advantages);
        Column(0, 1, rewards, discounts, ratios, values, settings, targets, advantages);
    }

    /// <summary>B trajectories of T steps side by side, time first; vectorised across them.</summary>
    /// <remarks>Shapes: rewards, discounts, ratios, targets, advantages [T][B]; values [T+1][B], the last row bootstraps.
    /// targets and advantages may each alias rewards, discounts or ratios. The same to the bit as
    /// <see cref="ComputeBatchScalar"/>.</remarks>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void ComputeBatch(
        int steps, int environments,
        ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> ratios, ReadOnlySpan<float> values,
        VTraceSettings settings, Span<float> targets, Span<float> advantages)
    {
        CheckLengths(steps, environments, rewards, discounts, ratios, values, targets, advantages);
        var lanes = Vector<float>.Count;
        var b = 0;
        for (; b + lanes <= environments; b += lanes)
        {
            Columns(steps, b, environments, rewards, discounts, ratios, values, settings, targets, advantages);
        }
        for (; b < environments; b++) Column(b, environments, rewards, discounts, ratios, values, settings, targets, advantages);
    }

    /// <summary>The scalar twin of <see cref="ComputeBatch"/>.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void ComputeBatchScalar(
        int steps, int environments,
        ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> ratios, ReadOnlySpan<float> values,
        VTraceSettings settings, Span<float> targets, Span<float> advantages)
    {
        CheckLengths(steps, environments, rewards, discounts, ratios, values, targets, advantages);
        for (var b = 0; b < environments; b++) Column(b, environments, rewards, discounts, ratios, values, settings, targets, advantages);
    }

    /// <summary>The trajectory whose elements are first, first + stride, first + 2·stride, …</summary>
    private static void Column(
        int first, int stride,
        ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> ratios, ReadOnlySpan<float> values,
        VTraceSettings settings, Span<float> targets, Span<float> advantages)
    {
        var (rhoBar, cBar, pgRhoBar, lambda) = settings;
        var error = 0f; // v[s+1] - V[s+1]
        for (var i = rewards.Length - stride + first; i >= 0; i -= stride)
        {
            var (reward, discount, ratio) = (rewards[i], discounts[i], ratios[i]);
            var (value, next) = (values[i], values[i + stride]);
            var bootstrap = next + lambda * error;
            error = MathF.Min(rhoBar, ratio) * (reward + discount * next - value) + discount * (lambda * MathF.Min(cBar, ratio)) * error;
            targets[i] = value + error;
            advantages[i] = MathF.Min(pgRhoBar, ratio) * (reward + discount * bootstrap - value);
        }
    }

    /// <summary>As many neighbouring trajectories as a vector has lanes.</summary>
    private static void Columns(
        int steps, int first, int stride,
        ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> ratios, ReadOnlySpan<float> values,
        VTraceSettings settings, Span<float> targets, Span<float> advantages)
    {
        var (rhoBar, cBar) = (new Vector<float>(settings.RhoBar), new Vector<float>(settings.CBar));
        var (pgRhoBar, lambda) = (new Vector<float>(settings.PgRhoBar), new Vector<float>(settings.Lambda));
        var error = Vector<float>.Zero;
        var next = new Vector<float>(values[(steps * stride + first)..]);
        for (var i = (steps - 1) * stride + first; i >= 0; i -= stride)
        {
            var (reward, discount) = (new Vector<float>(rewards[i..]), new Vector<float>(discounts[i..]));
            var (ratio, value) = (new Vector<float>(ratios[i..]), new Vector<float>(values[i..]));
            var bootstrap = next + lambda * error;
            error = Vector.Min(rhoBar, ratio) * (reward + discount * next - value) + discount * (lambda * Vector.Min(cBar, ratio)) * error;
            (value + error).CopyTo(targets[i..]);
            (Vector.Min(pgRhoBar, ratio) * (reward + discount * bootstrap - value)).CopyTo(advantages[i..]);
            next = value;
        }
    }

    private static void CheckLengths(
        int steps, int environments,
        ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> ratios, ReadOnlySpan<float> values,
        ReadOnlySpan<float> targets, ReadOnlySpan<float> advantages)
    {
        var frames = steps * environments;
        if (rewards.Length != frames || discounts.Length != frames || ratios.Length != frames || values.Length != frames + environments
            || targets.Length != frames || advantages.Length != frames)
        {
            throw new ArgumentException(
                $"For {steps} steps of {environments} environments rewards, discounts, ratios, targets and advantages must have length " +
                $"{frames} and values {frames + environments}; they have {rewards.Length}, {discounts.Length}, {ratios.Length}, " +
                $"{targets.Length}, {advantages.Length} and {values.Length}.");
        }
    }
}
