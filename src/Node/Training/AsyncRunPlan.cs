using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Commands;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Training;

/// <summary>The plan of a run of learners that share memory: A3C, A2C, asynchronous Q-learning and Sarsa.</summary>
/// <remarks>workers.count logical learners take turns on learner.parallelism threads: what decorrelates experience is their number, not the
/// cores'.</remarks>
internal sealed class AsyncRunPlan : RunPlan
{
    private readonly AgentNetwork _network;
    private readonly AsyncLearnerOptions _options;
    private readonly AsyncState _state;
    private readonly IParallelRunner _runner;
    private readonly TargetParameters? _target;
    private readonly bool _isSynchronous;
    private readonly int _threads;

    private AsyncRunPlan(TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer)
        : base(config, options, writer)
    {
        if (HasOtherNodes)
            throw new ArgumentException(
                $"algorithm: the learners of {config.Algorithm} share the memory of one process. Leave --listen and --join out, or choose impala.");
        var workers = config.Workers;
        _runner = runner;
        _options = ((AsyncLearnerOptions)config.Learner) with
        {
            SegmentLength = workers.UnrollLength,
            Environments = workers.EnvironmentsPerWorker,
            RewardScale = workers.RewardScale,
            RewardClip = workers.RewardClip,
        };
        if (_options is AsyncQOptions values) _options = values with { Method = MethodOf(config.Algorithm) };
        _isSynchronous = config.Algorithm == "a2c";
        var environment = KnownEnvironments.All.Spec(config.Environment);
        _network = Algorithms.Find(config.Algorithm).CreateNetwork(config.Network, environment);
        var initial = new float[_network.Layout.Count];
        var random = RandomStream.Create(config.Seed, StreamRole.Initialization);
        _network.Initialize(initial, ref random);
        var shared = new SharedParameters(initial, _options.Update);
        _state = new AsyncState(config.Algorithm, shared);
        var learners = options.LocalWorkers ?? WorkerCount(config);
        if (learners == 0) throw new ArgumentException("workers.count: without workers nothing is learned.");
        if (options.Resume is { } resume) _state.Resume(resume.Checkpoint, learners * workers.EnvironmentsPerWorker, options.LeastEpoch);
        else _state.Begin(options.LeastEpoch);
        _target = _options is AsyncQOptions q ? new TargetParameters(shared, q.TargetInterval) : null;
        _threads = Math.Min(Lanes(config), learners);
        LocalWorkers = WorkerPlan.Identities(0, learners, _state.Epoch);
        Build = new BuildFacts(CommandLine.Version, _network.Layout.Count, 0, KnownEnvironments.All.Describe(config.Environment.Name).Identity);
        // Whatever is wrong with one of them is better known now.
        (KnownEnvironments.All.Create(config.Environment, 1, RandomStream.Create(config.Seed, StreamRole.Environment)) as IDisposable)?.Dispose();
    }

    public override IReadOnlyList<WorkerIdentity> LocalWorkers { get; }

    public override BuildFacts Build { get; }

    public override int Epoch => _state.Epoch;

    public override int ResumedEpoch => _state.ResumedEpoch;

    private LinearSchedule LearningRate => ActorLearner.Schedule(_options, Config.Frames);

    /// <inheritdoc cref="RunPlan.Create"/>
    public static new AsyncRunPlan Create(
        TrainingConfig config, TrainingRunOptions options, IParallelRunner runner, CheckpointWriter writer) => new(config, options, runner, writer);

    public override LearnerReport Report() => _state.Report((float)LearningRate.At(_state.Shared.Frames));

    public override RunActors Start(IActorContext context, IActorRef self)
    {
        // A synchronous update has one owner, whose learners run wherever the runner has threads.
        var groups = WorkerPlan.Identities(0, _isSynchronous ? 1 : _threads, _state.Epoch);
        var setup = new AsyncRunSetup(_state, Create, groups, LearningRate, Config.Frames, CheckpointFrames, Writer);
        return new RunActors(context.ActorOf(Props.Create(() => new AsyncRunActor(setup, self)), "learner"), ActorRefs.Nobody);
    }

    public override string? Shortage(int workers) => workers == 0 ? "There are no workers" : null;

    private IAsyncLearners Create(int group, int incarnation)
    {
        if (!_isSynchronous) return CreateGroup(group, incarnation);
        var groups = new List<LearnerGroup>(_threads);
        try
        {
            while (groups.Count < _threads) groups.Add(CreateGroup(groups.Count, incarnation));
            return new A2cUpdate([.. groups], _options, _state.Shared, Config.Frames, _runner);
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
        var policy = _options is A3cOptions a3c ? new A3cMemory((PolicyValueNetwork)_network, a3c) : null;
        var values = _options is AsyncQOptions q ? new AsyncQMemory((ActionValueNetwork)_network, q) : null;
        var learners = new List<ActorLearner>();
        // Environments that no learner owns yet.
        IEnvironmentBatch? environments = null;
        try
        {
            for (var i = group; i < LocalWorkers.Count; i += _threads)
            {
                var place = new LearnerPlace(i, incarnation, Config.Seed, Config.Frames, _state.Shared, local, log);
                environments = KnownEnvironments.All.Create(Config.Environment, _options.Environments, place.Stream(StreamRole.Environment));
                learners.Add(policy is not null
                    ? new A3cLearner(place, policy, environments)
                    : new AsyncQLearner(place, values!, _target!, environments));
                environments = null;
            }
        }
        catch
        {
            (environments as IDisposable)?.Dispose();
            foreach (var learner in learners) learner.Dispose();
            throw;
        }
        return new LearnerGroup([.. learners], log);
    }

    private static ActionValueMethod MethodOf(string algorithm) => algorithm switch
    {
        "async-q" => ActionValueMethod.OneStepQ,
        "async-nstep-q" => ActionValueMethod.NStepQ,
        _ => ActionValueMethod.Sarsa,
    };
}
