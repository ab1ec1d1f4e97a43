using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>What all asynchronous learners have in common. The defaults are those of Mnih et al. 2016 (arXiv:1602.01783).</summary>
/// <remarks>What is not <see cref="BrowsableAttribute">browsable</see> is the workers' in a configuration, or the algorithm's.</remarks>
public abstract record AsyncLearnerOptions : LearnerOptions
{
    /// <summary>Steps of a segment: t_max, or I_AsyncUpdate. A gradient is a sum over them.</summary>
    [Browsable(false)]
    public int SegmentLength { get; init; } = 5;

    /// <summary>Environments of one learner, which it steps together; a gradient is a mean over them. The paper has one.</summary>
    [Browsable(false)]
    public int Environments { get; init; } = 1;

    /// <summary>Factor on rewards for learning.</summary>
    [Browsable(false)]
    public float RewardScale { get; init; } = 1;

    /// <summary>Rewards are then clipped to ± this for learning; 0 leaves them.</summary>
    [Browsable(false)]
    public float RewardClip { get; init; }

    [Description("Learning rate at the first frame.")]
    [Range(0.0, double.MaxValue)]
    public double LearningRate { get; init; } = 7e-4;

    [Description("How gradients change the shared parameters.")]
    public SharedParametersOptions Update { get; init; } = new();
}

/// <summary>A3C, and A2C in one process.</summary>
public record A3cOptions : AsyncLearnerOptions
{
    [Description("The loss.")]
    public ActorCriticLossOptions Loss { get; init; } = new();
}

/// <summary>A2C.</summary>
public sealed record A2cOptions : A3cOptions
{
    [Description("Over several nodes: the first update waits for so many learners. Later ones go on with those that are there.")]
    [Range(1, int.MaxValue)]
    public int LeastLearners { get; init; } = 1;
}

/// <summary>Which values the asynchronous value-based learners learn from.</summary>
public enum ActionValueMethod
{
    /// <summary>r + γ max Q⁻(s', ·) (Alg. 1).</summary>
    OneStepQ,

    /// <summary>r + γ r' + … + γⁿ max Q⁻(s⁽ⁿ⁾, ·), n up to the end of the segment (Alg. S2).</summary>
    NStepQ,

    /// <summary>r + γ Q⁻(s', a'), where a' is taken next (section 4.2).</summary>
    Sarsa,
}

/// <summary>Asynchronous one-step Q-learning, n-step Q-learning and one-step Sarsa.</summary>
public sealed record AsyncQOptions : AsyncLearnerOptions
{
    /// <summary>Target of the action values.</summary>
    [Browsable(false)]
    public ActionValueMethod Method { get; init; } = ActionValueMethod.OneStepQ;

    [Description("The target parameters are refreshed when the frames of all learners cross a multiple of this: I_target.")]
    [Range(1.0, 1e18)]
    public long TargetInterval { get; init; } = 40_000;

    [Description("Over so many frames of all learners a learner's exploration falls from 1 to its final value, drawn from 0.1, 0.01, 0.5.")]
    [Range(0.0, 1e18)]
    public long ExplorationFrames { get; init; } = 4_000_000;
}
