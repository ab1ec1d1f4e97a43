using Rl.Distributed.Actors;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Training;

/// <summary>All that the actors of a run need, made before the first of them.</summary>
internal sealed record RunPlan(
    ReplayOptions Replay,
    WorkerSetup Workers,
    IReadOnlyList<WorkerIdentity> WorkerIdentities,
    ImpalaState Learner,
    long TotalFrames,
    long CheckpointFrames,
    TimeSpan PublishInterval,
    CheckpointWriter Writer)
{
    /// <summary>Parts of an update that may be computed at once.</summary>
    public static int Lanes(TrainingConfig config) => config.Learner.Parallelism == 0 ? Environment.ProcessorCount : config.Learner.Parallelism;

    public static int WorkerCount(TrainingConfig config) => config.Workers.Count == 0 ? Environment.ProcessorCount : config.Workers.Count;

    /// <summary>Makes network, learner and environments' recipe, and takes up the checkpoint, if there is one.</summary>
    public static RunPlan Create(TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer)
    {
        var registry = EnvironmentRegistry.Default;
        var (workers, learner) = (config.Workers, config.Learner);
        var environment = registry.Spec(config.Environment);
        var network = PolicyValueNetwork.Create(config.Network, environment.Observation, environment.DiscreteActions);
        var shape = new UnrollShape(workers.UnrollLength, workers.EnvironmentsPerWorker, environment.Observation, environment.DiscreteActions);
        var count = WorkerCount(config);
        var state = new ImpalaState(new ImpalaLearner(network, learner, shape, config.Frames, Lanes(config), runner, config.Seed), shape);
        if (options.Resume is { } resume) state.Resume(resume.Checkpoint, count * workers.EnvironmentsPerWorker);
        var setup = new WorkerSetup(
            random => registry.Create(config.Environment, workers.EnvironmentsPerWorker, random),
            network, shape, config.Seed, (float)learner.Discount, (float)workers.RewardClip, TimeSpan.FromSeconds(workers.CreditTimeoutSeconds));
        return new RunPlan(
            new ReplayOptions(shape, count, workers.Credits), setup,
            [.. Enumerable.Range(0, count).Select(index => new WorkerIdentity(index, state.Ledger.NextIncarnation(index)))],
            state, config.Frames, config.Run.CheckpointFrames, TimeSpan.Zero, writer);
    }
}
