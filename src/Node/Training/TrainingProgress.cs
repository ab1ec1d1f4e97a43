namespace Rl.Distributed.Node.Training;

/// <summary>Where a run is; reported every <see cref="RunOptions.MetricsSeconds"/>, at each hundredth of its frames and at the end.</summary>
public sealed record TrainingProgress
{
    /// <summary>Environment steps that were learned from, those before a resume included.</summary>
    public long Frames { get; init; }

    public long TotalFrames { get; init; }

    /// <summary>Frames a second over the last few seconds.</summary>
    public double FramesPerSecond { get; init; }

    /// <summary>Mean return of the last 100 episodes; NaN until one ended.</summary>
    public double MeanReturn100 { get; init; } = double.NaN;

    /// <summary>Episodes that ended.</summary>
    public long Episodes { get; init; }

    /// <summary>Mean number of updates between the weights that acted and those that learned, of late.</summary>
    public double PolicyLag { get; init; }

    /// <summary>Updates between the shard that had most and the one that had least, in the weights that acted, mean of late; NaN without shards.</summary>
    public double ShardSkew { get; init; } = double.NaN;

    /// <summary>The greatest of them; NaN without shards.</summary>
    public double ShardSkewMax { get; init; } = double.NaN;

    public long Updates { get; init; }

    public double UpdatesPerSecond { get; init; }

    public double PolicyLoss { get; init; } = double.NaN;

    public double ValueLoss { get; init; } = double.NaN;

    public double Entropy { get; init; } = double.NaN;

    /// <summary>Euclidean norm of the last gradient, before it was clipped.</summary>
    public double GradientNorm { get; init; } = double.NaN;

    public double LearningRate { get; init; }

    /// <summary>Since this process began to train.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Until the last frame at the present rate; null while that is unknown.</summary>
    public TimeSpan? Remaining { get; init; }

    /// <summary>Unrolls that workers sent since this process began, as far as they have said, and those consumed before.</summary>
    public long UnrollsSent { get; init; }

    public long UnrollsConsumed { get; init; }

    public long UnrollsLost { get; init; }

    public long UnrollsRolledBack { get; init; }

    /// <summary>Unrolls that were refused on the way, whatever the reason.</summary>
    public long UnrollsRejected { get; init; }

    /// <summary>Episodes in progress that resumes started anew.</summary>
    public long EpisodesRestarted { get; init; }

    /// <summary>Episodes that broke off because their environment failed.</summary>
    public long EpisodesLost { get; init; }

    /// <summary>The newest one; null before the first, and where the run has none.</summary>
    public GreedyReturn? Evaluation { get; init; }

    /// <summary>Workers that are to work now.</summary>
    public int Workers { get; init; }

    /// <summary>Other nodes that some of them are on.</summary>
    public int Nodes { get; init; }
}
