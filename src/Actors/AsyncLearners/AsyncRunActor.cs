using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>What the owner of a run of asynchronous learners works with.</summary>
/// <param name="State">What the run has to remember.</param>
/// <param name="Create">Makes the learners of a group's incarnation; called on their thread.</param>
/// <param name="Groups">One actor each, with a thread of its own; they outlive it.</param>
/// <param name="LearningRate">As a function of the frames, to be shown.</param>
/// <param name="TotalFrames">The run ends when so many are done.</param>
/// <param name="CheckpointFrames">A checkpoint each time the frames cross a multiple of this; 0 for none but the last.</param>
/// <param name="Writer">Saves checkpoints.</param>
/// <param name="Gradients">Takes the gradients of other nodes; null where the run has none.</param>
/// <param name="SegmentsPerTurn">Segments that a group takes before others have their turn, at most.</param>
public sealed record AsyncRunSetup(
    AsyncState State, Func<int, int, IAsyncLearners> Create, IReadOnlyList<WorkerIdentity> Groups, LinearSchedule LearningRate,
    long TotalFrames, long CheckpointFrames, CheckpointWriter Writer, IActorRef? Gradients = null, int SegmentsPerTurn = 64);

/// <summary>
/// Is responsible for a run of asynchronous learners: starts the actors of those that share this process's memory, restarts one that fails,
/// adds up what they and the server of other nodes' gradients report, saves checkpoints, and ends the run when the frames are done or it is told to. Asking more of learners than this would make them wait.
/// </summary>
public sealed class AsyncRunActor : ReceiveActor
{
    /// <summary>In a claim, where learners that report what they sent are named one by one: what none of them reports as sent.</summary>
    internal const int NoLearner = -1;

    private const int MaxRestarts = 5;

    private static readonly TimeSpan RestartWindow = TimeSpan.FromMinutes(1), ReportInterval = TimeSpan.FromMilliseconds(100);

    private readonly AsyncRunSetup _setup;
    private readonly IActorRef _observer;
    private readonly HashSet<IActorRef> _working = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly RejectionWatch _rejections = new();
    private readonly long _appliedBefore, _reportFrames;
    private TimeSpan _reportedAt;
    private long _rejectedHere, _framesAtCheckpoint, _framesAtReport;
    private bool _stopping, _saving, _saveRequested, _finished;
    private Exception? _failure, _lastFailure;

    /// <param name="setup">What it works with.</param>
    /// <param name="observer">Gets the run's reports.</param>
    public AsyncRunActor(AsyncRunSetup setup, IActorRef observer)
    {
        (_setup, _observer) = (setup, observer);
        (_appliedBefore, _reportFrames) = (AppliedHere(), Math.Max(1, setup.TotalFrames / 100));
        _framesAtCheckpoint = _framesAtReport = setup.State.Shared.Frames;
        Receive<LearnersReport>(message => OnReport(message.Progress, isLocal: true));
        Receive<GradientsReport>(message => OnReport(message.Progress, isLocal: false));
        Receive<LearnersFinished>(_ => OnGroupFinished(Sender));
        Receive<GradientsFinished>(_ => OnGroupFinished(Sender));
        Receive<WorkersReturned>(State.CountRolledBack);
        Receive<WhereAreShards>(_ => OnWhereAreShards());
        Receive<SaveCheckpoint>(_ => OnSaveCheckpoint());
        Receive<StopTraining>(_ => OnStopTraining());
        Receive<CheckpointSaved>(_ => OnCheckpointSaved());
        Receive<Status.Failure>(failure => OnSaveFailed(failure.Cause));
        Receive<Terminated>(OnTerminated);
    }

    private AsyncState State => _setup.State;

