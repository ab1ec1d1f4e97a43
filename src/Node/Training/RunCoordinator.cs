using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Training;

/// <summary>Who wants to know how a run goes; called on the coordinator's thread.</summary>
internal interface IRunWatcher
{
    void OnReport(LearnerReport report);

    void OnReport(WorkerReport report);

    void OnFinished(LearnerReport report);

    void OnFailed(Exception reason);
}

/// <summary>
/// Is responsible for a run in one process: starts the ring, passes reports on, and ends the run with the reason when a
/// part of it fails for good.
/// </summary>
internal sealed class RunCoordinator : ReceiveActor
{
    /// <summary>The dispatcher on which the learner has a thread of its own.</summary>
    public const string LearnerDispatcher = "rl.learner-dispatcher";

    private readonly RunPlan _plan;
    private readonly IRunWatcher _watcher;
    private IActorRef _learner = ActorRefs.Nobody, _workers = ActorRefs.Nobody;
    private LearnerReport? _last;

    public RunCoordinator(RunPlan plan, IRunWatcher watcher)
    {
        (_plan, _watcher) = (plan, watcher);
        Receive<LearnerReport>(_watcher.OnReport);
        Receive<WorkerReport>(_watcher.OnReport);
        Receive<TrainingFinished>(OnTrainingFinished);
        Receive<Terminated>(message => _watcher.OnFinished(_last!), message => message.ActorRef.Equals(_workers) && _last is not null);
        Receive<TrainingFailed>(message => _watcher.OnFailed(message.Reason));
        Receive<StopTraining>(message => _learner.Tell(message));
        Receive<SaveCheckpoint>(message => _learner.Tell(message));
    }

    protected override void PreStart()
    {
        var cell = new ParameterCell();
        var replay = Context.ActorOf(Props.Create(() => new ReplayActor(_plan.Replay)), "replay");
        var server = Context.ActorOf(Props.Create(() => new ParameterServerActor(_plan.PublishInterval)), "parameter-server");
        var cache = Context.ActorOf(Props.Create(() => new ParameterCacheActor(server, cell)), "parameter-cache");
        var setup = new ImpalaLearnerSetup(replay, server, Self, _plan.TotalFrames, _plan.CheckpointFrames, _plan.Writer);
        _learner = Context.ActorOf(
            Props.Create(() => new ImpalaLearnerActor(setup, _plan.Learner)).WithDispatcher(LearnerDispatcher), "learner");
        _workers = Context.ActorOf(
            Props.Create(() => new WorkerPool(_plan.Workers, _plan.WorkerIdentities, replay, cache, cell, Self)), "workers");
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

    // The workers' last reports come before the end of their pool.
    private void OnTrainingFinished(TrainingFinished message)
    {
        _last = message.Report;
        Context.Watch(_workers);
        Context.Stop(_workers);
    }
}
