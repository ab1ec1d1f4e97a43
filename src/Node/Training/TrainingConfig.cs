using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Training;

/// <summary>All that defines a run, as presets, files and <c>--set</c> give it.</summary>
public sealed record TrainingConfig
{
    [Description("The preset that this configuration began as; it names the run directory.")]
    public string Preset { get; init; } = "";

    [Description("The algorithm.")]
    public string Algorithm { get; init; } = Algorithms.Default;

    [Description("Seed of every random stream of the run.")]
    public ulong Seed { get; init; } = 1;

    [Description("Environment steps, all environments together, after which training ends.")]
    [Range(1.0, 1e18)]
    public long Frames { get; init; } = 1_000_000;

    [Description("The environment.")]
    public EnvironmentOptions Environment { get; init; } = new();

    [Description("The workers that step environments.")]
    public WorkerOptions Workers { get; init; } = new();

    [Description("The network.")]
    public NetworkOptions Network { get; init; } = new();

    [Description("The learner; its keys are the algorithm's.")]
    [ChosenBy(nameof(Algorithm), typeof(Algorithms))]
    public LearnerOptions Learner { get; init; } = new ImpalaOptions();

    [Description("How weights reach other nodes, and gradients come back.")]
    public ParameterServerOptions ParameterServer { get; init; } = new();

    [Description("Checkpoints, metrics and log.")]
    public RunOptions Run { get; init; } = new();
}
