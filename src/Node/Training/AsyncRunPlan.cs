using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Training;

/// <summary>The plan of a run of asynchronous learners, which share memory or send gradients: A3C, asynchronous Q-learning and Sarsa; and of
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
    private readonly int _threads;

    private AsyncRunPlan(TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer)
        : base(config, options, writer)
    {
        (_runner, _isSynchronous) = (runner, config.Algorithm == "a2c");
        _recipe = new AsyncRecipe(config);
        var initial = new float[_recipe.Network.Layout.Count];
        var random = RandomStream.Create(config.Seed, StreamRole.Initialization);
        _recipe.Network.Initialize(initial, ref random);
        var shared = new SharedParameters(initial, _recipe.Options.Update);
        _state = new AsyncState(config.Algorithm, shared);
        var learners = options.LocalWorkers ?? WorkerCount(config);
        if (learners == 0 && !HasOtherNodes) throw new ArgumentException("workers.count: without workers nothing is learned.");
        if (options.Resume is { } resume)
            _state.Resume(resume.Checkpoint, learners * config.Workers.EnvironmentsPerWorker, options.UnrollsConsumed, options.LeastEpoch);
        else
            _state.Begin(options.LeastEpoch, options.UnrollsConsumed);
        _target = _recipe.CreateTarget(shared);
        _threads = Math.Min(Lanes(config), learners);
        LocalWorkers = WorkerPlan.Identities(0, learners, _state.Epoch);
        // Whatever is wrong with one of them is better known now.
        (KnownEnvironments.All.Create(config.Environment, 1, RandomStream.Create(config.Seed, StreamRole.Environment)) as IDisposable)?.Dispose();
    }

    /// <summary>The state of its learners.</summary>
    public AsyncState State => _state;

    public override IReadOnlyList<WorkerIdentity> LocalWorkers { get; }

    public override BuildFacts Build => _recipe.Build;

    public override int Epoch => _state.Epoch;

    public override int ResumedEpoch => _state.ResumedEpoch;

    private LinearSchedule LearningRate => ActorLearner.Schedule(_recipe.Options, Config.Frames);

    /// <inheritdoc cref="RunPlan.Create"/>
    public static new AsyncRunPlan Create(
        TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer) => new(config, options, runner, writer);

    public override LearnerReport Report() => _state.Report((float)LearningRate.At(_state.Shared.Frames));

    public override RunActors Start(IActorContext context, IActorRef self)
    {
        if (_isSynchronous && HasOtherNodes) return StartSynchronous(context, self);
        // A synchronous update has one owner, whose learners run wherever the runner has threads.
        var groups = WorkerPlan.Identities(0, _isSynchronous ? 1 : _threads, _state.Epoch);
        var gradients = HasOtherNodes ? StartServers(context) : null;
        var setup = new AsyncRunSetup(_state, Create, groups, LearningRate, Config.Frames, CheckpointFrames, Writer, gradients, SegmentsPerTurn);
        return new RunActors(context.ActorOf(Props.Create(() => new AsyncRunActor(setup, self)), "learner"), ActorRefs.Nobody);
    }

    public override bool CopyParameters(Span<float> values, bool isOver)
    {
        _state.Shared.Values.CopyTo(values);
        return true;
    }

    public override string? Shortage(int workers) => workers == 0 ? "There are no workers" : null;

    // Over several nodes all learners send their gradients, those of this process too.
    private RunActors StartSynchronous(IActorContext context, IActorRef self)
    {
        var (server, workers) = new SynchronousNodeWork(Config, _recipe).Lead(context, Learning(), RunId, LocalWorkers, self);
        var setup = new AsyncRunSetup(_state, Create, [], LearningRate, Config.Frames, CheckpointFrames, Writer, server);
        return new RunActors(context.ActorOf(Props.Create(() => new AsyncRunActor(setup, self)), "learner"), workers);
    }

    private GradientIntakeSetup Learning()
    {
        var frames = _recipe.Options.SegmentLength * _recipe.Options.Environments;
        return new GradientIntakeSetup(_state.Shared, _state.Gradients, _target, LearningRate, frames, _state.Epoch);
    }

    // What other nodes talk to.
    private IActorRef StartServers(IActorContext context)
    {
        var (options, workers) = (Config.ParameterServer, Config.Workers);
        var parameters = context.ActorOf(Props.Create(() => new ParameterServerActor(options)), RunCoordinator.ServerName);
        var targets = _target is null
            ? ActorRefs.Nobody
            : context.ActorOf(Props.Create(() => new ParameterServerActor(options)), RunCoordinator.TargetsName);
        var learning = Learning();
        var bytes = _state.Shared.Count * (double)GradientEncodings.BytesPerValue(options.GradientEncoding);
        var credits = (int)Math.Clamp(workers.MaxMegabytesInFlight * 1e6 / bytes, 1, workers.Credits);
        var setup = new GradientServerSetup(
            new GradientIntake(learning), learning, parameters, targets, RunId, credits, Config.Frames,
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
