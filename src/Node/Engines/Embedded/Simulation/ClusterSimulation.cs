using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Training;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Node.Engines;

/// <summary>A whole cluster on one thread: a node that leads a run, and nodes that act for it, with whatever goes wrong between
/// them.</summary>
/// <remarks>All that happens is a function of the request. One simulation is of one thread; several may run at once.</remarks>
internal sealed class ClusterSimulation
{
    /// <summary>Where the leading node is.</summary>
    public const string LeaderHost = "10.0.0.1";

    private const int Port = 4053, MostLeaderWorkers = 2;
    private const long Endless = 1_000_000_000;

    private static readonly TimeSpan MostLatency = TimeSpan.FromMilliseconds(20);

    // Actors that compute never run out of messages: time passes with each of them.
    private static readonly TimeSpan MessageCost = TimeSpan.FromMicroseconds(500);

    // A cluster that nothing is wrong with makes progress, with all of its nodes, and agrees within this. The longest that may take: a
    // silence (3 s), a lost authority (2 s), a pause before a new system (5 s), a cluster's founding (1.5 s), credits that are given up.
    private static readonly TimeSpan StandstillLimit = TimeSpan.FromSeconds(20), EndLimit = TimeSpan.FromSeconds(20),
        TimeLimit = TimeSpan.FromHours(10);

    private readonly SimulationRequest _request;
    private readonly CancellationToken _cancellationToken;
    private readonly EmbeddedEngine.Simulation _simulation;
    private readonly FaultInjector? _faults;
    private readonly List<SimulatedActorProcess> _actors = [];
    private readonly Dictionary<string, WorkAssigned> _work = [];
    private readonly Dictionary<(string Node, int Worker), TimeSpan> _workedAt = [];
    private readonly HashSet<(ActorSystem System, ActorPath Path)> _workers = [];
    private readonly bool _untilCalm;
    private int _stoppedStart;
    private TimeSpan _progressAt, _longestPause;
    private long _updates = -1;
    private string? _violation;

    /// <param name="request">What to simulate.</param>
    /// <param name="trace">Gets everything that happens; null: nobody wants it.</param>
    /// <param name="cancellationToken">Ends it at once.</param>
    /// <exception cref="ArgumentException">The configuration cannot run; the message names what to change.</exception>
    public ClusterSimulation(SimulationRequest request, TextWriter? trace = null, CancellationToken cancellationToken = default)
    {
        if (request.Config.ParameterServer.Shards > 0)
            throw new ArgumentException("parameterServer.shards: a run in shards is not simulated here. Set it to 0.");
        // The number of lanes is part of the result, and must not be the machine's.
        var learner = request.Config.Learner with { Parallelism = Math.Max(1, request.Config.Learner.Parallelism) };
        _cancellationToken = cancellationToken;
        _request = request with { Config = request.Config with { Learner = learner } };
        var seed = _request.Config.Seed;
        _simulation = EmbeddedEngine.Simulate(seed);
        _simulation.MessageCost = MessageCost;
        Timeline = new Timeline(_simulation, trace);
        _simulation.Watcher = Watch;
        var random = RandomStream.Create(seed, StreamRole.Scheduler, index: 1);
        Network.MaxLatency = Network.MinLatency + (MostLatency * random.NextDouble() * random.NextDouble());
        // Half of the runs with faults end whatever is wrong then, the others when all nodes work again.
        _untilCalm = request.Faults && random.NextInt32(2) == 0;
        var frames = request.Config.Frames;
        Invariants = InvariantsOf(_request.Config, _untilCalm ? Endless : frames);
        Leader = new SimulatedLeader(
            _simulation, new HostPort(LeaderHost, Port), _request.Config with { Frames = _untilCalm ? Endless : frames }, frames,
            random.NextInt32(MostLeaderWorkers + 1), Invariants, Timeline, RandomStream.Create(seed, StreamRole.Scheduler));
        _faults = request.Faults ? new FaultInjector(this, random) : null;
    }

    public Timeline Timeline { get; }

    public RunInvariants Invariants { get; }

    public SimulatedLeader Leader { get; }

    public IReadOnlyList<SimulatedActorProcess> Actors => _actors;

    public EmbeddedEngine.SimulatedNetwork Network => _simulation.Network;

    /// <summary>The systems that run now, the leading node's first.</summary>
    public IEnumerable<ActorSystem> Systems
    {
        get
        {
            if (Leader.System is { } leader) yield return leader;
            foreach (var process in _actors)
                if (process.System is { } system) yield return system;
        }
    }

