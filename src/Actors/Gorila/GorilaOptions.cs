using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Rl.Distributed.Actors.AsyncLearners;

namespace Rl.Distributed.Actors.Gorila;

/// <summary>Which replay memory a learner has.</summary>
public enum ReplayScope
{
    /// <summary>Each learner its own.</summary>
    Local,

    /// <summary>All learners one.</summary>
    Global,
}

/// <summary>Gorila: Nair et al. 2015 (arXiv:1507.04296), with the DQN of Mnih et al. 2015 (doi:10.1038/nature14236).</summary>
public sealed record GorilaOptions : AsyncLearnerOptions
{
    [Description("local: each learner has its own replay memory; global: all learners share one.")]
    public ReplayScope Replay { get; init; } = ReplayScope.Local;

    [Description("Steps that a replay memory holds; the oldest make room.")]
    [Range(1, 1 << 30)]
    public int ReplayCapacity { get; init; } = 100_000;

    [Description("Steps that a replay memory has before learning from it begins.")]
    [Range(1, 1 << 30)]
    public int ReplayStart { get; init; } = 5000;

    [Description("Steps of a minibatch; a gradient is a mean over them. One a segment.")]
    [Range(1, 65536)]
    public int BatchSize { get; init; } = 32;

    [Description("Targets take the action that the learned parameters choose, and its value from the target parameters.")]
    public bool DoubleQ { get; init; }

    [Description("The slope of the loss is cut to this on either side; 0 cuts nothing.")]
    [Range(0.0, float.MaxValue)]
    public float ErrorClip { get; init; } = 1;

    [Description("The target parameters are refreshed each time that so many gradients, of all learners, were applied.")]
    [Range(1.0, 1e18)]
    public long TargetInterval { get; init; } = 10_000;

    [Description("Steps that a learner acts and learns with one copy of the parameters; up to workers.unrollLength it has a new one for each gradient.")]
    [Range(1, 1 << 30)]
    public int FetchInterval { get; init; } = 1;

    [Description("Over so many frames of all learners exploration falls from 1 to its final value.")]
    [Range(0.0, 1e18)]
    public long ExplorationFrames { get; init; } = 1_000_000;

    [Description("The probability of an action at random when exploration has ended.")]
    [Range(0.0, 1.0)]
    public float FinalEpsilon { get; init; } = 0.1f;

    [Description("A learner keeps back gradients whose mean absolute error is so many standard deviations above its running mean; 0 keeps back none.")]
    [Range(0.0, double.MaxValue)]
    public double OutlierDeviations { get; init; } = 6;
}
