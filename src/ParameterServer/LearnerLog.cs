using System.Runtime.InteropServices;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>What learners of one thread did in some time.</summary>
public sealed record LearnerProgress
{
    public required long Frames { get; init; }

    public required long Updates { get; init; }

    /// <summary>Gradients that were refused, or kept back.</summary>
    public required long Rejected { get; init; }

    /// <summary>Of these, those with NaN or infinity.</summary>
    public required long NotFinite { get; init; }

    /// <summary>Of these, those that learners kept because their loss was far above the usual.</summary>
    public required long KeptBack { get; init; }

    /// <summary>Returns of the whole games that ended, oldest first, rewards not clipped.</summary>
    public required float[] EpisodeReturns { get; init; }

    /// <summary>Their lengths in steps.</summary>
    public required int[] EpisodeLengths { get; init; }

    /// <summary>Episodes that broke off because their environment failed.</summary>
    public required long EpisodesLost { get; init; }

    /// <summary>Losses, summed over the frames; value-based learners have the value's alone.</summary>
    public required ActorCriticLossValues Loss { get; init; }

    /// <summary>Sum over updates of the gradient's Euclidean norm before clipping.</summary>
    public required double GradientNormSum { get; init; }

    /// <summary>Sum over updates of the updates by others between the read of the parameters and the gradient's arrival.</summary>
    public required long StalenessSum { get; init; }

    /// <summary>The greatest of them.</summary>
    public required long StalenessMax { get; init; }

    /// <summary>Sum over updates of the skew of the parameters that their gradients were computed with, where these are in shards: updates of the
    /// shard that had most less those of the one that had least.</summary>
    public long SkewSum { get; init; }

    /// <summary>The greatest of them.</summary>
    public long SkewMax { get; init; }

    /// <summary>Mean over updates; 0 without one.</summary>
    public double StalenessMean => (double)StalenessSum / Math.Max(1, Updates);

    /// <summary>Mean over updates; 0 without one.</summary>
    public double GradientNorm => GradientNormSum / Math.Max(1, Updates);

    /// <summary>Both together.</summary>
    public static LearnerProgress operator +(LearnerProgress a, LearnerProgress b) => new()
    {
        Frames = a.Frames + b.Frames,
        Updates = a.Updates + b.Updates,
        Rejected = a.Rejected + b.Rejected,
        NotFinite = a.NotFinite + b.NotFinite,
        KeptBack = a.KeptBack + b.KeptBack,
        EpisodeReturns = [.. a.EpisodeReturns, .. b.EpisodeReturns],
        EpisodeLengths = [.. a.EpisodeLengths, .. b.EpisodeLengths],
        EpisodesLost = a.EpisodesLost + b.EpisodesLost,
        Loss = a.Loss + b.Loss,
        GradientNormSum = a.GradientNormSum + b.GradientNormSum,
        StalenessSum = a.StalenessSum + b.StalenessSum,
        StalenessMax = Math.Max(a.StalenessMax, b.StalenessMax),
        SkewSum = a.SkewSum + b.SkewSum,
        SkewMax = Math.Max(a.SkewMax, b.SkewMax),
    };
}

/// <summary>Adds up what the learners of one thread do. Not thread-safe.</summary>
public sealed class LearnerLog : IEpisodeLog
{
    private readonly List<float> _returns = [];
    private readonly List<int> _lengths = [];
    private long _frames, _updates, _rejected, _notFinite, _keptBack, _lost, _stalenessSum, _stalenessMax, _skewSum, _skewMax;
    private double _normSum;
    private ActorCriticLossValues _loss;

    public void AddFrames(int frames) => _frames += frames;

    public void AddEpisode(double episodeReturn, int length)
    {
        _returns.Add((float)episodeReturn);
        _lengths.Add(length);
    }

    public void AddLostEpisode() => _lost++;

    /// <summary>Takes in what a learner elsewhere says of a segment.</summary>
    public void Add(SegmentReport segment)
    {
        _frames += segment.Frames;
        _returns.AddRange(segment.EpisodeReturns);
        _lengths.AddRange(segment.EpisodeLengths);
        _lost += segment.EpisodesLost;
        _loss += segment.Loss;
        _skewSum += segment.Skew;
        _skewMax = Math.Max(_skewMax, segment.Skew);
        AddKeptBack(segment.KeptBack);
    }

    public void AddLoss(in ActorCriticLossValues loss) => _loss += loss;

    public void AddGradient(in GradientOutcome outcome)
    {
        if (outcome.Rejection != GradientRejection.None)
        {
            _rejected++;
            if (outcome.Rejection == GradientRejection.NotFinite) _notFinite++;
            return;
        }
        _updates++;
        _normSum += outcome.Norm;
        _stalenessSum += outcome.Staleness;
        _stalenessMax = Math.Max(_stalenessMax, outcome.Staleness);
    }

    /// <summary>Gradients whose loss was far above the usual, so that their learner kept them.</summary>
    public void AddKeptBack(int count)
    {
        _rejected += count;
        _keptBack += count;
    }

    /// <summary>There are episodes that no call of <see cref="Take"/> has told of.</summary>
    public bool HasEpisodes => _returns.Count > 0 || _lost > 0;

    /// <summary>Everything since the last call; of more frames or episodes than this the oldest, the rest is for the next call.</summary>
    public LearnerProgress Take(long mostFrames = long.MaxValue, int mostEpisodes = int.MaxValue)
    {
        var (frames, lost) = (Math.Min(_frames, mostFrames), Math.Min(_lost, mostEpisodes));
        var episodes = Math.Min(_returns.Count, mostEpisodes);
        var progress = new LearnerProgress
        {
            Frames = frames,
            Updates = _updates,
            Rejected = _rejected,
            NotFinite = _notFinite,
            KeptBack = _keptBack,
            EpisodeReturns = CollectionsMarshal.AsSpan(_returns)[..episodes].ToArray(),
            EpisodeLengths = CollectionsMarshal.AsSpan(_lengths)[..episodes].ToArray(),
            EpisodesLost = lost,
            Loss = _loss,
            GradientNormSum = _normSum,
            StalenessSum = _stalenessSum,
            StalenessMax = _stalenessMax,
            SkewSum = _skewSum,
            SkewMax = _skewMax,
        };
        _returns.RemoveRange(0, episodes);
        _lengths.RemoveRange(0, episodes);
        (_frames, _lost) = (_frames - frames, _lost - lost);
        (_updates, _rejected, _notFinite, _keptBack) = (0, 0, 0, 0);
        (_stalenessSum, _stalenessMax, _skewSum, _skewMax, _normSum, _loss) = (0, 0, 0, 0, 0, default);
        return progress;
    }
}
