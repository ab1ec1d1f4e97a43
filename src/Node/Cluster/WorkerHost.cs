using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Clustering;

/// <summary>
/// Is responsible for a node's part in a run that is led elsewhere: finds the node with the learner, offers it workers, starts those that it
/// is told to, and stops them when the run ends or its node is lost. Then it looks for the next run.
/// </summary>
internal sealed class WorkerHost : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private readonly int _workers;
    private readonly WorkHistory _history;
    private readonly EnvironmentRegistry _environments;
    private readonly Action _seedsLost;
    private readonly KnownLeaders _leaders;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<string, IActorRef> _ring = [];
    private IReadOnlyList<IActorRef> _caches = [];
    private IReadOnlyList<string> _ringNames = [];
    private IActorRef? _coordinator, _pool;
    private WorkAssigned? _work, _planning;
    private WorkFailed? _failure;
    private bool _stopping;
    private int _generation;

    /// <param name="workers">How many workers this node has room for.</param>
    /// <param name="history">Outlives this actor and its system.</param>
    /// <param name="environments">Those that a run may name here.</param>
    /// <param name="seeds">Where this node asks for a cluster.</param>
    /// <param name="seedsLost">Called when neither a seed nor a learner is left: a new one would not find this cluster.</param>
    public WorkerHost(int workers, WorkHistory history, EnvironmentRegistry environments, IReadOnlyList<Address> seeds, Action seedsLost)
    {
        (_workers, _history, _environments, _leaders, _seedsLost) = (workers, history, environments, new KnownLeaders(seeds), seedsLost);
        Receive<ClusterEvent.MemberUp>(message => OnUp(message.Member));
        Receive<ClusterEvent.MemberRemoved>(message => OnRemoved(message.Member));
        Receive<ClusterEvent.IMemberEvent>(_ => { });
        Receive<Tick>(_ => OnTick());
        Receive<WorkAssigned>(OnAssigned);
        Receive<ActorIdentity>(OnIdentity);
        Receive<Planned>(message => OnPlanned(message));
        Receive<WorkerReport>(report => _coordinator?.Tell(report));
        Receive<StopWork>(_ => OnStopWork(Sender));
        Receive<Terminated>(OnTerminated);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Workers that run.</summary>
    private bool IsWorking => _pool is not null;

    protected override void PreStart()
    {
        Cluster.Get(Context.System).Subscribe(Self, ClusterEvent.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent));
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, RetryInterval);
    }

    protected override void PostStop() => Cluster.Get(Context.System).Unsubscribe(Self);

    // Its next incarnation offers its workers anew: theirs must not be numbered as these.
    protected override void PreRestart(Exception reason, object message)
    {
        _coordinator?.Tell(new WorkFailed(reason.Message));
        base.PreRestart(reason, message);
    }

    // A pool that gives up has tried; this node cannot do the work.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(reason =>
    {
        Fail(reason is ActorInitializationException ? reason.GetBaseException() : reason);
        return Directive.Stop;
    });

    private void OnUp(Member member)
    {
        if (_leaders.OnUp(member) && _coordinator is null && !IsWorking) OfferTo(member.Address);
    }

    private void OnRemoved(Member member)
    {
        if (_leaders.OnRemoved(member)) _seedsLost();
    }

    // Between nodes every word may get lost: what has no answer yet is said again. Workers that stop have not said their last.
    private void OnTick()
    {
        if (_coordinator is null)
        {
            if (IsWorking) return;
            foreach (var leader in _leaders.Addresses) OfferTo(leader);
        }
        else if (_failure is not null)
        {
            _coordinator.Tell(_failure);
        }
        else if (!IsWorking && _work is not null)
        {
            FindRing();
        }
    }

    private void OfferTo(Address learner) => Context.ActorSelection(new RootActorPath(learner) / "user" / RunCoordinator.Name)
        .Tell(new OfferWorkers(_workers, _history.Run, _history.Reports()), Self);

    private void OnAssigned(WorkAssigned message)
    {
        if (_coordinator is not null)
        {
            if (!Sender.Equals(_coordinator)) Sender.Tell(new WorkFailed($"It works for {_coordinator.Path.Address}."));
            return;
        }
        (_coordinator, _work, _stopping) = (Context.Watch(Sender), message, false);
        _history.Begin(message.Run);
        _ringNames = Algorithms.All.FirstOrDefault(each => each.Name == ConfigLoader.AlgorithmName(message.Configuration))?.Ring ?? [];
        if (_ringNames.Count > 0) FindRing();
        else Fail(new NotSupportedException("This node's program does not know the run's algorithm. Install the same one."));
    }

    private void FindRing()
    {
        foreach (var name in _ringNames) Context.ActorSelection(_coordinator!.Path / name).Tell(new Identify(name), Self);
    }

    private void OnIdentity(ActorIdentity message)
    {
        if (message.Subject is null || IsWorking || _work is null || _stopping || !message.Subject.Path.Parent.Equals(_coordinator!.Path)) return;
        if (message.MessageId is string name && _ringNames.Contains(name)) _ring[name] = message.Subject;
        if (_ring.Count == _ringNames.Count) Start(_work);
    }

    // What an environment of another program is like takes seconds to find out: its messages do not wait for that.
    private void Start(WorkAssigned work)
    {
        if (ReferenceEquals(_planning, work)) return;
        var (leader, environments) = (_coordinator!.Path.Address, _environments);
        if (ConfigLoader.EnvironmentName(work.Configuration) is not { } name || !KnownEnvironments.IsSlow(_environments, name))
        {
            Start(work, () => Plan(work, leader, environments));
            return;
        }
        _planning = work;
        Task.Run(() => Plan(work, leader, environments)).PipeTo(
            Self, success: plan => new Planned(work, () => plan), failure: reason => new Planned(work, () => throw reason));
    }

    private void OnPlanned(Planned message)
    {
        if (!ReferenceEquals(_planning, message.Work)) return;
        _planning = null;
        if (ReferenceEquals(_work, message.Work) && !IsWorking && !_stopping) Start(message.Work, message.Plan);
    }

    private static NodeWork Plan(WorkAssigned work, Address leader, EnvironmentRegistry environments)
    {
        var config = ConfigLoader.Parse(work.Configuration, $"the run of {leader}", work.Run, [], environments);
        return Algorithms.Find(config.Algorithm).Work(config, environments);
    }

    private void Start(WorkAssigned work, Func<NodeWork> planned)
    {
        try
        {
            var plan = planned();
            if (plan.Build.Environment != work.Build.Environment)
            {
                throw new NotSupportedException(
                    $"The nodes have different builds of the environment: {plan.Build.Environment} here, {work.Build.Environment} at the learner. "
                    + "Copy the learner's file to this node.");
            }
            if (plan.Build != work.Build)
            {
                throw new NotSupportedException(
                    $"The nodes run different builds: {plan.Build} here, {work.Build} at the learner. Install the same one.");
            }
            var place = new WorkPlace(
                Context, _ring.ToDictionary(), work, Self, report => _history.Add(work.Run, report), _generation++);
            (_pool, _caches) = plan.Start(place);
            Context.Watch(_pool);
            _history.Workers = work.Workers;
            _log.Info($"{work.Workers} workers ({work.FirstWorker} to {work.FirstWorker + work.Workers - 1}) work for {_coordinator!.Path.Address}");
        }
        catch (Exception reason)
        {
            Fail(reason);
        }
    }

    private void Fail(Exception reason)
    {
        _log.Error(reason, $"This node's workers cannot work: {reason.Message}");
        (_work, _failure) = (null, new WorkFailed(reason.Message));
        _coordinator?.Tell(_failure);
        StopChildren();
    }

    // The order is given once: the coordinator of a run that has ended gives no more.
    private void OnStopWork(IActorRef sender)
    {
        if (_coordinator is null || !sender.Equals(_coordinator) || _stopping) return;
        _stopping = true;
        _log.Info($"The run of {_coordinator.Path.Address} has ended; waiting for the next one");
        if (_pool is null) Stopped();
        else StopChildren();
    }

    private void OnTerminated(Terminated message)
    {
        if (message.ActorRef.Equals(_coordinator))
        {
            if (!_stopping) _log.Warning($"The run of {_coordinator.Path.Address} is gone; its workers stop");
            Forget();
        }
        else if (message.ActorRef.Equals(_pool))
        {
            _pool = null;
            if (_stopping) Stopped();
        }
    }

    private void Stopped() => _coordinator?.Tell(WorkStopped.Instance);

    private void Forget()
    {
        (_coordinator, _work, _planning, _failure) = (null, null, null, null);
        _ring.Clear();
        StopChildren();
    }

    // The pool's end brings the workers' last reports before its own Terminated.
    private void StopChildren()
    {
        _history.Workers = 0;
        if (_pool is not null) Context.Stop(_pool);
        foreach (var cache in _caches) Context.Stop(cache);
        _caches = [];
    }

    private sealed record Planned(WorkAssigned Work, Func<NodeWork> Plan);

    private sealed record Tick
    {
        public static readonly Tick Instance = new();
    }
}
