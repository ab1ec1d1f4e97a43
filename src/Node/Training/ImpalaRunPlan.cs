using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Training;

/// <summary>The plan of a run of IMPALA.</summary>
internal sealed class ImpalaRunPlan : RunPlan
{
    /// <summary>What helps where there are too few workers, and no other nodes that could bring more.</summary>
    public const string Cure = "raise workers.credits, workers.count or workers.maxMegabytesInFlight, or lower learner.batch.";

    private readonly WorkerPlan _workers;
    private readonly ReplayOptions _replay;
    private readonly SnapshotPool _snapshots;
    private readonly ParameterCell _newest = new();

    private ImpalaRunPlan(TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer)
        : base(config, options, writer)
    {
        var learner = (ImpalaOptions)config.Learner;
        _workers = WorkerPlan.Create(config);
        var count = options.LocalWorkers ?? WorkerCount(config);
        State = new ImpalaState(
            new ImpalaLearner(_workers.Network, learner, _workers.Shape, config.Frames, Lanes(config), runner, config.Seed), _workers.Shape);
        if (options.Resume is { } resume)
            State.Resume(resume.Checkpoint, count * config.Workers.EnvironmentsPerWorker, options.UnrollsConsumed, options.LeastEpoch);
        else
            State.Begin(options.LeastEpoch, options.UnrollsConsumed);
        _replay = new ReplayOptions(
            _workers.Shape, count, config.Workers.Credits, MaxBytesPerWorker(config), options.Endpoint?.Unrolls);
        _snapshots = new SnapshotPool(State.Learner.Parameters.Length);
        LocalWorkers = WorkerPlan.Identities(0, count, State.Epoch);
        if (!HasOtherNodes && Shortage(config, _workers.Shape, count) is { } shortage) throw new ArgumentException($"{shortage}: {Cure}");
    }

    /// <summary>The learner's state.</summary>
    public ImpalaState State { get; }

    public override IReadOnlyList<WorkerIdentity> LocalWorkers { get; }

    public override BuildFacts Build => _workers.Build;

    public override int Epoch => State.Epoch;

    public override int ResumedEpoch => State.ResumedEpoch;

    public override LearnerReport Report() => State.Report();

    /// <inheritdoc cref="RunPlan.Create"/>
    public static new ImpalaRunPlan Create(
        TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer) => new(config, options, runner, writer);

    public override RunActors Start(IActorContext context, IActorRef self)
    {
        IActorRef workers = ActorRefs.Nobody;
        var replay = context.ActorOf(Props.Create(() => new ReplayActor(_replay)), RunCoordinator.ReplayName);
        var server = context.ActorOf(Props.Create(() => new ParameterServerActor(Config.ParameterServer)), RunCoordinator.ServerName);
        var setup = new ImpalaLearnerSetup(replay, server, self, Config.Frames, CheckpointFrames, Writer);
        var learner = context.ActorOf(
            Props.Create(() => new ImpalaLearnerActor(setup, State, _snapshots)).WithDispatcher(RunCoordinator.LearnerDispatcher), "learner");
        if (LocalWorkers.Count == 0 && Config.Run.EvaluateEpisodes == 0) return new RunActors(learner, workers);
        var cache = context.ActorOf(Props.Create(() => new ParameterCacheActor(server, _newest, _snapshots)), "parameter-cache");
        if (LocalWorkers.Count > 0)
        {
            Func<WorkerIdentity, Props> worker = identity => Props.Create(
                () => new EnvironmentWorker(_workers.Setup, identity, replay, cache, _newest, self));
            workers = context.ActorOf(Props.Create(() => new WorkerPool(worker, LocalWorkers)), "workers");
        }
        return new RunActors(learner, workers);
    }

    public override bool CopyParameters(Span<float> values, bool isOver)
    {
        if (isOver)
        {
            State.Learner.Parameters.CopyTo(values);
            return true;
        }
        if (_newest.Acquire() is not { } newest) return false;
        newest.Values.CopyTo(values);
        newest.Release();
        return true;
    }

    public override string? Shortage(int workers) => Shortage(Config, _workers.Shape, workers);

    /// <summary>Why that many workers can never fill a batch; null where they can.</summary>
    public static string? Shortage(TrainingConfig config, UnrollShape shape, int workers)
    {
        var needed = ((ImpalaOptions)config.Learner).Batch / shape.Environments;
        var credits = new CreditBook(config.Workers.Credits, MaxBytesPerWorker(config)).CreditsFor(shape.ByteCount);
        return needed <= workers * credits ? null
            : workers == 0 ? "There are no workers"
            : $"An update needs {needed} unrolls of {shape.ByteCount / 1e3:0.#} KB, but {workers} workers may have {workers * credits} in flight";
    }

    private static long MaxBytesPerWorker(TrainingConfig config) => (long)(config.Workers.MaxMegabytesInFlight * 1e6);
}
