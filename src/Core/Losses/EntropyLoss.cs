namespace Rl.Distributed.Core.Losses;

/// <summary>The negative entropy Σ π log π: added to a loss it keeps the policy random.</summary>
/// <remarks>
/// Mnih et al. 2016 (arXiv:1602.01783), section 4: ∂/∂logit[i] = π[i] (log π[i] - Σ π log π).
/// Shapes, N frames in any order: logits, logitGradient [N][A].
/// </remarks>
public static class EntropyLoss
{
    /// <summary>Returns Σ π log π over all frames, nats, at most 0 and without the cost; adds cost times its gradient to
    /// <paramref name="logitGradient"/>.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static double Add(ReadOnlySpan<float> logits, int actionCount, float cost, Span<float> logitGradient)
    {
        var rows = LogSoftmax.Rows(logits.Length, actionCount, nameof(logits));
        LogSoftmax.CheckLength(logitGradient.Length, logits.Length, nameof(logitGradient));
        var loss = 0.0;
        for (var row = 0; row < rows; row++)
        {
            var x = logits.Slice(row * actionCount, actionCount);
            var gradient = logitGradient.Slice(row * actionCount, actionCount);
            var normalizer = LogSoftmax.Normalizer(x);
            var negativeEntropy = 0f;
            foreach (var logit in x) negativeEntropy += MathF.Exp(logit - normalizer) * (logit - normalizer);
            for (var i = 0; i < x.Length; i++)
            {
                var logProbability = x[i] - normalizer;
                gradient[i] += cost * MathF.Exp(logProbability) * (logProbability - negativeEntropy);
            }
            loss += negativeEntropy;
        }
        return loss;
    }
}
