namespace Rl.Distributed.Core.Losses;

/// <summary>The policy gradient's loss Σ -log π(a)·advantage; advantages are constants.</summary>
/// <remarks>
/// Mnih et al. 2016 (arXiv:1602.01783), section 4: ∂/∂logit[i] = advantage·(π[i] - [i = a]).
/// Shapes, N frames in any order: logits, logitGradient [N][A]; actions, advantages [N].
/// </remarks>
public static class PolicyGradientLoss
{
    /// <summary>Returns the loss and adds its gradient to <paramref name="logitGradient"/>.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An action is outside 0 … A - 1.</exception>
    public static double Add(
        ReadOnlySpan<float> logits, ReadOnlySpan<int> actions, ReadOnlySpan<float> advantages, int actionCount, Span<float> logitGradient)
    {
        var rows = LogSoftmax.Rows(logits.Length, actionCount, nameof(logits));
        LogSoftmax.CheckLength(actions.Length, rows, nameof(actions));
        LogSoftmax.CheckLength(advantages.Length, rows, nameof(advantages));
        LogSoftmax.CheckLength(logitGradient.Length, logits.Length, nameof(logitGradient));
        var loss = 0.0;
        for (var row = 0; row < rows; row++)
        {
            var x = logits.Slice(row * actionCount, actionCount);
            var gradient = logitGradient.Slice(row * actionCount, actionCount);
            LogSoftmax.CheckAction(actions[row], actionCount);
            var normalizer = LogSoftmax.Normalizer(x);
            for (var i = 0; i < x.Length; i++) gradient[i] += advantages[row] * MathF.Exp(x[i] - normalizer);
            gradient[actions[row]] -= advantages[row];
            loss -= (x[actions[row]] - normalizer) * advantages[row];
        }
        return loss;
    }
}
