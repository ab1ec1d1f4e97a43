using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.RunDirectory;
using Serilog;

namespace Rl.Distributed.Node.Training;

/// <summary>What a run needs beside its configuration.</summary>
public sealed record TrainingRunOptions
{
    /// <summary>The directory of the run, already made and locked by the caller; null: nothing is written.</summary>
    public string? RunDirectory { get; init; }

    /// <summary>Where checkpoints go; null: none are written.</summary>
    public CheckpointStore? Checkpoints { get; init; }

    /// <summary>What the run continues from, already read and checked; null: it begins.</summary>
    public LoadedCheckpoint? Resume { get; init; }

    /// <summary>Unrolls that the run is known to have consumed, those whose effect is gone included; so is that of what came after the
    /// checkpoint.</summary>
    public long UnrollsConsumed { get; init; }

    /// <summary>How other nodes reach this one; null: the run stays in this process.</summary>
    internal NodeEndpoint? Endpoint { get; init; }

    /// <summary>Workers in this process; null: as many as the configuration says.</summary>
    public int? LocalWorkers { get; init; }

    /// <summary>Shards that this process has room for; null: for all where the run stays in this process, else for none.</summary>
    public int? LocalShards { get; init; }

    /// <summary>Tells runs apart where workers outlive the process that led them.</summary>
    public string RunId { get; init; } = "";

    /// <summary>No epoch below this one may be begun: earlier ones were, even if no checkpoint tells of them.</summary>
    public int LeastEpoch { get; init; }

    /// <summary>Shows the run's process to the outside; null: nobody asks.</summary>
    internal LiveNode? Live { get; init; }

    /// <summary>Called once network, environments and checkpoint are found to fit, before the first step.</summary>
    public Action? Started { get; init; }

    /// <summary>One thread and a fixed order of messages: the same seed gives the same weights to the bit.</summary>
    public bool Deterministic { get; init; }

    /// <summary>Segments that learners which share a thread take before others have their turn, at most.</summary>
    public int SegmentsPerTurn { get; init; } = 64;

    /// <summary>Told every <see cref="RunOptions.MetricsSeconds"/>, at each hundredth of the frames and at the end; it returns soon and is called
    /// by one thread at a time.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    public ILogger Logger { get; init; } = Serilog.Core.Logger.None;
}
