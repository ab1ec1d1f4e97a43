using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Training;

/// <summary>The plan of a run of asynchronous learners, which share memory or send gradients: A3C, asynchronous Q-learning and Sarsa, Gorila; and of
/// A2C, its synchronous form.</summary>
/// <remarks>workers.count logical learners take turns on learner.parallelism threads: what decorrelates experience is their number, not the
/// cores'. Learners of other nodes come on top.</remarks>
internal sealed class AsyncRunPlan : RunPlan
{
    private readonly AsyncRecipe _recipe;
    private readonly AsyncState _state;
    private readonly IParallelRunner _runner;
    private readonly TargetParameters? _target;
    private readonly bool _isSynchronous;
    private readonly int _threads, _localShards;
    private readonly UnrollPool? _wirePool;

    private AsyncRunPlan(TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer)
        : base(config, options, writer)
    {
        (_runner, _isSynchronous, _wirePool) = (runner, config.Algorithm == "a2c", options.Endpoint?.Unrolls);
        _recipe = new AsyncRecipe(config);
        var initial = new float[_recipe.Network.Layout.Count];
        var random = RandomStream.Create(config.Seed, StreamRole.Initialization);
        _recipe.Network.Initialize(initial, ref random);
        var shared = new SharedParameters(initial, _recipe.Options.Update);
        _localShards = LocalShards(config, options, shared.Count);
        _state = new AsyncState(config.Algorithm, shared, config.ParameterServer.Shards);
        var learners = options.LocalWorkers ?? WorkerCount(config);
        _recipe.CheckReplay(learners);
        if (learners == 0 && !HasOtherNodes) throw new ArgumentException("workers.count: without workers nothing is learned.");
        if (options.Resume is { } resume)
        {
            _state.Resume(resume.Checkpoint, learners * config.Workers.EnvironmentsPerWorker, options.UnrollsConsumed, options.LeastEpoch);
            LogReplayLost(options.Logger, learners);
        }
        else
            _state.Begin(options.LeastEpoch, options.UnrollsConsumed);
        _target = _recipe.CreateTarget(shared);
        _threads = Math.Min(Lanes(config), learners);
        LocalWorkers = WorkerPlan.Identities(0, learners, _state.Epoch);
        // Whatever is wrong with one of them is better known now.
        (KnownEnvironments.All.Create(config.Environment, 1, RandomStream.Create(config.Seed, StreamRole.Environment)) as IDisposable)?.Dispose();
    }

    public override bool HasShards => _state.Shards is not null;

    /// <summary>The state of its learners.</summary>
    public AsyncState State => _state;

    public override IReadOnlyList<WorkerIdentity> LocalWorkers { get; }

    public override BuildFacts Build => _recipe.Build;

    public override int Epoch => _state.Epoch;

    public override int ResumedEpoch => _state.ResumedEpoch;

    private int FramesPerGradient => _recipe.Options.SegmentLength * _recipe.Options.Environments;

    /// <summary>Gradients that a learner may have on their way.</summary>
    private int Credits
    {
        get
        {
            var bytes = _state.Shared.Count * (double)GradientEncodings.BytesPerValue(Config.ParameterServer.GradientEncoding);
            return (int)Math.Clamp(Config.Workers.MaxMegabytesInFlight * 1e6 / bytes, 1, Config.Workers.Credits);
        }
    }

    private LinearSchedule LearningRate => ActorLearner.Schedule(_recipe.Options, Config.Frames);

    /// <inheritdoc cref="RunPlan.Create"/>
    public static new AsyncRunPlan Create(
        TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer) => new(config, options, runner, writer);

    public override LearnerReport Report() => _state.Report((float)LearningRate.At(_state.Frames));

    public override RunActors Start(IActorContext context, IActorRef self)
    {
        if (HasOtherNodes) StartReplay(context);
        if (_isSynchronous && HasOtherNodes) return StartSynchronous(context, self);
        if (HasShards) return StartSharded(context, self);
        // A synchronous update has one owner, whose learners run wherever the runner has threads.
        var groups = WorkerPlan.Identities(0, _isSynchronous ? 1 : _threads, _state.Epoch);
        var gradients = HasOtherNodes ? StartServers(context) : null;
        var setup = new AsyncRunSetup(_state, Create, groups, LearningRate, Config.Frames, CheckpointFrames, Writer, gradients, SegmentsPerTurn);
        return new RunActors(context.ActorOf(Props.Create(() => new AsyncRunActor(setup, self)), RunCoordinator.LearnerName), ActorRefs.Nobody);
    }

    // Learners of this process send gradients as all others do.
    private RunActors StartSharded(IActorContext context, IActorRef self)
    {
        var refresh = _recipe.TargetRefresh;
        var learning = new ShardLearning(
            _recipe.Options.Update, LearningRate, FramesPerGradient, refresh.Interval, refresh.Clock, Config.Frames, Credits)
        {
            MaxGradientNorm = _recipe.Options.MaxGradientNorm,
        };
        var setup = new ShardedRunSetup(_state, RunId, learning, Config.ParameterServer, LearningRate, CheckpointFrames, Writer);
        var owner = context.ActorOf(Props.Create(() => new ShardedRunActor(setup, self)), RunCoordinator.LearnerName);
        if (_localShards > 0)
            owner.Tell(
                new OfferShards(_localShards),
                context.ActorOf(Props.Create(() => new ShardHostActor(RunCoordinator.LearnerDispatcher, _localShards)), "shards"));
        if (LocalWorkers.Count == 0) return new RunActors(owner, ActorRefs.Nobody);
        var team = new LearnerTeam(Config, _recipe, RunId, owner, LocalWorkers, self);
        return new RunActors(owner, team.Start(context, generation: 0).Pool);
    }

