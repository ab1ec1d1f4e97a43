using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Serilog.Events;

namespace Rl.Distributed.Node.Training;

/// <summary>What a run writes down, and how often.</summary>
public sealed record RunOptions
{
    [Description("Seconds between checkpoints, the first after at most 10; 0 leaves it to checkpointFrames.")]
    [Range(0.0, 1e9)]
    public double CheckpointSeconds { get; init; } = 60;

    [Description("Frames between checkpoints; 0 leaves it to checkpointSeconds.")]
    [Range(0.0, 1e18)]
    public long CheckpointFrames { get; init; }

    [Description("How many checkpoints are kept.")]
    [Range(1, 1000)]
    public int KeepCheckpoints { get; init; } = 3;

    [Description("Seconds between rows of metrics.csv; each hundredth of the frames gives one, too.")]
    [Range(0.01, 86400.0)]
    public double MetricsSeconds { get; init; } = 1;

    [Description("Greedy episodes of an evaluation while training goes on; 0 for none.")]
    [Range(0, 100_000)]
    public int EvaluateEpisodes { get; init; }

    [Description("Frames between evaluations; one that falls due while another plays is left out. The last parameters are evaluated, too.")]
    [Range(1.0, 1e18)]
    public long EvaluateFrames { get; init; } = 100_000;

    [Description("The least level that the log holds.")]
    public LogEventLevel LogLevel { get; init; } = LogEventLevel.Information;
}
