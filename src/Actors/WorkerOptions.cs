using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Rl.Distributed.Actors;

/// <summary>The workers of a run: how many, and what each one sends.</summary>
public sealed record WorkerOptions
{
    /// <summary>The most workers of a process.</summary>
    public const int MaxCount = 4096;

    [Description("Workers in this process; 0 is one a core.")]
    [Range(0, MaxCount)]
    public int Count { get; init; } = 2;

    [Description("Environments that one worker steps together: B of an unroll.")]
    [Range(1, 65536)]
    public int EnvironmentsPerWorker { get; init; } = 32;

    [Description("Steps of an unroll: T.")]
    [Range(1, 10000)]
    public int UnrollLength { get; init; } = 20;

    [Description("Unrolls that one worker may have in flight. More hides latency, and makes experience staler.")]
    [Range(1, 1024)]
    public int Credits { get; init; } = 2;

    [Description("Megabytes of unrolls that one worker may have in flight; one unroll is always allowed.")]
    [Range(0.001, 1e6)]
    public double MaxMegabytesInFlight { get; init; } = 256;

    [Description("Seconds after which a credit that did not come back is counted as lost.")]
    [Range(0.001, 86400.0)]
    public double CreditTimeoutSeconds { get; init; } = 60;

    [Description("Rewards are multiplied by this for learning, before they are clipped; returns that are reported are not.")]
    [Range(0.0, float.MaxValue, MinimumIsExclusive = true)]
    public float RewardScale { get; init; } = 1;

    [Description("Rewards are clipped to [-rewardClip, rewardClip]; 0 clips nothing. For learning only.")]
    [Range(0.0, double.MaxValue)]
    public float RewardClip { get; init; }
}
