namespace Rl.Distributed.Core.Runs;

/// <summary>Policy lag: versions that the weights moved between acting and learning.</summary>
public sealed class LagMeter
{
    private double _sum, _recentSum, _recent;
    private long _count, _recentCount;

    /// <summary>Over all unrolls; 0 before the first.</summary>
    public double Mean => _count == 0 ? 0 : _sum / _count;

    public void Add(long lag)
    {
        (_sum, _count) = (_sum + lag, _count + 1);
        (_recentSum, _recentCount) = (_recentSum + lag, _recentCount + 1);
    }

    /// <summary>Adds so many at once.</summary>
    public void Add(long sum, long count)
    {
        (_sum, _count) = (_sum + sum, _count + count);
        (_recentSum, _recentCount) = (_recentSum + sum, _recentCount + count);
    }

    /// <summary>Over the unrolls since the last call; where there were none, what that call gave.</summary>
    public double TakeRecent()
    {
        if (_recentCount > 0) _recent = _recentSum / _recentCount;
        (_recentSum, _recentCount) = (0, 0);
        return _recent;
    }
}
