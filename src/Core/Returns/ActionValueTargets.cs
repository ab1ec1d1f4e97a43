namespace Rl.Distributed.Core.Returns;

/// <summary>Targets of Q-learning and Sarsa, from the values that target parameters give.</summary>
/// <remarks>
/// Mnih et al. 2016 (arXiv:1602.01783): one-step y[t] = r[t] + γ[t] v[t+1], with v = max Q⁻(s, ·) for Q-learning (Alg. 1) and
/// v = Q⁻(s, a'), a' the action that is taken there, for Sarsa (section 4.2). n-step Q (Alg. S2) is
/// <see cref="MultiStep.DiscountedReturns"/> with v[T] to begin with. Nothing flows where γ[t] = 0.
/// </remarks>
public static class ActionValueTargets
{
    /// <summary>maxima[i] = max Q[i, ·]: values [N][A], maxima [N].</summary>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Max(ReadOnlySpan<float> values, Span<float> maxima)
    {
        var actions = maxima.Length == 0 ? 0 : values.Length / maxima.Length;
        Check(values.Length, actions * maxima.Length, nameof(values));
        for (var i = 0; i < maxima.Length; i++)
        {
            var row = values.Slice(i * actions, actions);
            var greatest = row[0];
            foreach (var value in row) greatest = MathF.Max(greatest, value);
            maxima[i] = greatest;
        }
    }

    /// <summary>best[i] = values[i, argmax choosing[i, ·]]: double Q-learning (van Hasselt et al. 2016, arXiv:1509.06461, eq. 4) takes the
    /// action that the learned parameters choose, and what the target parameters say of it. values, choosing [N][A], best [N].</summary>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void OfChosen(ReadOnlySpan<float> choosing, ReadOnlySpan<float> values, Span<float> best)
    {
        var actions = best.Length == 0 ? 0 : values.Length / best.Length;
        Check(values.Length, actions * best.Length, nameof(values));
        Check(choosing.Length, values.Length, nameof(choosing));
        for (var i = 0; i < best.Length; i++)
        {
            var row = choosing.Slice(i * actions, actions);
            var chosen = 0;
            for (var a = 1; a < actions; a++)
                if (row[a] > row[chosen]) chosen = a;
            best[i] = values[i * actions + chosen];
        }
    }

    /// <summary>targets[t] = r[t] + γ[t]·next[t]; all [N], and targets may alias rewards or next.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void OneStep(ReadOnlySpan<float> rewards, ReadOnlySpan<float> discounts, ReadOnlySpan<float> next, Span<float> targets)
    {
        Check(discounts.Length, rewards.Length, nameof(discounts));
        Check(next.Length, rewards.Length, nameof(next));
        Check(targets.Length, rewards.Length, nameof(targets));
        for (var i = 0; i < targets.Length; i++) targets[i] = rewards[i] + discounts[i] * next[i];
    }

    private static void Check(int length, int expected, string name)
    {
        if (length != expected) throw new ArgumentException($"{name} must have length {expected}, not {length}.", name);
    }
}
