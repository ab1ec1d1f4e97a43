using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Commands;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Training;

/// <summary>How the learners of A3C, A2C, asynchronous Q-learning and Sarsa, and Gorila are made, on whichever node they run.</summary>
internal sealed class AsyncRecipe
{
    private readonly TrainingConfig _config;
    private readonly EnvironmentRegistry _environments;
    private readonly Lock _lock = new();
    private TransitionMemory? _replay;

    /// <param name="config">The run's configuration.</param>
    /// <param name="environments">Those that it may name; null for all that this process knows.</param>
    /// <exception cref="ArgumentException">The configuration cannot run; the message names what to change.</exception>
    public AsyncRecipe(TrainingConfig config, EnvironmentRegistry? environments = null)
    {
        (_config, _environments) = (config, environments ?? KnownEnvironments.All);
        var workers = config.Workers;
        Options = ((AsyncLearnerOptions)config.Learner) with
        {
            SegmentLength = workers.UnrollLength,
            Environments = workers.EnvironmentsPerWorker,
            RewardScale = workers.RewardScale,
            RewardClip = workers.RewardClip,
        };
        if (Options is AsyncQOptions values) Options = values with { Method = MethodOf(config.Algorithm) };
        Network = Algorithms.Find(config.Algorithm).CreateNetwork(config.Network, _environments.Spec(config.Environment));
        Build = new BuildFacts(CommandLine.Version, Network.Layout.Count, 0, _environments.Describe(config.Environment.Name).Identity);
    }

    public AsyncLearnerOptions Options { get; }

    public AgentNetwork Network { get; }

    /// <summary>What another node's program must agree on.</summary>
    public BuildFacts Build { get; }

    /// <summary>The algorithm has target parameters.</summary>
    public bool HasTarget => TargetRefresh.Interval > 0;

    /// <summary>When θ⁻ is refreshed; an interval of 0 where the algorithm has none.</summary>
    public (long Interval, TargetClock Clock) TargetRefresh => Options switch
    {
        AsyncQOptions q => (q.TargetInterval, TargetClock.Frames),
        GorilaOptions gorila => (gorila.TargetInterval, TargetClock.Updates),
        _ => default,
    };

    /// <summary>θ⁻; null where the algorithm has none.</summary>
    public TargetParameters? CreateTarget(SharedParameters shared) =>
        HasTarget ? new TargetParameters(shared, TargetRefresh.Interval, TargetRefresh.Clock) : null;

    /// <summary>Checks that the replay memories of so many learners of this process can be had, before any of them is made.</summary>
    /// <param name="learners">Learners.</param>
    /// <param name="available">Bytes that this process may use; null asks the runtime.</param>
    /// <exception cref="ArgumentException">They cannot.</exception>
    public void CheckReplay(int learners, long? available = null)
    {
        if (Options is not GorilaOptions gorila) return;
        var memories = IsReplayShared ? 1 : learners;
        var bytes = memories * (double)TransitionMemory.BytesFor(Network.Observation, gorila.ReplayCapacity);
        var most = available ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (bytes <= most) return;
        throw new ArgumentException(
            $"learner.replayCapacity: {memories} {(memories == 1 ? "memory" : "memories")} of {gorila.ReplayCapacity:N0} steps, "
            + $"{TransitionMemory.BytesFor(Network.Observation, 1)} bytes each, {(memories == 1 ? "takes" : "take")} {bytes / 1e9:N1} GB, and there are {most / 1e9:N1} GB here. "
            + $"{(memories == 1 ? "Lower it." : "Lower it or workers.count, or choose learner.replay=global.")}");
    }

    /// <summary>All learners have one replay memory, in the process that leads.</summary>
    public bool IsReplayShared => Options is GorilaOptions { Replay: ReplayScope.Global };

    /// <summary>Segments on their way to that memory.</summary>
    public UnrollShape Segment => new(Options.SegmentLength, Options.Environments, Network.Observation, Network.Actions);

    /// <summary>That memory. Threads may begin at once.</summary>
    public TransitionMemory SharedReplay()
    {
        lock (_lock) return _replay ??= new TransitionMemory(Network.Observation, ((GorilaOptions)Options).ReplayCapacity);
    }

    /// <summary>What makes the learners of one thread, which take turns in the same memory.</summary>
    /// <param name="replay">Gives a learner its way to the memory of all learners, where that is on another node.</param>
    public Func<LearnerPlace, ITargetParameters?, ActorLearner> ForThread(Func<LearnerPlace, IReplayAccess>? replay = null)
    {
        if (Options is AsyncQOptions q)
        {
            var values = new AsyncQMemory((ActionValueNetwork)Network, q);
            return (place, target) => Create(place, environments => new AsyncQLearner(place, values, target!, environments));
        }
        if (Options is GorilaOptions gorila)
        {
            var memory = new GorilaMemory((ActionValueNetwork)Network, gorila);
            return (place, target) => Create(place, environments => new GorilaLearner(
                place, memory, target!, replay?.Invoke(place) ?? ReplayHere(place, gorila), environments));
        }
        var policy = new A3cMemory((PolicyValueNetwork)Network, (A3cOptions)Options);
        return (place, _) => Create(place, environments => new A3cLearner(place, policy, environments));
    }

    private ReplayHere ReplayHere(LearnerPlace place, GorilaOptions options) => new(
        IsReplayShared ? SharedReplay() : new TransitionMemory(Network.Observation, options.ReplayCapacity), options.Environments,
        options.ReplayStart, place.Stream(StreamRole.Replay));

    private ActorLearner Create(LearnerPlace place, Func<IEnvironmentBatch, ActorLearner> create)
    {
        var environments = _environments.Create(_config.Environment, Options.Environments, place.Stream(StreamRole.Environment));
        try
        {
            return create(environments);
        }
        catch
        {
            (environments as IDisposable)?.Dispose();
            throw;
        }
    }

    private static ActionValueMethod MethodOf(string algorithm) => algorithm switch
    {
        "async-q" => ActionValueMethod.OneStepQ,
        "async-nstep-q" => ActionValueMethod.NStepQ,
        _ => ActionValueMethod.Sarsa,
    };
}
