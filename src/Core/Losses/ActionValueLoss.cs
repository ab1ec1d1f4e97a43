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
}
