using Rl.Distributed.Actors;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Training;

/// <summary>All that the actors of a run need, made before the first of them.</summary>
/// <param name="Config">The run's configuration.</param>
/// <param name="RunId">Tells runs apart; a resumed run keeps it.</param>
/// <param name="Replay">For the replay actor.</param>
/// <param name="Workers">For workers, here and on other nodes.</param>
/// <param name="LocalWorkers">The workers of this process; none where all are elsewhere.</param>
/// <param name="Learner">The learner's state.</param>
/// <param name="CheckpointFrames">A checkpoint each time the frames cross a multiple of this; 0 for none but the last.</param>
/// <param name="Writer">Saves checkpoints.</param>
/// <param name="HasOtherNodes">Its actor system is a node of a cluster.</param>
internal sealed record RunPlan(
    TrainingConfig Config,
    string RunId,
    ReplayOptions Replay,
    WorkerPlan Workers,
    IReadOnlyList<WorkerIdentity> LocalWorkers,
    ImpalaState Learner,
    long CheckpointFrames,
    CheckpointWriter Writer,
    bool HasOtherNodes)
{
    /// <summary>Buffers for weights.</summary>
    public SnapshotPool Snapshots { get; } = new(Learner.Learner.Parameters.Length);

    /// <summary>Parts of an update that may be computed at once.</summary>
    public static int Lanes(TrainingConfig config) =>
        config.Learner.Parallelism == 0 ? Environment.ProcessorCount : config.Learner.Parallelism;

    public static int WorkerCount(TrainingConfig config) => config.Workers.Count == 0 ? Environment.ProcessorCount : config.Workers.Count;

    /// <summary>Makes network, learner and environments' recipe, and takes up the checkpoint, if there is one.</summary>
    /// <exception cref="ArgumentException">The configuration cannot run; the message names what to change.</exception>
    public static RunPlan Create(TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer)
    {
        var workers = WorkerPlan.Create(config);
        var count = options.LocalWorkers ?? WorkerCount(config);
        var state = new ImpalaState(
            new ImpalaLearner(workers.Network, config.Learner, workers.Shape, config.Frames, Lanes(config), runner, config.Seed), workers.Shape);
        if (options.Resume is { } resume)
            state.Resume(resume.Checkpoint, count * config.Workers.EnvironmentsPerWorker, options.UnrollsConsumed, options.LeastEpoch);
        else
            state.Begin(options.LeastEpoch, options.UnrollsConsumed);
        var maxBytes = (long)(config.Workers.MaxMegabytesInFlight * 1e6);
        var plan = new RunPlan(
            config, options.RunId, new ReplayOptions(workers.Shape, count, config.Workers.Credits, maxBytes, options.Endpoint?.Unrolls), workers,
            WorkerPlan.Identities(0, count, state.Epoch), state, CheckpointInterval(config, options), writer, options.Endpoint is not null);
        if (options.Endpoint is null) plan.CheckCredits(count);
        return plan;
    }

    /// <summary>Why that many workers cannot fill a batch; null where they can.</summary>
    public string? Shortage(int workers)
    {
        var (shape, needed) = (Workers.Shape, Learner.Learner.UnrollsPerUpdate);
        var credits = new CreditBook(Replay.CreditsPerWorker, Replay.MaxBytesPerWorker).CreditsFor(shape.ByteCount);
        return needed <= workers * credits
            ? null
            : $"An update needs {needed} unrolls of {shape.ByteCount / 1e6:0.#} MB, but {workers} workers may have {workers * credits} in flight";
    }

    private void CheckCredits(int workers)
    {
        if (Shortage(workers) is { } shortage)
            throw new ArgumentException(
                $"{shortage}: raise workers.credits, workers.count or workers.maxMegabytesInFlight, or lower learner.batch.");
    }

    // A deterministic run counts frames: its checkpoints must not depend on how fast the machine is.
    private static long CheckpointInterval(TrainingConfig config, TrainingRunOptions options) =>
        options.Deterministic && config.Run.CheckpointFrames == 0 ? Math.Max(1, config.Frames / 10) : config.Run.CheckpointFrames;
}
