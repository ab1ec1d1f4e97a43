using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>What all asynchronous learners have in common. The defaults are those of Mnih et al. 2016 (arXiv:1602.01783).</summary>
public abstract record AsyncLearnerOptions
{
    [Description("Steps of a segment: t_max, or I_AsyncUpdate. A gradient is a sum over them.")]
    [Range(1, 65536)]
    public int SegmentLength { get; init; } = 5;

    [Description("Environments of one learner, which it steps together; a gradient is a mean over them. The paper has one.")]
    [Range(1, 65536)]
    public int Environments { get; init; } = 1;

    [Description("Discount of one step: γ.")]
    [Range(0.0, 1.0)]
    public float Discount { get; init; } = 0.99f;

    [Description("Rewards are clipped to ± this for learning; 0 leaves them.")]
    [Range(0.0, double.MaxValue)]
    public float RewardClip { get; init; }

    [Description("Learning rate at the first frame.")]
    [Range(0.0, double.MaxValue)]
    public double LearningRate { get; init; } = 7e-4;

    [Description("Whether the learning rate falls linearly to 0 at the last frame.")]
    public bool AnnealLearningRate { get; init; } = true;

    [Description("A gradient is scaled down to this Euclidean norm; inf scales nothing.")]
    [Range(0.0, double.PositiveInfinity, MinimumIsExclusive = true)]
    public float MaxGradientNorm { get; init; } = 40;

    [Description("How gradients change the shared parameters.")]
    public SharedParametersOptions Update { get; init; } = new();
}

/// <summary>A3C and A2C.</summary>
public sealed record A3cOptions : AsyncLearnerOptions
{
    [Description("The loss.")]
    public ActorCriticLossOptions Loss { get; init; } = new();
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
    [Description("Target of the action values: oneStepQ, nStepQ or sarsa.")]
    public ActionValueMethod Method { get; init; } = ActionValueMethod.OneStepQ;

    [Description("The target parameters are refreshed when the frames of all learners cross a multiple of this: I_target.")]
    [Range(1, long.MaxValue)]
    public long TargetInterval { get; init; } = 40_000;

    [Description("Over so many frames of all learners a learner's exploration falls from 1 to its final value, drawn from 0.1, 0.01, 0.5.")]
    [Range(0, long.MaxValue)]
    public long ExplorationFrames { get; init; } = 4_000_000;
}
