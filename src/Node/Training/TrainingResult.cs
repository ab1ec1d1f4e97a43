namespace Rl.Distributed.Node.Training;

/// <summary>What came out of a run; with <c>--json</c> this is what is printed.</summary>
public sealed record TrainingResult
{
    public required string Preset { get; init; }

    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>Environment steps that were learned from, those before a resume included.</summary>
    public required long Frames { get; init; }

    /// <summary>It was stopped before all its frames were done.</summary>
    public required bool Interrupted { get; init; }

    /// <summary>Time that this process trained.</summary>
    public required double Seconds { get; init; }

    /// <summary>Frames of this process by <see cref="Seconds"/>.</summary>
    public required double FramesPerSecond { get; init; }

    /// <summary>Mean return of the last 100 episodes; null where none ended.</summary>
    public double? MeanReturn100 { get; init; }

    public required long Updates { get; init; }

    /// <summary>Mean number of updates between the weights that acted and those that learned.</summary>
    public double PolicyLagMean { get; init; }

    /// <summary>Greedy episodes with the last parameters, or of the last evaluation where the run was interrupted; null where it has none.</summary>
    public GreedyReturn? Evaluation { get; init; }

    /// <summary>The best evaluation: its parameters are in checkpoints/best.safetensors.</summary>
    public GreedyReturn? BestEvaluation { get; init; }

    /// <summary>Mean number of updates between the shard that had most and the one that had least, in the weights that acted; null without shards.</summary>
    public double? ShardSkewMean { get; init; }

    /// <summary>The greatest of them; null without shards.</summary>
    public double? ShardSkewMax { get; init; }

    /// <summary>Null where nothing was written.</summary>
    public string? RunDirectory { get; init; }
}