    protected override void PreStart()
    {
        foreach (var identity in _setup.Groups)
        {
            var learners = new AsyncLearnerSetup(
                incarnation => _setup.Create(identity.Index, incarnation), State.Shared, _setup.TotalFrames, _setup.SegmentsPerTurn);
            var group = Context.ActorOf(
                Props.Create(() => new AsyncLearnerActor(learners, identity, Self)).WithDispatcher(WorkerPool.Dispatcher),
                $"learners-{identity.Index}");
            _working.Add(Context.Watch(group));
        }
        if (_setup.Gradients is not { } gradients) return;
        _working.Add(Context.Watch(gradients));
        gradients.Tell(WatchGradients.Instance);
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(MaxRestarts, RestartWindow, reason =>
    {
        _lastFailure = reason;
        if (WorkerPool.IsFinal(reason)) return Directive.Escalate;
        _log.Warning($"A group of learners failed and begins anew: {reason.Message}");
        return Directive.Restart;
    });

    private void OnReport(LearnerProgress progress, bool isLocal)
    {
        State.Add(progress);
        // What a learner elsewhere kept back, its ledger of what it sent does not know.
        _rejectedHere += isLocal ? progress.Rejected : progress.KeptBack;
        CheckRejections(progress, isLocal);
        var (now, frames) = (Context.System.Scheduler.MonotonicClock, State.Shared.Frames);
        if (now - _reportedAt >= ReportInterval || frames - _framesAtReport >= _reportFrames)
        {
            (_reportedAt, _framesAtReport) = (now, frames);
            _observer.Tell(Report());
        }
        if (_setup.CheckpointFrames <= 0 || _stopping) return;
        if (frames / _setup.CheckpointFrames != _framesAtCheckpoint / _setup.CheckpointFrames) OnSaveCheckpoint();
        _framesAtCheckpoint = frames;
    }

    private LearnerReport Report() => State.Report((float)_setup.LearningRate.At(State.Shared.Frames));

    // The server of other nodes' gradients names those that it refuses.
    private void CheckRejections(LearnerProgress progress, bool isLocal)
    {
        if (isLocal && progress.NotFinite > 0 && _rejections.InARow == 0)
        {
            _log.Warning($"Gradients with NaN or infinity are refused, {State.Shared.Rejected(GradientRejection.NotFinite)} so far, "
                + $"the last at {State.Shared.Frames:N0} frames");
        }
        if (_rejections.Add(progress, State.Shared.Frames) is { } hopeless && _failure is null) Fail(hopeless);
    }

    // All parameters are in one piece, and its servers are beside this actor.
    private void OnWhereAreShards() => Sender.Tell(new ShardPlaces([new ShardPlace(State.Epoch, Self.Path.Parent.ToStringWithoutAddress())]));

    private void OnGroupFinished(IActorRef group)
    {
        if (_working.Remove(group) && _working.Count == 0) Finish();
    }

    private void OnStopTraining()
    {
        if (_stopping) return;
        _stopping = true;
        foreach (var group in _working) group.Tell(group.Equals(_setup.Gradients) ? StopGradients.Instance : StopLearning.Instance);
        if (_working.Count == 0) Finish();
    }

    private void OnTerminated(Terminated message)
    {
        if (_finished || !_working.Contains(message.ActorRef)) return;
        Fail(message.ActorRef.Equals(_setup.Gradients) ? new InvalidOperationException("The gradient server was stopped.") : new WorkerFailedException(
            $"'{message.ActorRef.Path.Name}' failed {MaxRestarts + 1} times within {RestartWindow.TotalSeconds:0} s; "
            + $"the last failure: {_lastFailure?.Message}", _lastFailure));
        OnGroupFinished(message.ActorRef);
    }

    private void OnSaveCheckpoint()
    {
        if (_finished) return;
        if (_saving)
        {
            _saveRequested = true;
            return;
        }
        (_saving, _saveRequested) = (true, false);
        Save();
    }

    // What was learned before a failure is worth keeping, unless it is what failed.
    private void Finish()
    {
        if (_finished) return;
        _stopping = true;
        if (_saving)
        {
            _saveRequested = true;
            return;
        }
        _saving = _finished = true;
        Save();
    }

    private void Save() => _setup.Writer(State.Save(), State.Shared.Frames).PipeTo(Self, success: () => CheckpointSaved.Instance);

    private void OnCheckpointSaved()
    {
        _saving = false;
        if (_finished) End();
        else if (_stopping && _working.Count == 0) Finish();
        else if (_saveRequested) OnSaveCheckpoint();
    }

    private void OnSaveFailed(Exception reason)
    {
        _saving = false;
        Fail(reason);
        if (_finished) End();
    }

    private void Fail(Exception reason)
    {
        _failure ??= reason;
        OnStopTraining();
    }

    private void End()
    {
        LogRejections();
        if (_failure is not null)
        {
            _observer.Tell(new TrainingFailed(_failure));
            Context.Stop(Self);
            return;
        }
        var here = new ConsumptionClaim(NoLearner, WorkerIdentity.FirstIncarnation(State.Epoch), AppliedHere() - _appliedBefore + _rejectedHere);
        _observer.Tell(new TrainingFinished(Report(), [here, .. State.Gradients.SentAtLeast()]));
    }

    private void LogRejections()
    {
        var reasons = Enum.GetValues<GradientRejection>().Where(reason => State.Shared.Rejected(reason) > 0)
            .Select(reason => $"{State.Shared.Rejected(reason)} {reason}");
        var text = string.Join(", ", reasons);
        if (text.Length > 0) _log.Info($"Gradients that were not applied since this process began: {text}");
    }

    // Gradients of learners that share memory; those of other nodes are in the ledger.
    private long AppliedHere() => State.UnrollsConsumed - State.Gradients.Applied;

    private sealed record CheckpointSaved
    {
        public static readonly CheckpointSaved Instance = new();
    }
}
