using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Clustering;

namespace Rl.Distributed.Node.Training;

/// <summary>The actors of a run in its own process.</summary>
/// <param name="Learner">Owns the weights; takes <see cref="SaveCheckpoint"/>, <see cref="StopTraining"/>, <see cref="WorkersReturned"/>.</param>
/// <param name="Workers">The pool of this process's workers; nobody where all are elsewhere.</param>
internal sealed record RunActors(IActorRef Learner, IActorRef Workers);

/// <summary>All that the actors of a run need, made before the first of them. Each algorithm has its own.</summary>
/// <param name="config">The run's configuration.</param>
/// <param name="options">What it needs beside that.</param>
/// <param name="writer">Saves checkpoints.</param>
internal abstract class RunPlan(TrainingConfig config, TrainingRunOptions options, CheckpointWriter writer)
{
    public TrainingConfig Config => config;

    /// <summary>Tells runs apart; a resumed run keeps it.</summary>
    public string RunId => options.RunId;

    /// <summary>Its actor system is a node of a cluster.</summary>
    public bool HasOtherNodes => options.Endpoint is not null;

    /// <summary>A checkpoint each time the frames cross a multiple of this; 0 for none but the last.</summary>
    /// <remarks>A deterministic run counts frames: its checkpoints must not depend on how fast the machine is.</remarks>
    public long CheckpointFrames =>
        options.Deterministic && config.Run.CheckpointFrames == 0 ? Math.Max(1, config.Frames / 10) : config.Run.CheckpointFrames;

    /// <summary>The workers of this process; none where all are elsewhere.</summary>
    public abstract IReadOnlyList<WorkerIdentity> LocalWorkers { get; }

    /// <summary>What another node's program must agree on.</summary>
    public abstract BuildFacts Build { get; }

    /// <summary>Its parameters are in shards, which other nodes may have.</summary>
    public virtual bool HasShards => false;

    /// <summary>How often the run was resumed.</summary>
    public abstract int Epoch { get; }

    /// <summary>The epoch of the checkpoint that it was resumed from.</summary>
    public abstract int ResumedEpoch { get; }

    protected CheckpointWriter Writer => writer;

    protected int SegmentsPerTurn => options.SegmentsPerTurn;

    /// <summary>Where training is now.</summary>
    public abstract LearnerReport Report();

    /// <summary>Starts the actors below the given one, which gets their reports.</summary>
    public abstract RunActors Start(IActorContext context, IActorRef self);

    /// <summary>Copies the newest parameters there are outside of the learner, whole, without making it wait; any thread may call it.</summary>
    /// <param name="values">As many as the network's layout has.</param>
    /// <param name="isOver">Training has ended: they are the last.</param>
    /// <returns>False where none are out yet, or new ones only at the end.</returns>
    public abstract bool CopyParameters(Span<float> values, bool isOver);

    /// <summary>Why that many workers are too few; null where they are not.</summary>
    public abstract string? Shortage(int workers);

    /// <summary>Parts of an update that may be computed at once.</summary>
    public static int Lanes(TrainingConfig config) =>
        config.Learner.Parallelism == 0 ? Environment.ProcessorCount : config.Learner.Parallelism;

    public static int WorkerCount(TrainingConfig config) => config.Workers.Count == 0 ? Environment.ProcessorCount : config.Workers.Count;

    /// <summary>Makes network, learner and environments' recipe, and takes up the checkpoint, if there is one.</summary>
    /// <exception cref="ArgumentException">The configuration cannot run; the message names what to change.</exception>
    public static RunPlan Create(TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer) =>
        Algorithms.Find(config.Algorithm).Plan(config, options, runner, writer);
}
