using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Training;

/// <summary>Who wants to know how a run goes; called on the coordinator's thread.</summary>
internal interface IRunWatcher
{
    void OnReport(LearnerReport report);

    void OnReport(WorkerReport report);

    void OnWorkers(WorkerRoster roster);

    void OnFinished(TrainingFinished end);

    void OnFailed(Exception reason);
}

/// <summary>
/// Is responsible for a run: starts the ring in its process, gives work to worker hosts of other nodes, passes reports on, and ends the run
/// with the reason when a part of it fails for good, after a last checkpoint where the learner is well. A cluster has one run: it gives way to
/// a learner that was there before.
/// </summary>
internal sealed class RunCoordinator : ReceiveActor, IWithTimers
{
    /// <summary>The dispatcher on which the learner has a thread of its own.</summary>
    public const string LearnerDispatcher = "rl.learner-dispatcher";

    /// <summary>Names that other nodes find the ring by: the coordinator below /user, the others below it.</summary>
    public const string Name = "run", LearnerName = "learner", ReplayName = "replay", ServerName = ServerNames.Parameters,
        GradientsName = ServerNames.Gradients, TargetsName = ServerNames.Targets;

    // A learner that died is removed within seconds; the one that takes its place must not give way to it.
    private static readonly TimeSpan LastReportsLimit = TimeSpan.FromSeconds(2), LastCheckpointLimit = TimeSpan.FromSeconds(30),
        OtherLearnerLimit = TimeSpan.FromSeconds(10);

    private readonly RunPlan _plan;
    private readonly IRunWatcher _watcher;
    private readonly WorkerRoster _roster;
    private readonly StallWatch _stall = new();
    private readonly HashSet<IActorRef> _stillWorking = [];
    private readonly List<Member> _otherLearners = [];
    private readonly HashSet<Address> _leaving = [], _refused = [];
    private readonly WorkAssigned _work;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private IActorRef _learner = ActorRefs.Nobody, _workers = ActorRefs.Nobody;
    private TrainingFinished? _end;
    private Exception? _failure;

