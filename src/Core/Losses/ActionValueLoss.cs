namespace Rl.Distributed.Core.Losses;

/// <summary>The error ½ Σ (y - Q(a))² of the values of the actions that were taken; targets are constants.</summary>
/// <remarks>
/// Mnih et al. 2016 (arXiv:1602.01783), Alg. 1 and S2, which have the square without ½: that factor of 2 is in the learning rate.
/// ∂/∂Q[a] = Q[a] - y, 0 for the other actions. Shapes, N frames in any order: values, valueGradient [N][A]; actions, targets [N].
/// </remarks>
public static class ActionValueLoss
{
    /// <summary>Returns ½ Σ (y - Q(a))² and writes scale times its gradient.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An action is outside 0 … A - 1.</exception>
    public static double Compute(
        ReadOnlySpan<float> values, ReadOnlySpan<int> actions, ReadOnlySpan<float> targets, int actionCount, float scale,
        Span<float> valueGradient)
    {
        var rows = LogSoftmax.Rows(values.Length, actionCount, nameof(values));
        LogSoftmax.CheckLength(actions.Length, rows, nameof(actions));
        LogSoftmax.CheckLength(targets.Length, rows, nameof(targets));
        LogSoftmax.CheckLength(valueGradient.Length, values.Length, nameof(valueGradient));
        valueGradient.Clear();
        var sum = 0.0;
        for (var row = 0; row < rows; row++)
        {
            LogSoftmax.CheckAction(actions[row], actionCount);
            var i = row * actionCount + actions[row];
            var error = values[i] - targets[row];
            valueGradient[i] = scale * error;
            sum += error * error;
        }
        return 0.5 * sum;
    }

    /// <summary>The same with the error's derivative cut to ±clip, as in Mnih et al. 2015 (doi:10.1038/nature14236, Methods): for
    /// e = y - Q(a) the loss is ½ e² up to |e| = clip, and clip (|e| - ½ clip) beyond.</summary>
    /// <param name="clip">Infinity cuts nothing.</param>
    /// <returns>The losses, and |e|, summed over the frames.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An action is outside 0 … A - 1.</exception>
    public static (double Loss, double AbsoluteError) ComputeClipped(
        ReadOnlySpan<float> values, ReadOnlySpan<int> actions, ReadOnlySpan<float> targets, int actionCount, float scale, float clip,
        Span<float> valueGradient)
    {
        Compute(values, actions, targets, actionCount, 1, valueGradient);
        var (loss, absolute) = (0.0, 0.0);
        for (var row = 0; row < actions.Length; row++)
        {
            ref var slope = ref valueGradient[row * actionCount + actions[row]];
            var error = Math.Abs((double)slope);
            absolute += error;
            loss += error <= clip ? 0.5 * error * error : clip * (error - 0.5 * clip);
            slope = scale * Math.Clamp(slope, -clip, clip);
        }
        return (loss, absolute);
    }
}
