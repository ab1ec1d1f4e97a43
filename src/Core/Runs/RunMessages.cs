using Rl.Distributed.Core.Checkpoints;

namespace Rl.Distributed.Core.Runs;

// What the actor that owns the weights receives from whoever leads the run, whatever the algorithm.

/// <summary>Save a checkpoint when the update that runs is done.</summary>
public sealed record SaveCheckpoint
{
    public static readonly SaveCheckpoint Instance = new();
}

/// <summary>End the run when the update that runs is done, with a checkpoint.</summary>
public sealed record StopTraining
{
    public static readonly StopTraining Instance = new();
}

/// <summary>So many unrolls of a worker's incarnation.</summary>
public sealed record ConsumptionClaim(int Worker, int Incarnation, long Unrolls);

/// <summary>Workers are back, with what they know was consumed of theirs.</summary>
/// <param name="Claims">Of the present epoch and of earlier ones.</param>
/// <param name="FirstSince">The first incarnation of the epoch whose checkpoint the run was resumed from.</param>
public sealed record WorkersReturned(ConsumptionClaim[] Claims, int FirstSince);

// What it sends to whoever watches the run.

/// <summary>Where training is. Sent every so often, and at the end.</summary>
public sealed record LearnerReport
{
    public required long Frames { get; init; }

    public required long Updates { get; init; }

    public required long Episodes { get; init; }

    /// <summary>Mean return of the last 100 episodes; NaN before the first.</summary>
    public required double MeanReturn100 { get; init; }

    /// <summary>Versions that the weights moved between acting and learning, mean over the unrolls since the last report.</summary>
    public required double PolicyLag { get; init; }

    /// <summary>The same, mean over this process's run so far.</summary>
    public required double PolicyLagMean { get; init; }

    /// <summary>Where the weights are in shards: updates of the shard that had most less those of the one that had least, in the weights that
    /// acted, mean since the last report; else NaN.</summary>
    public double ShardSkew { get; init; } = double.NaN;

    /// <summary>The same, mean over this process's run so far; NaN without shards.</summary>
    public double ShardSkewMean { get; init; } = double.NaN;

    /// <summary>The greatest of them so far; NaN without shards.</summary>
    public double ShardSkewMax { get; init; } = double.NaN;

    /// <summary>Parts of the last update's loss, mean over its frames; NaN where the algorithm has no such part. Entropy in nats, positive.</summary>
    public double PolicyLoss { get; init; } = double.NaN;

    public double ValueLoss { get; init; } = double.NaN;

    public double Entropy { get; init; } = double.NaN;

    public required float GradientNorm { get; init; }

    public required float LearningRate { get; init; }

    public required long UnrollsConsumed { get; init; }

    public required long UnrollsDuplicate { get; init; }

    /// <summary>Unrolls, or gradients, that were refused by whoever learns, duplicates left out.</summary>
    public long UnrollsRejected { get; init; }

    /// <summary>Unrolls whose effect was lost because the run was resumed from a checkpoint older than them.</summary>
    public required long UnrollsRolledBack { get; init; }

    /// <summary>Episodes that were in progress when the run stopped, and were started anew by a resume.</summary>
    public required long EpisodesRestarted { get; init; }

    /// <summary>Episodes that broke off because their environment failed.</summary>
    public required long EpisodesLost { get; init; }
}

/// <summary>The last checkpoint is saved; nothing follows.</summary>
/// <param name="Report">Where training ended.</param>
/// <param name="Consumed">For each incarnation of a worker how many unrolls must have been sent for what was consumed.</param>
public sealed record TrainingFinished(LearnerReport Report, ConsumptionClaim[] Consumed);

/// <summary>The run cannot go on.</summary>
public sealed record TrainingFailed(Exception Reason);

/// <summary>Puts a checkpoint where it survives the process.</summary>
public delegate Task CheckpointWriter(Checkpoint checkpoint, long frames);

/// <summary>Training produced numbers that are no numbers; going on would only spread them.</summary>
public sealed class TrainingDivergedException(string message) : Exception(message);
