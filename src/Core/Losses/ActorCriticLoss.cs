using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Rl.Distributed.Core.Returns;

namespace Rl.Distributed.Core.Losses;

/// <summary>What weighs the parts of the advantage actor-critic's loss. The defaults are those of Mnih et al. 2016.</summary>
public sealed record ActorCriticLossOptions
{
    [Range(0.0, double.MaxValue)]
    [Description("Weight of the entropy bonus; more keeps the policy random for longer.")]
    public float EntropyCost { get; init; } = 0.01f;

    [Range(0.0, double.MaxValue)]
    [Description("Weight of the value error 0.5 (R - V)²: the gradient at the value head is valueCost (V - R).")]
    public float ValueCost { get; init; } = 0.5f;
}

/// <summary>The parts of the advantage actor-critic's loss, each a sum over frames.</summary>
/// <param name="Frames">How many frames the sums run over.</param>
/// <param name="PolicyGradient">Σ -log π(a)·(R - V).</param>
/// <param name="Value">½ Σ (R - V)², not yet times its cost.</param>
/// <param name="Entropy">Σ H(π) in nats, positive, not yet times its cost.</param>
public readonly record struct ActorCriticLossValues(long Frames, double PolicyGradient, double Value, double Entropy)
{
    public static ActorCriticLossValues operator +(ActorCriticLossValues a, ActorCriticLossValues b) =>
        new(a.Frames + b.Frames, a.PolicyGradient + b.PolicyGradient, a.Value + b.Value, a.Entropy + b.Entropy);
}

/// <summary>The loss of A3C and A2C over a segment of T steps of B environments, and its gradient at the heads.</summary>
/// <remarks>
/// Mnih et al. 2016 (arXiv:1602.01783), Alg. S3: R[t] = r[t] + γ[t] R[t+1], R[T] = V[T], and
///   loss = 1/B Σ -log π(a[t]) (R[t] - V[t]) - β H(π) + c ½ (R[t] - V[t])²,
/// a sum over t and a mean over environments; R, and R - V in the first term, are constants. With c = 0.5, the authors' own factor, the
/// gradient at the value head is 0.5 (V - R): the paper's text has the square without factor.
/// Shapes, time first: logits, logitGradient [T][B][A]; values [T+1][B], the last bootstrap; actions, rewards, discounts, valueGradient
/// [T][B]. discounts[t] is 0 where an episode ended; what follows a truncated one is in its reward.
/// </remarks>
public static class ActorCriticLoss
{
    /// <summary>Writes both gradients; rewards become the returns R.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An action is outside 0 … A - 1.</exception>
    public static ActorCriticLossValues Compute(
        int environments, int actionCount, ReadOnlySpan<float> logits, ReadOnlySpan<float> values, ReadOnlySpan<int> actions,
        Span<float> rewards, ReadOnlySpan<float> discounts, ActorCriticLossOptions options, Span<float> logitGradient,
        Span<float> valueGradient)
    {
        MultiStep.DiscountedReturns(rewards, discounts, values, rewards, environments);
        var frames = rewards.Length;
        LogSoftmax.CheckLength(valueGradient.Length, frames, nameof(valueGradient));
        for (var i = 0; i < frames; i++) valueGradient[i] = rewards[i] - values[i];
        logitGradient.Clear();
        var policyGradient = PolicyGradientLoss.Add(logits, actions, valueGradient, actionCount, logitGradient);
        var entropy = -EntropyLoss.Add(logits, actionCount, options.EntropyCost, logitGradient);
        valueGradient.Clear();
        var value = ValueLoss.Add(values[..frames], rewards, options.ValueCost, valueGradient);
        if (environments > 1)
        {
            foreach (ref var g in logitGradient) g /= environments;
            foreach (ref var g in valueGradient) g /= environments;
        }
        return new ActorCriticLossValues(frames, policyGradient, value, entropy);
    }
}
