namespace Rl.Distributed.Core.Returns;

/// <summary>Returns and errors over several steps, on-policy unless ratios are given.</summary>
/// <remarks>
/// Each works on one trajectory, shapes [T] and values [T+1], or on B of them side by side, time first, shapes [T][B] and
/// values [T+1][B]; the last values bootstrap. discounts[t] is γ·(1 - terminal), so nothing flows over the end of an episode.
/// result may alias rewards or discounts, except in <see cref="NStepReturns"/>. The formulas are those of rlax.
/// </remarks>
public static class MultiStep
{
    /// <summary>G[t] = r[t] + γ[t] G[t+1], G[T] = V[T]: the targets of A3C (Mnih et al. 2016, Alg. S3).</summary>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void DiscountedReturns(
        ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> values, Span<float> result, int environments = 1) =>
        LambdaReturns(rewards, discounts, values, 1f, result, environments);

    /// <summary>G[t] = r[t] + γ[t] ((1 - λ) V[t+1] + λ G[t+1]), G[T] = V[T].</summary>
    /// <remarks>Sutton and Barto 2018, eq. 12.18; λ = 1 gives discounted returns, λ = 0 one-step targets.</remarks>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void LambdaReturns(
        ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> values, float lambda, Span<float> result,
        int environments = 1)
    {
        CheckLengths(rewards.Length, discounts.Length, values.Length, result.Length, environments);
        var last = rewards.Length - environments;
        for (var i = rewards.Length - 1; i >= 0; i--)
        {
            var next = values[i + environments];
            var following = i >= last ? next : result[i + environments];
            result[i] = rewards[i] + discounts[i] * ((1f - lambda) * next + lambda * following);
        }
    }

    /// <summary>λ-return less V[t]: the errors of TD(λ)'s forward view.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void TdLambdaErrors(
        ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> values, float lambda, Span<float> result,
        int environments = 1)
    {
        LambdaReturns(rewards, discounts, values, lambda, result, environments);
        for (var i = 0; i < result.Length; i++) result[i] -= values[i];
    }

    /// <summary>The return of at most n steps: fewer near the end, where V[T] bootstraps.</summary>
    /// <remarks>G[t] = r[t] + γ[t] r[t+1] + … + γ[t]…γ[t+k-1] V[t+k], k = min(n, T - t). result aliases nothing.</remarks>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">n is below 1.</exception>
    public static void NStepReturns(
        ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> values,
        int n, Span<float> result, int environments = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        CheckLengths(rewards.Length, discounts.Length, values.Length, result.Length, environments);
        var steps = rewards.Length / environments;
        for (var i = 0; i < rewards.Length; i++)
        {
            var end = i + Math.Min(n, steps - i / environments) * environments;
            var sum = values[end];
            for (var j = end - environments; j >= i; j -= environments) sum = rewards[j] + discounts[j] * sum;
            result[i] = sum;
        }
    }

    /// <summary>Generalized advantages A[t] = δ[t] + γ[t] λ A[t+1], δ[t] = r[t] + γ[t] V[t+1] - V[t], A[T] = 0.</summary>
    /// <remarks>Schulman et al. 2016 (arXiv:1506.02438), eq. 16. A[t] + V[t] is the λ-return.</remarks>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void GeneralizedAdvantages(
        ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> values, float lambda, Span<float> result,
        int environments = 1)
    {
        CheckLengths(rewards.Length, discounts.Length, values.Length, result.Length, environments);
        var last = rewards.Length - environments;
        for (var i = rewards.Length - 1; i >= 0; i--)
        {
            var following = i >= last ? 0f : result[i + environments];
            result[i] = rewards[i] + discounts[i] * values[i + environments] - values[i] + discounts[i] * lambda * following;
        }
    }

    /// <summary>Errors corrected by each decision's ratio: ρ[t] E[t], E[t] = δ[t] + γ[t] λ ρ[t+1] E[t+1], E[T] = 0.</summary>
    /// <remarks>Sutton et al. 2014 (per-decision importance sampling), as rlax. ratios [T] or [T][B] are π(a)/μ(a), not clipped.
    /// result may alias ratios too.</remarks>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void ImportanceCorrectedTdErrors(
        ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> ratios, ReadOnlySpan<float> values, float lambda,
        Span<float> result, int environments = 1)
    {
        CheckLengths(rewards.Length, discounts.Length, values.Length, result.Length, environments);
        if (ratios.Length != rewards.Length)
        {
            throw new ArgumentException($"ratios must have length {rewards.Length}, not {ratios.Length}.", nameof(ratios));
        }
        var last = rewards.Length - environments;
        for (var i = rewards.Length - 1; i >= 0; i--)
        {
            var following = i >= last ? 0f : result[i + environments];
            var error = rewards[i] + discounts[i] * values[i + environments] - values[i];
            result[i] = ratios[i] * (error + discounts[i] * lambda * following);
        }
    }

    private static void CheckLengths(int rewards, int discounts, int values, int result, int environments)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(environments);
        if (rewards % environments == 0 && discounts == rewards && result == rewards && values == rewards + environments) return;
        throw new ArgumentException(
            $"With {environments} trajectories of T steps, rewards, discounts and result need T·{environments} elements and values " +
            $"(T+1)·{environments}; they have {rewards}, {discounts}, {result} and {values}.");
    }
}