    private static int LocalShards(TrainingConfig config, TrainingRunOptions options, int parameters)
    {
        var (shards, isAlone) = (config.ParameterServer.Shards, options.Endpoint is null);
        if (shards > parameters)
            throw new ArgumentException($"parameterServer.shards: {shards} shards of {parameters} parameters: each needs one at least.");
        var room = options.LocalShards ?? (isAlone ? shards : 0);
        if (shards == 0 && room > 0)
            throw new ArgumentException($"--shards {room}: this run has no shards. --set parameterServer.shards={room} splits its parameters.");
        if (isAlone && room < shards)
            throw new ArgumentException($"--shards {room}: the run has {shards} shards (parameterServer.shards) and no other nodes: leave --shards out.");
        return room;
    }

    // Of shards those of the checkpoints are here, old ones until the end.
    public override bool CopyParameters(Span<float> values, bool isOver)
    {
        if (HasShards && !isOver) return false;
        _state.Shared.Values.CopyTo(values);
        return true;
    }

    public override string? Shortage(int workers) => workers == 0 ? "There are no workers" : null;

    private void LogReplayLost(Serilog.ILogger logger, int learners)
    {
        if (_recipe.Options is not GorilaOptions gorila) return;
        logger.Information(
            "Replay memories are not in checkpoints: up to {Lost:N0} steps are lost, and learning waits until a memory has {Start:N0}",
            Math.Min(_state.Frames, (long)gorila.ReplayCapacity * (_recipe.IsReplayShared ? 1 : learners)), gorila.ReplayStart);
    }

    // Over several nodes all learners send their gradients, those of this process too.
    private RunActors StartSynchronous(IActorContext context, IActorRef self)
    {
        var (server, workers) = new SynchronousNodeWork(Config, _recipe).Lead(context, Learning(), RunId, LocalWorkers, self);
        var setup = new AsyncRunSetup(_state, Create, [], LearningRate, Config.Frames, CheckpointFrames, Writer, server);
        return new RunActors(context.ActorOf(Props.Create(() => new AsyncRunActor(setup, self)), RunCoordinator.LearnerName), workers);
    }

    private GradientIntakeSetup Learning() =>
        new(_state.Shared, _state.Gradients, _target, LearningRate, FramesPerGradient, _state.Epoch) { MaxGradientNorm = _recipe.Options.MaxGradientNorm };

    // All learners' memory, for those of other nodes.
    private void StartReplay(IActorContext context)
    {
        if (_recipe is not { IsReplayShared: true, Options: GorilaOptions gorila }) return;
        var workers = Config.Workers;
        var setup = new TransitionReplaySetup(
            _recipe.SharedReplay(), _recipe.Segment, gorila.BatchSize, gorila.ReplayStart, workers.Credits,
            (long)(workers.MaxMegabytesInFlight * 1e6), Config.Seed, _wirePool);
        context.ActorOf(Props.Create(() => new TransitionReplayActor(setup)), RunCoordinator.ReplayName);
    }

    // What other nodes talk to.
    private IActorRef StartServers(IActorContext context)
    {
        var options = Config.ParameterServer;
        var parameters = context.ActorOf(Props.Create(() => new ParameterServerActor(options)), RunCoordinator.ServerName);
        var targets = _target is null
            ? ActorRefs.Nobody
            : context.ActorOf(Props.Create(() => new ParameterServerActor(options)), RunCoordinator.TargetsName);
        var learning = Learning();
        var setup = new GradientServerSetup(
            new GradientIntake(learning), learning, parameters, targets, RunId, Credits, Config.Frames,
            TimeSpan.FromMilliseconds(options.PublishMilliseconds));
        return context.ActorOf(
            Props.Create(() => new GradientServerActor(setup)).WithDispatcher(RunCoordinator.LearnerDispatcher), RunCoordinator.GradientsName);
    }

    private IAsyncLearners Create(int group, int incarnation)
    {
        if (!_isSynchronous) return CreateGroup(group, incarnation);
        var groups = new List<LearnerGroup>(_threads);
        try
        {
            while (groups.Count < _threads) groups.Add(CreateGroup(groups.Count, incarnation));
            return new A2cUpdate([.. groups], _recipe.Options, _state.Shared, Config.Frames, _runner);
        }
        catch
        {
            foreach (var made in groups) made.Dispose();
            throw;
        }
    }

    // Learner i belongs to thread i mod threads.
    private LearnerGroup CreateGroup(int group, int incarnation)
    {
        var (local, log) = (_state.Shared.CreateLocal(), new LearnerLog());
        var create = _recipe.ForThread();
        var learners = new List<ActorLearner>();
        try
        {
            for (var i = group; i < LocalWorkers.Count; i += _threads)
                learners.Add(create(new LearnerPlace(i, incarnation, Config.Seed, Config.Frames, _state.Shared, local, log), _target));
        }
        catch
        {
            foreach (var learner in learners) learner.Dispose();
            throw;
        }
        return new LearnerGroup([.. learners], log);
    }
}
