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
    public static int Lanes(TrainingConfig config) =>
        config.Learner.Parallelism == 0 ? Environment.ProcessorCount : config.Learner.Parallelism;

    public static int WorkerCount(TrainingConfig config) => config.Workers.Count == 0 ? Environment.ProcessorCount : config.Workers.Count;

    /// <summary>Makes network, learner and environments' recipe, and takes up the checkpoint, if there is one.</summary>
    /// <exception cref="ArgumentException">The configuration cannot run; the message names what to change.</exception>
    public static RunPlan Create(TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer)
    {
        var registry = EnvironmentRegistry.Default;
        var (workers, learner) = (config.Workers, config.Learner);
        var environment = registry.Spec(config.Environment);
        var network = PolicyValueNetwork.Create(config.Network, environment.Observation, environment.DiscreteActions);
        var shape = new UnrollShape(
            workers.UnrollLength, workers.EnvironmentsPerWorker, environment.Observation, environment.DiscreteActions);
        var count = WorkerCount(config);
        var state = new ImpalaState(new ImpalaLearner(network, learner, shape, config.Frames, Lanes(config), runner, config.Seed), shape);
        if (options.Resume is { } resume) state.Resume(resume.Checkpoint, count * workers.EnvironmentsPerWorker, options.UnrollsConsumed);
        var maxBytes = (long)(workers.MaxMegabytesInFlight * 1e6);
        CheckCredits(workers, count, maxBytes, shape, state.Learner.UnrollsPerUpdate);
        var setup = new WorkerSetup(
            random => registry.Create(config.Environment, workers.EnvironmentsPerWorker, random),
            network, shape, config.Seed, learner.Discount, workers.RewardClip, TimeSpan.FromSeconds(workers.CreditTimeoutSeconds));
        return new RunPlan(
            new ReplayOptions(shape, count, workers.Credits, maxBytes), setup,
            [.. Enumerable.Range(0, count).Select(index => new WorkerIdentity(index, state.Epoch))],
            state, config.Frames, CheckpointInterval(config, options), TimeSpan.Zero, writer);
    }

    // A deterministic run counts frames: its checkpoints must not depend on how fast the machine is.
    private static long CheckpointInterval(TrainingConfig config, TrainingRunOptions options) =>
        options.Deterministic && config.Run.CheckpointFrames == 0 ? Math.Max(1, config.Frames / 10) : config.Run.CheckpointFrames;

    private static void CheckCredits(WorkerOptions workers, int count, long maxBytes, UnrollShape shape, int unrollsPerUpdate)
    {
        var credits = new CreditBook(workers.Credits, maxBytes).CreditsFor(shape.ByteCount);
        if (unrollsPerUpdate <= count * credits) return;
        throw new ArgumentException(
            $"An update needs {unrollsPerUpdate} unrolls of {shape.ByteCount / 1e6:0.#} MB, "
            + $"but {count} workers may have {count * credits} in flight: "
            + "raise workers.credits, workers.count or workers.maxMegabytesInFlight, or lower learner.batch.");
    }
}
