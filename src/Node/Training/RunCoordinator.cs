using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Rl.Distributed.Actors;
using Rl.Distributed.Learner;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

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
/// with the reason when a part of it fails for good.
/// </summary>
internal sealed class RunCoordinator : ReceiveActor, IWithTimers
{
    /// <summary>The dispatcher on which the learner has a thread of its own.</summary>
    public const string LearnerDispatcher = "rl.learner-dispatcher";

    /// <summary>Names that other nodes find the ring by: the coordinator below /user, the others below it.</summary>
    public const string Name = "run", ReplayName = "replay", ServerName = "parameter-server";

    private static readonly TimeSpan LastReportsLimit = TimeSpan.FromSeconds(2);

    private readonly RunPlan _plan;
    private readonly IRunWatcher _watcher;
    private readonly WorkerRoster _roster;
    private readonly HashSet<IActorRef> _stillWorking = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private IActorRef _learner = ActorRefs.Nobody, _workers = ActorRefs.Nobody;
    private TrainingFinished? _end;

    public RunCoordinator(RunPlan plan, IRunWatcher watcher)
    {
        (_plan, _watcher, _roster) = (plan, watcher, new WorkerRoster(plan.LocalWorkers.Count));
        Receive<LearnerReport>(_watcher.OnReport);
        Receive<WorkerReport>(_watcher.OnReport);
        Receive<OfferWorkers>(OnOffer);
        Receive<WorkFailed>(OnWorkFailed);
        Receive<WorkStopped>(_ => OnStopped(Sender));
        Receive<TrainingFinished>(OnTrainingFinished);
        Receive<LastReportsOverdue>(_ => _watcher.OnFinished(_end!));
        Receive<TrainingFailed>(message => _watcher.OnFailed(message.Reason));
        Receive<StopTraining>(message => _learner.Tell(message));
        Receive<SaveCheckpoint>(message => _learner.Tell(message));
        Receive<Terminated>(OnTerminated);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        var (cell, config) = (new ParameterCell(), _plan.Config);
        var replay = Context.ActorOf(Props.Create(() => new ReplayActor(_plan.Replay)), ReplayName);
        var server = Context.ActorOf(Props.Create(() => new ParameterServerActor(config.ParameterServer)), ServerName);
        var setup = new ImpalaLearnerSetup(replay, server, Self, config.Frames, _plan.CheckpointFrames, _plan.Writer);
        _learner = Context.ActorOf(
            Props.Create(() => new ImpalaLearnerActor(setup, _plan.Learner, _plan.Snapshots)).WithDispatcher(LearnerDispatcher), "learner");
        if (_plan.LocalWorkers.Count > 0)
        {
            var cache = Context.ActorOf(Props.Create(() => new ParameterCacheActor(server, cell, _plan.Snapshots)), "parameter-cache");
            _workers = Context.ActorOf(
                Props.Create(() => new WorkerPool(_plan.Workers.Setup, _plan.LocalWorkers, replay, cache, cell, Self)), "workers");
        }
        WorkersChanged();
    }

    // A coordinator that fails cannot take its run up again: the ledger has moved on.
    protected override void PreRestart(Exception reason, object message)
    {
        _watcher.OnFailed(reason);
        base.PreRestart(reason, message);
    }

    protected override void PostRestart(Exception reason) => Context.Stop(Self);

    protected override void PostStop() => _watcher.OnFailed(new InvalidOperationException("The run's coordinator was stopped."));

    // Workers are restarted by their pool. What reaches this place cannot be mended by trying again.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(reason =>
    {
        _watcher.OnFailed(reason is ActorInitializationException ? reason.GetBaseException() : reason);
        return Directive.Stop;
    });

    // An offer is said again until its answer arrives: the same host gets the same answer. A system that is about to end, since it belongs to
    // the cluster of this node's predecessor, gets none.
    private void OnOffer(OfferWorkers message)
    {
        if (_end is not null || message.Workers <= 0 || !IsUp(Sender.Path.Address)) return;
        var work = _roster.Find(Sender);
        if (work is null)
        {
            work = _roster.Add(Sender, _plan.RunId, ConfigWriter.Write(_plan.Config), _plan.Learner.Epoch, message.Workers);
            Context.Watch(Sender);
            _log.Info($"{Sender.Path.Address} joins with {work.Workers} workers, {work.FirstWorker} to {work.FirstWorker + work.Workers - 1}");
            if (message.Run == _plan.RunId && message.History.Length > 0) _learner.Tell(Returned(message.History));
            WorkersChanged();
        }
        Sender.Tell(work);
    }

    private static bool IsUp(Address node) =>
        Cluster.Get(Context.System).State.Members.Any(member => member.Status == MemberStatus.Up && member.Address.Equals(node));

    // What was rolled back of epochs before the checkpoint's is counted in the checkpoint: it must not be counted again.
    private WorkersReturned Returned(WorkerReport[] history) => new(
    [
        .. history.Where(report => report.Incarnation >= WorkerIdentity.FirstIncarnation(_plan.Learner.ResumedEpoch))
            .Select(report => new ConsumptionClaim(report.Worker, report.Incarnation, report.Consumed)),
    ]);

    private void OnWorkFailed(WorkFailed message)
    {
        if (_roster.Remove(Sender) is null) return;
        _log.Error($"The workers of {Sender.Path.Address} cannot work: {message.Reason}");
        WorkersChanged();
        OnStopped(Sender);
    }

    private void OnTerminated(Terminated message)
    {
        if (_roster.Remove(message.ActorRef) is { } work)
        {
            if (_end is null) _log.Warning($"{message.ActorRef.Path.Address} is gone, and its {work.Workers} workers with it");
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
        if (_plan.LocalWorkers.Count > 0)
        {
            _stillWorking.Add(Context.Watch(_workers));
            Context.Stop(_workers);
        }
        if (_stillWorking.Count == 0) _watcher.OnFinished(message);
        else if (_roster.Nodes > 0) Timers.StartSingleTimer(nameof(LastReportsOverdue), LastReportsOverdue.Instance, LastReportsLimit);
    }

    private void OnStopped(IActorRef who)
    {
        if (_stillWorking.Remove(who) && _stillWorking.Count == 0) _watcher.OnFinished(_end!);
    }

    private sealed record LastReportsOverdue
    {
        public static readonly LastReportsOverdue Instance = new();
    }
}
