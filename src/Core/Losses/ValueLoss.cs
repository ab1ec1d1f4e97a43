namespace Rl.Distributed.Core.Losses;

/// <summary>The value error ½ Σ (target - V)²; targets are constants.</summary>
/// <remarks>∂/∂V = V - target, as in Mnih et al. 2016 (arXiv:1602.01783), Alg. S3, up to the factor that the cost holds.</remarks>
public static class ValueLoss
{
    /// <summary>Returns ½ Σ (target - V)², without the cost; adds cost times its gradient to <paramref name="valueGradient"/>.</summary>
    /// <remarks>Shapes: all [N].</remarks>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static double Add(ReadOnlySpan<float> values, ReadOnlySpan<float> targets, float cost, Span<float> valueGradient)
    {
        LogSoftmax.CheckLength(targets.Length, values.Length, nameof(targets));
        LogSoftmax.CheckLength(valueGradient.Length, values.Length, nameof(valueGradient));
        var sum = 0.0;
        for (var i = 0; i < values.Length; i++)
        {
            var error = values[i] - targets[i];
            valueGradient[i] += cost * error;
            sum += error * error;
        }
        return 0.5 * sum;
    }
}
