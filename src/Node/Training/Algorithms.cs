using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Configuration;

namespace Rl.Distributed.Node.Training;

/// <summary>Makes a run's plan; see <see cref="RunPlan.Create"/>.</summary>
internal delegate RunPlan RunPlanner(TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer);

/// <summary>One way to learn.</summary>
/// <param name="Name">As configurations have it.</param>
/// <param name="Description">One sentence for listings.</param>
/// <param name="Options">The type of its learner's options.</param>
/// <param name="Plan">Makes the plan of a run.</param>
internal sealed record Algorithm(string Name, string Description, Type Options, RunPlanner Plan);

/// <summary>The algorithms. A new one is a folder of its own, and a line here.</summary>
internal sealed class Algorithms : IVariants
{
    public const string Default = "impala";

    public static IReadOnlyList<Algorithm> All { get; } =
    [
        new("impala", "V-trace actor-critic with a central learner (Espeholt et al. 2018).", typeof(ImpalaOptions), ImpalaRunPlan.Create),
    ];

    public static IReadOnlyList<(string Name, Type Type)> Variants { get; } = [.. All.Select(algorithm => (algorithm.Name, algorithm.Options))];

    /// <exception cref="ArgumentException">There is no such algorithm.</exception>
    public static Algorithm Find(string name) => All.FirstOrDefault(algorithm => algorithm.Name == name)
        ?? throw new ArgumentException($"There is no algorithm '{name}'; there are: {string.Join(", ", All.Select(each => each.Name))}.", nameof(name));
}
