using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Rl.Distributed.Core.Runs;

/// <summary>How an agent learns: what all algorithms have. Each adds its own.</summary>
public abstract record LearnerOptions
{
    [Description("Discount of one step: γ.")]
    [Range(0.0, 1.0)]
    public float Discount { get; init; } = 0.99f;

    [Description("The gradient is scaled down to this Euclidean norm; inf scales nothing.")]
    [Range(0.0, double.PositiveInfinity, MinimumIsExclusive = true)]
    public float MaxGradientNorm { get; init; } = 40;

    [Description("Whether the learning rate falls linearly to 0 at the last frame.")]
    public bool AnnealLearningRate { get; init; } = true;

    [Description("Threads that learn; 0 is one a core.")]
    [Range(0, 1024)]
    public int Parallelism { get; init; }
}
