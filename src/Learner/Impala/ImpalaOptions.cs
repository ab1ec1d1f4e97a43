using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Runs;

namespace Rl.Distributed.Learner.Impala;

/// <summary>The learner of IMPALA. The defaults are those of Espeholt et al. 2018 (arXiv:1802.01561), Table G.1.</summary>
public sealed record ImpalaOptions : LearnerOptions
{
    [Description("Trajectories an update; a multiple of workers.environmentsPerWorker.")]
    [Range(1, 65536)]
    public int Batch { get; init; } = 32;

    [Description("The loss.")]
    public ImpalaLossOptions Loss { get; init; } = new();

    [Description("The optimizer.")]
    public OptimizerOptions Optimizer { get; init; } = new();
}
