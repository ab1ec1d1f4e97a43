namespace Rl.Distributed.Actors.Gorila;

/// <summary>Tells losses that are far above the usual: above mean + k·deviation of those before.</summary>
/// <remarks>
/// Nair et al. 2015: each learner keeps a running average and standard deviation of the absolute DQN loss of the data it sees, and discards
/// gradients with an absolute loss higher than the mean plus several standard deviations. A plain object for one thread.
/// The first <see cref="WarmUp"/> losses pass and make the first statistics; then mean and variance are moving averages over about as many.
/// An outlier moves them as a loss at the bound would: a single one, however large, cannot open the door for others, and a change that
/// lasts is let through after some hundred losses, since each outlier in a row widens the bound. Numbers that are none change nothing.
/// </remarks>
public sealed class OutlierFilter(double deviations)
{
    /// <summary>Losses that the statistics go back.</summary>
    public const int WarmUp = 1000;

    private double _variance;
    private long _count;

    /// <summary>The running mean.</summary>
    public double Mean { get; private set; }

    /// <summary>The running standard deviation.</summary>
    public double Deviation => Math.Sqrt(_variance);

    /// <summary>Takes in a loss; false where it is an outlier.</summary>
    public bool Accept(double loss)
    {
        if (deviations <= 0 || !double.IsFinite(loss)) return true;
        var bound = _count < WarmUp || _variance == 0 ? double.PositiveInfinity : Mean + deviations * Deviation;
        _count = Math.Min(_count + 1, WarmUp);
        // Welford's update while all count the same, then one of constant weight.
        var (weight, difference) = (1.0 / _count, Math.Min(loss, bound) - Mean);
        Mean += weight * difference;
        _variance = (1 - weight) * (_variance + weight * difference * difference);
        return loss <= bound;
    }
}
