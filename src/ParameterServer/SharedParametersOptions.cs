using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Rl.Distributed.ParameterServer;

/// <summary>What turns a gradient into a change of shared parameters; the three that Mnih et al. 2016, section 4, compare.</summary>
public enum UpdateRule
{
    /// <summary>One moving average of squared gradients for all learners.</summary>
    SharedRmsProp,

    /// <summary>Each learner has its own moving average.</summary>
    RmsProp,

    /// <summary>Each learner has its own momentum.</summary>
    Momentum,
}

/// <summary>The update of shared parameters. The defaults are those of Mnih et al. 2016.</summary>
public sealed record SharedParametersOptions
{
    [Description("sharedRmsProp (one mean square for all learners), rmsProp (each learner its own) or momentum (each learner its own).")]
    public UpdateRule Rule { get; init; } = UpdateRule.SharedRmsProp;

    [Description("What remains of the mean square, or of the momentum, at an update: α.")]
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Decay { get; init; } = 0.99;

    [Description("Stands beside the mean square inside the root, so that small gradients stay small.")]
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Epsilon { get; init; } = 0.1;
}
