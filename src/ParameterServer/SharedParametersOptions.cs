using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Rl.Distributed.ParameterServer;

/// <summary>What turns a gradient into a change of shared parameters: the three that Mnih et al. 2016, section 4, compare, and that of
/// Nair et al. 2015.</summary>
public enum UpdateRule
{
    /// <summary>One moving average of squared gradients for all learners.</summary>
    SharedRmsProp,

    /// <summary>Each learner has its own moving average.</summary>
    RmsProp,

    /// <summary>Each learner has its own momentum.</summary>
    Momentum,

    /// <summary>One sum of squared gradients for all learners, as Gorila has it: g ← g + d², θ ← θ - η d / √(g + ε).</summary>
    AdaGrad,
}

/// <summary>What update rules have in common.</summary>
public static class UpdateRules
{
    /// <summary>All learners have the same statistics; else each has its own.</summary>
    public static bool HasSharedStatistics(this UpdateRule rule) => rule is UpdateRule.SharedRmsProp or UpdateRule.AdaGrad;
}

/// <summary>The update of shared parameters. The defaults are those of Mnih et al. 2016.</summary>
public sealed record SharedParametersOptions
{
    [Description("sharedRmsProp (one mean square for all learners), rmsProp (each learner its own), momentum (each learner its own) or adaGrad (one sum of squares for all).")]
    public UpdateRule Rule { get; init; } = UpdateRule.SharedRmsProp;

    [Description("What remains of the mean square, or of the momentum, at an update: α. AdaGrad has none.")]
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Decay { get; init; } = 0.99;

    [Description("Stands beside the mean square inside the root, so that small gradients stay small.")]
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Epsilon { get; init; } = 0.1;

    [Description("A gradient computed with parameters more than so many updates old is refused; 0 refuses none.")]
    [Range(0.0, 1e18)]
    public long MaxStaleness { get; init; }
}