    /// <summary>The workers that have worked in systems which run, in an order that repeats.</summary>
    public IReadOnlyList<(ActorSystem System, ActorPath Path)> Workers =>
        [.. Systems.SelectMany(system => _workers.Where(worker => worker.System == system))];

    /// <summary>Runs it, once.</summary>
    public SimulationReport Run()
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null); // so that what is awaited goes on here, at once
        try
        {
            return RunHere();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>Does something later, in virtual time.</summary>
    public void After(TimeSpan delay, Action action) =>
        _simulation.TimeProvider.CreateTimer(_ => action(), null, delay, Timeout.InfiniteTimeSpan);

    /// <summary>One more machine for a node that acts; nothing runs on it yet.</summary>
    public SimulatedActorProcess AddNode()
    {
        var host = $"10.0.0.{_actors.Count + 2}";
        var process = new SimulatedActorProcess(
            _simulation, new HostPort(host, Port), new HostPort(LeaderHost, Port), RunPlan.WorkerCount(_request.Config),
            Timeline.LoggerOf(host), Invariants.ProcessStarted);
        _actors.Add(process);
        return process;
    }

    public string NameOf(ActorSystem system) => Cluster.Get(system).SelfAddress.Host;

    private SimulationReport RunHere()
    {
        After(TimeSpan.Zero, Leader.Start);
        for (var i = 0; i < _request.Nodes; i++)
        {
            var process = AddNode();
            After(TimeSpan.FromMilliseconds(50 * i), process.Start);
        }
        _faults?.Start();
        if (!_simulation.RunUntil(() => Check() || (Leader.Result is not null && _faults?.AreOver != false), TimeLimit))
            Violate($"The run reaches its end: it has not within {TimeLimit.TotalHours} h: {Views()}");
        if (_violation is null) End();
        return Report();
    }

    // With the run the leading process ends. Those that act would look for the next one.
    private void End()
    {
        if (!_simulation.RunUntil(() => Check() || Agree(), EndLimit))
            Violate($"Live nodes agree on the members: they do not, {EndLimit.TotalSeconds} s after the end: {Views()}");
        Invariants.Ended();
        if (_violation is not null) return;
        Leader.End();
        foreach (var process in _actors) _ = process.LeaveAsync();
        if (!_simulation.RunUntil(() => Check() || (_actors.All(process => process.HasEnded) && !Systems.Any()), EndLimit))
            Violate($"Nodes end when they are asked to: these did not: {string.Join(", ", Unended())}");
    }

    private IEnumerable<string> Unended() =>
        Systems.Select(NameOf).Union(_actors.Where(process => !process.HasEnded).Select(process => process.Name));

    /// <summary>After each step; true where there is no point in going on.</summary>
    private bool Check()
    {
        _cancellationToken.ThrowIfCancellationRequested();
        if (_violation is not null) return true;
        Invariants.Check();
        Leader.Check();
        if (Leader.Failure is { } failure) Violate($"The run does not fail: {failure.GetType().Name}: {failure.Message}");
        foreach (var process in _actors)
            if (process.Failure is { } reason) Violate($"{process.Name} goes on: {reason.GetType().Name}: {reason.Message}");
        CheckProgress();
        return _violation is not null;
    }

    private void CheckProgress()
    {
        var (now, updates) = (Timeline.Now, Invariants.Updates);
        if (updates != _updates || Leader.Result is not null) (_updates, _progressAt) = (updates, now);
        var calmSince = _faults?.CalmSince ?? TimeSpan.Zero;
        var pause = now - (calmSince > _progressAt ? calmSince : _progressAt);
        if (pause > _longestPause) _longestPause = pause;
        if (pause > StandstillLimit)
            Violate($"Training goes on after every fault: no update for {pause.TotalSeconds:0.0} s, while nothing was wrong: {Views()}");
        if (_untilCalm && _stoppedStart != Leader.Starts && _faults!.AreOver) CheckNodes(now - calmSince);
    }

    // The run goes on until all nodes have worked for it since the last fault. A crash that waits for a checkpoint may come with the last
    // one: the next process is stopped in its turn.
    private void CheckNodes(TimeSpan calm)
    {
        if (_actors.Select(process => IdleWorker(process.Name, Timeline.Now - calm)).FirstOrDefault(idle => idle is not null) is { } idle)
        {
            if (calm > _longestPause) _longestPause = calm;
            if (calm > StandstillLimit)
                Violate($"Each worker works again after every fault: {idle} has not for {calm.TotalSeconds:0.0} s: {Views()}");
        }
        else if (Invariants.Frames >= _request.Config.Frames)
        {
            _stoppedStart = Leader.Starts;
            Leader.StopTraining();
        }
    }

    private string? IdleWorker(string node, TimeSpan since)
    {
        if (!_work.TryGetValue(node, out var work)) return node;
        for (var worker = work.FirstWorker; worker < work.FirstWorker + work.Workers; worker++)
            if (_workedAt.GetValueOrDefault((node, worker)) < since) return $"worker {worker} of {node}";
        return null;
    }

    private RunInvariants InvariantsOf(TrainingConfig config, long frames) => config.Learner switch
    {
        AsyncLearnerOptions when config.ParameterServer.Shards > 0 =>
            throw new ArgumentException("parameterServer.shards: a run with shards is not simulated over several nodes. Set it to 0."),
        ImpalaOptions => new RingInvariants(WorkerPlan.Create(config).Shape, Violate),
        A2cOptions => new GradientInvariants(
            float.PositiveInfinity, frames, Violate,
            new RoundInvariants(() => Timeline.Now, TimeSpan.FromSeconds(config.Workers.CreditTimeoutSeconds))),
        AsyncLearnerOptions learner => new GradientInvariants(learner.MaxGradientNorm, frames, Violate),
        _ => throw new ArgumentException($"algorithm: {config.Algorithm} is not simulated over several nodes."),
    };

    /// <summary>All systems see the same members, up and within reach: themselves.</summary>
    private bool Agree()
    {
        var systems = Systems.ToList();
        var selves = systems.Select(system => Cluster.Get(system).SelfUniqueAddress).ToHashSet();
        return systems.Count == 0 || systems.All(system => Cluster.Get(system).State is { Unreachable.IsEmpty: true } state
            && state.Members.All(member => member.Status == MemberStatus.Up)
            && selves.SetEquals(state.Members.Select(member => member.UniqueAddress)));
    }

    private string Views() => string.Join("; ", Systems.Select(ViewOf));

    private string ViewOf(ActorSystem system)
    {
        var members = Cluster.Get(system).State.Members.Select(member => $"{member.Address.Host} {member.Status}");
        return $"{NameOf(system)} {Cluster.Get(system).SelfMember.Status} sees {string.Join(", ", members)}";
    }

    private void Watch(ActorSystem system, ActorPath path, object message)
    {
        if (Timeline.Traces) Timeline.Trace($"{NameOf(system)} {path.ToStringWithoutAddress()} < {message}");
        if (message is WorkAssigned work && path.Name == ActorNode.HostName)
        {
            _work[NameOf(system)] = work;
            var last = work.FirstWorker + work.Workers - 1;
            Timeline.Add($"{NameOf(system)} has work: workers {work.FirstWorker} to {last} of epoch {work.Epoch}");
        }
        else if (message is Terminated { ActorRef.Path: var gone } && path.Name == RunCoordinator.Name && gone.Name == ActorNode.HostName)
            Timeline.Add($"{gone.Address.Host} is lost to the run");
        if (_faults?.Observe(message) == true)
        {
            Invariants.ObserveRepeated(message);
            return;
        }
        if (Invariants.WorkedWith(message) is { } worker)
        {
            _workedAt[(NameOf(system), worker)] = Timeline.Now;
            _workers.Add((system, path));
        }
        Invariants.Observe(path, message, path.Name == ActorNode.HostName ? NameOf(system) : "");
    }

    private void Violate(string what)
    {
        if (_violation is not null) return;
        var at = Timeline.Now.TotalSeconds.ToString("F3", CultureInfo.InvariantCulture);
        _violation = $"{what}\nat {at} s of virtual time; to see it again: {_request.Command}";
        Timeline.Add($"BROKEN: {what}");
    }

    private SimulationReport Report()
    {
        var reports = Invariants.Reports.ToList();
        var (sent, consumed, rejected, lost) = (reports.Sum(each => each.Sent), reports.Sum(each => each.Consumed),
            reports.Sum(each => each.Rejected), reports.Sum(each => each.Lost));
        return new SimulationReport
        {
            Timeline = Timeline.Lines,
            Violation = _violation,
            Frames = Invariants.Frames,
            Updates = Invariants.Updates,
            Faults = _faults?.Injected ?? 0,
            LeaderStarts = Leader.Starts,
            Things = Invariants.Things,
            Unrolls = $"{sent} sent = {consumed} acknowledged + {rejected} refused + {lost} lost "
                + $"+ {sent - consumed - rejected - lost} discarded; {Invariants.Consumed} consumed, {Invariants.RolledBack} rolled back{Invariants.Rest}",
            Elapsed = Timeline.Now,
            Messages = _simulation.StepsTaken,
            LongestPause = _longestPause,
            WeightsHash = RunInvariants.HashOf(Invariants.Parameters),
            MessageHash = _simulation.MessageHash,
        };
    }
}
