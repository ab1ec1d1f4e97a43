using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Core.Runs;

/// <summary>Returns of the last 100 training episodes, in the order in which the learner consumed them.</summary>
public sealed class EpisodeWindow
{
    public const int Size = 100;

    private readonly float[] _returns = new float[Size];

    /// <summary>Episodes ended since the run began.</summary>
    public long Count { get; private set; }

    /// <summary>Episodes that broke off because their environment failed.</summary>
    public long Lost { get; private set; }

    /// <summary>Mean of the last <see cref="Size"/> returns, of all where there are fewer, NaN where there is none.</summary>
    public double Mean
    {
        get
        {
            var filled = (int)Math.Min(Count, Size);
            var sum = 0.0;
            for (var i = 0; i < filled; i++) sum += _returns[i];
            return filled == 0 ? double.NaN : sum / filled;
        }
    }

    public void Add(Unroll unroll)
    {
        ArgumentNullException.ThrowIfNull(unroll);
        Add(unroll.EpisodeReturns.AsSpan(0, unroll.EpisodeCount), unroll.EpisodesLost);
    }

    /// <summary>Adds the returns of episodes that ended, oldest first, and those that broke off.</summary>
    public void Add(ReadOnlySpan<float> returns, long lost)
    {
        foreach (var episode in returns) _returns[(int)(Count++ % Size)] = episode;
        Lost += lost;
    }

    public (float[] Returns, long Count) Save() => ((float[])_returns.Clone(), Count);

    public void Load(ReadOnlySpan<float> returns, long count, long lost = 0)
    {
        if (returns.Length != Size || count < 0 || lost < 0) throw new ArgumentException($"A window has {Size} returns and a count.", nameof(returns));
        returns.CopyTo(_returns);
        (Count, Lost) = (count, lost);
    }
}