    public RunCoordinator(RunPlan plan, IRunWatcher watcher)
    {
        (_plan, _watcher, _roster) = (plan, watcher, new WorkerRoster(plan.LocalWorkers.Count));
        _work = new WorkAssigned(plan.RunId, ConfigWriter.Write(plan.Config), plan.Build, plan.Epoch, 0, 0);
        Receive<LearnerReport>(OnLearnerReport);
        Receive<WorkerReport>(OnWorkerReport);
        Receive<StallCheck>(_ => OnStallCheck());
        Receive<OfferWorkers>(OnOffer);
        Receive<OfferShards>(OnOfferShards);
        Receive<WorkFailed>(OnWorkFailed);
        Receive<WorkStopped>(_ => OnStopped(Sender));
        Receive<TrainingFinished>(OnTrainingFinished);
        Receive<LastReportsOverdue>(_ => Ended());
        Receive<LastCheckpointOverdue>(_ => _watcher.OnFailed(_failure!));
        Receive<TrainingFailed>(message => _watcher.OnFailed(_failure ?? message.Reason));
        Receive<ClusterEvent.MemberUp>(message => OnUp(message.Member));
        Receive<ClusterEvent.MemberRemoved>(message => _otherLearners.Remove(message.Member));
        Receive<ClusterEvent.MemberLeft>(message => _leaving.Add(message.Member.Address));
        Receive<ClusterEvent.IMemberEvent>(_ => { });
        Receive<OtherLearnerStays>(_ => OnOtherLearnerStays());
        Receive<StopTraining>(message => _learner.Tell(message));
        Receive<SaveCheckpoint>(message => _learner.Tell(message));
        Receive<Terminated>(OnTerminated);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        (_learner, _workers) = _plan.Start(Context, Self);
        Context.Watch(_learner);
        if (_plan.HasOtherNodes)
            Cluster.Get(Context.System).Subscribe(Self, ClusterEvent.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent));
        WorkersChanged();
        Timers.StartPeriodicTimer(nameof(StallCheck), StallCheck.Instance, StallWatch.Interval);
    }

    // A coordinator that fails cannot take its run up again: the ledger has moved on.
    protected override void PreRestart(Exception reason, object message)
    {
        _watcher.OnFailed(reason);
        base.PreRestart(reason, message);
    }

    protected override void PostRestart(Exception reason) => Context.Stop(Self);

    protected override void PostStop()
    {
        if (_plan.HasOtherNodes) Cluster.Get(Context.System).Unsubscribe(Self);
        _watcher.OnFailed(_failure ?? new InvalidOperationException("The run's coordinator was stopped."));
    }

    // Workers are restarted by their pool. What reaches this place cannot be mended by trying again.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(reason =>
    {
        Fail(reason is ActorInitializationException ? reason.GetBaseException() : reason);
        return Directive.Stop;
    });

    private void OnLearnerReport(LearnerReport report)
    {
        _stall.Learned();
        _watcher.OnReport(report);
    }

    private void OnWorkerReport(WorkerReport report)
    {
        _stall.Heard(report);
        _watcher.OnReport(report);
    }

    private void OnStallCheck()
    {
        if (_end is null && _failure is null && _stall.Check(_roster.Workers) is { } warning) _log.Warning(warning);
    }

    // A learner that is well saves what it has learned; the end of one that is not says so as well.
    private void Fail(Exception reason)
    {
        if (_failure is not null) return;
        _failure = reason;
        _learner.Tell(StopTraining.Instance);
        Timers.StartSingleTimer(nameof(LastCheckpointOverdue), LastCheckpointOverdue.Instance, LastCheckpointLimit);
    }

    private void OnUp(Member member)
    {
        _leaving.Remove(member.Address);
        if (!member.HasRole(NodeRoles.Learner) || member.UniqueAddress.Equals(Cluster.Get(Context.System).SelfUniqueAddress)) return;
        _otherLearners.Add(member);
        Timers.StartSingleTimer(nameof(OtherLearnerStays), OtherLearnerStays.Instance, OtherLearnerLimit);
    }

    private Member? EarlierLearner()
    {
        if (_otherLearners.Count == 0) return null;
        var self = Cluster.Get(Context.System).SelfMember;
        return _otherLearners.Find(other => other.IsOlderThan(self));
    }

    private void OnOtherLearnerStays()
    {
        if (EarlierLearner() is { } earlier)
        {
            Fail(new InvalidOperationException(
                $"{earlier.Address} leads a run in this cluster, and a cluster has one. "
                + $"To act for it: rl node --join {earlier.Address.Host}:{earlier.Address.Port}. For a run of its own, leave --join out."));
        }
        else if (_otherLearners.Count > 0)
        {
            Timers.StartSingleTimer(nameof(OtherLearnerStays), OtherLearnerStays.Instance, OtherLearnerLimit);
        }
    }

    // An offer is said again until its answer arrives: the same host gets the same answer. A system that is about to end, since it belongs to
    // the cluster of this node's predecessor, gets none.
    private void OnOffer(OfferWorkers message)
    {
        if (_end is not null || message.Workers <= 0 || EarlierLearner() is not null || !IsUp(Sender.Path.Address)) return;
        var work = _roster.Find(Sender);
        if (work is null)
        {
            work = _roster.Add(Sender, _work, message.Workers);
            Context.Watch(Sender);
            _log.Info($"{Sender.Path.Address} joins with {work.Workers} workers, {work.FirstWorker} to {work.FirstWorker + work.Workers - 1}");
            if (message.Run == _plan.RunId && message.History.Length > 0) _learner.Tell(Returned(message.History));
            WorkersChanged();
        }
        Sender.Tell(work);
    }

    private void OnOfferShards(OfferShards message)
    {
        if (_end is not null || EarlierLearner() is not null || !IsUp(Sender.Path.Address)) return;
        if (_plan.HasShards) _learner.Tell(message, Sender);
        else if (_refused.Add(Sender.Path.Address))
            _log.Warning($"{Sender.Path.Address} has room for {message.Slots} shards, but this run has none: parameterServer.shards is 0");
    }

    private static bool IsUp(Address node) =>
        Cluster.Get(Context.System).State.Members.Any(member => member.Status == MemberStatus.Up && member.Address.Equals(node));

    private WorkersReturned Returned(WorkerReport[] history) => new(
        Array.ConvertAll(history, report => new ConsumptionClaim(report.Worker, report.Incarnation, report.Consumed)),
        WorkerIdentity.FirstIncarnation(_plan.ResumedEpoch));

    private void OnWorkFailed(WorkFailed message)
    {
        if (_roster.Remove(Sender) is null) return;
        _log.Error($"The workers of {Sender.Path.Address} cannot work: {message.Reason}");
        WorkersChanged();
        OnStopped(Sender);
    }

    private void OnTerminated(Terminated message)
    {
        if (message.ActorRef.Equals(_learner))
        {
            if (_end is null) _watcher.OnFailed(_failure ?? new InvalidOperationException("The learner was stopped."));
            return;
        }
        if (_roster.Remove(message.ActorRef) is { } work)
        {
            var node = message.ActorRef.Path.Address;
            if (_leaving.Remove(node)) _log.Info($"{node} leaves with its {work.Workers} workers");
            else if (_end is null) _log.Warning($"{node} is gone, and its {work.Workers} workers with it");
            WorkersChanged();
        }
        OnStopped(message.ActorRef);
    }

    private void WorkersChanged()
    {
        _watcher.OnWorkers(_roster);
        if (_end is null && _plan.Shortage(_roster.Workers) is { } shortage) _log.Warning($"{shortage}: the run waits for workers");
    }

    // The workers' last reports come before the end of their pool, or of their host's answer.
    private void OnTrainingFinished(TrainingFinished message)
    {
        _end = message;
        foreach (var host in _roster.Hosts)
        {
            _stillWorking.Add(host);
            host.Tell(StopWork.Instance);
        }
        if (!_workers.Equals(ActorRefs.Nobody))
        {
            _stillWorking.Add(Context.Watch(_workers));
            Context.Stop(_workers);
        }
        if (_stillWorking.Count == 0) Ended();
        else Timers.StartSingleTimer(nameof(LastReportsOverdue), LastReportsOverdue.Instance, LastReportsLimit);
    }

    private void OnStopped(IActorRef who)
    {
        if (_stillWorking.Remove(who) && _stillWorking.Count == 0) Ended();
    }

    private void Ended()
    {
        if (_failure is null) _watcher.OnFinished(_end!);
        else _watcher.OnFailed(_failure);
    }

    private sealed record OtherLearnerStays
    {
        public static readonly OtherLearnerStays Instance = new();
    }

    private sealed record LastCheckpointOverdue
    {
        public static readonly LastCheckpointOverdue Instance = new();
    }

    private sealed record StallCheck
    {
        public static readonly StallCheck Instance = new();
    }

    private sealed record LastReportsOverdue
    {
        public static readonly LastReportsOverdue Instance = new();
    }
}
