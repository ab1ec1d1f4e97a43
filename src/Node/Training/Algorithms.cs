using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Configuration;

namespace Rl.Distributed.Node.Training;

/// <summary>Makes a run's plan; see <see cref="RunPlan.Create"/>.</summary>
internal delegate RunPlan RunPlanner(TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer);

/// <summary>Makes what a node does for a run that another node leads; null environments are all that this process knows.</summary>
internal delegate NodeWork NodeWorkPlanner(TrainingConfig config, EnvironmentRegistry? environments);

/// <summary>One way to learn.</summary>
/// <param name="Name">As configurations have it.</param>
/// <param name="Description">One sentence for listings.</param>
/// <param name="Options">The type of its learner's options.</param>
/// <param name="LearnsValues">Its network gives action values; else a policy and a state value.</param>
/// <param name="Plan">Makes the plan of a run.</param>
/// <param name="Work">Makes the work of another node.</param>
/// <param name="Ring">Names of the run's actors that such a node talks to.</param>
internal sealed record Algorithm(
    string Name, string Description, Type Options, bool LearnsValues, RunPlanner Plan, NodeWorkPlanner Work, IReadOnlyList<string> Ring)
{
    /// <summary>The network of its agents.</summary>
    /// <exception cref="ArgumentException">An option does not suit the observation; the message names it and what is valid.</exception>
    /// <exception cref="NotSupportedException">The actions are continuous.</exception>
    public AgentNetwork CreateNetwork(NetworkOptions options, EnvironmentSpec environment) => LearnsValues
        ? ActionValueNetwork.Create(options, environment.Observation, environment.DiscreteActions)
        : PolicyValueNetwork.Create(options, environment.Observation, environment.DiscreteActions);
}

/// <summary>The algorithms. A new one is a folder of its own, and a line here.</summary>
internal sealed class Algorithms : IVariants
{
    public const string Default = "impala";

    public static IReadOnlyList<Algorithm> All { get; } =
    [
        new("impala", "V-trace actor-critic with a central learner (Espeholt et al. 2018).", typeof(ImpalaOptions), false, ImpalaRunPlan.Create,
            (config, environments) => new ImpalaNodeWork(WorkerPlan.Create(config, environments)), ImpalaNodeWork.Ring),
        Async<A3cOptions>("a3c", "Asynchronous advantage actor-critic: learners that share memory, or send gradients (Mnih et al. 2016)."),
        new("a2c", "The same, synchronous: all learners' gradients make one update.", typeof(A2cOptions), false, AsyncRunPlan.Create,
            SynchronousNodeWork.Create, SynchronousNodeWork.Ring),
        AsyncValues<AsyncQOptions>("async-q", "Asynchronous one-step Q-learning (Mnih et al. 2016)."),
        AsyncValues<AsyncQOptions>("async-nstep-q", "Asynchronous n-step Q-learning (Mnih et al. 2016)."),
        AsyncValues<AsyncQOptions>("async-sarsa", "Asynchronous one-step Sarsa (Mnih et al. 2016)."),
        AsyncValues<GorilaOptions>("gorila", "Deep Q-learning with replay memories: learners that share parameters, or send gradients (Nair et al. 2015)."),
    ];

    public static IReadOnlyList<(string Name, Type Type)> Variants { get; } = [.. All.Select(algorithm => (algorithm.Name, algorithm.Options))];

    /// <exception cref="ArgumentException">There is no such algorithm.</exception>
    public static Algorithm Find(string name) => All.FirstOrDefault(algorithm => algorithm.Name == name)
        ?? throw new ArgumentException($"There is no algorithm '{name}'; there are: {string.Join(", ", All.Select(each => each.Name))}.", nameof(name));

    private static Algorithm Async<TOptions>(string name, string description) =>
        new(name, description, typeof(TOptions), LearnsValues: false, AsyncRunPlan.Create, AsyncWork, AsyncNodeWork.Ring);

    private static Algorithm AsyncValues<TOptions>(string name, string description) =>
        new(name, description, typeof(TOptions), LearnsValues: true, AsyncRunPlan.Create, AsyncWork, AsyncNodeWork.Ring);

    private static AsyncNodeWork AsyncWork(TrainingConfig config, EnvironmentRegistry? environments) => new(config, new AsyncRecipe(config, environments));
}
