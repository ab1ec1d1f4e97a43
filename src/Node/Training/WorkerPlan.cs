using Rl.Distributed.Actors;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Commands;
using Rl.Distributed.Node.Environments;

namespace Rl.Distributed.Node.Training;

/// <summary>What the workers of a node need, whichever node that is.</summary>
/// <param name="Setup">For each worker.</param>
/// <param name="Network">The policy's network.</param>
/// <param name="Shape">The shape of every unroll of the run.</param>
/// <param name="Environment">Which code the environment is, where it is not a part of the program.</param>
internal sealed record WorkerPlan(WorkerSetup Setup, PolicyValueNetwork Network, UnrollShape Shape, string Environment)
{
    /// <summary>What another node's program must agree on.</summary>
    public BuildFacts Build => new(CommandLine.Version, Network.Layout.Count, Shape.ByteCount, Environment);

    /// <param name="config">The run's configuration.</param>
    /// <param name="environments">Those that it may name; null for all that this process knows.</param>
    /// <exception cref="ArgumentException">The configuration cannot run; the message names what to change.</exception>
    public static WorkerPlan Create(TrainingConfig config, EnvironmentRegistry? environments = null)
    {
        var registry = environments ?? KnownEnvironments.All;
        var workers = config.Workers;
        var environment = registry.Spec(config.Environment);
        var network = PolicyValueNetwork.Create(config.Network, environment.Observation, environment.DiscreteActions);
        var shape = ShapeOf(config, environment);
        var setup = new WorkerSetup(
            random => registry.Create(config.Environment, workers.EnvironmentsPerWorker, random),
            network, shape, config.Seed, config.Learner.Discount, workers.RewardScale, workers.RewardClip,
            TimeSpan.FromSeconds(workers.CreditTimeoutSeconds));
        return new WorkerPlan(setup, network, shape, registry.Describe(config.Environment.Name).Identity);
    }

    /// <summary>The shape of the unrolls of a run on this environment.</summary>
    public static UnrollShape ShapeOf(TrainingConfig config, EnvironmentSpec environment) => new(
        config.Workers.UnrollLength, config.Workers.EnvironmentsPerWorker, environment.Observation, environment.DiscreteActions);

    /// <summary>Who the workers numbered from <paramref name="first"/> on are.</summary>
    public static IReadOnlyList<WorkerIdentity> Identities(int first, int count, int epoch) =>
        [.. Enumerable.Range(first, count).Select(index => new WorkerIdentity(index, epoch))];
}
