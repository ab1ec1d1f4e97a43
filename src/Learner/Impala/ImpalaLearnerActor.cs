using Akka.Actor;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Learner.Impala;

/// <summary>Whom the learner's actor works with, and how long.</summary>
/// <param name="Replay">Gives the batches.</param>
/// <param name="ParameterServer">Takes the new weights.</param>
/// <param name="Observer">Gets the reports.</param>
/// <param name="TotalFrames">The run ends when this many were consumed.</param>
/// <param name="CheckpointFrames">A checkpoint each time the frames cross a multiple of this; 0 for none but the last.</param>
/// <param name="Writer">Saves checkpoints.</param>
public sealed record ImpalaLearnerSetup(
    IActorRef Replay, IActorRef ParameterServer, IActorRef Observer, long TotalFrames, long CheckpointFrames, CheckpointWriter Writer);

/// <summary>
/// Is responsible for learning: asks the replay actor for batches, runs the update slice by slice, publishes each
/// version of the weights, keeps the ledger of what was consumed, and saves checkpoints. Runs on a pinned dispatcher.
/// </summary>
public sealed class ImpalaLearnerActor : ReceiveActor
{
    private const int MostUpdatesPerReport = 100;
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100);

    private readonly ImpalaLearnerSetup _setup;
    private readonly ImpalaState _state;
    private readonly SnapshotPool _snapshots;
    private readonly long _updatesPerReport;
    private Unroll[] _batch = [], _fresh = [];
    private BatchReady? _next;
    private bool _learning, _stopping, _saving, _saveRequested, _finished;
    private Exception? _failure;
    private long _updatesAtReport;
    private TimeSpan _reportedAt;

    public ImpalaLearnerActor(ImpalaLearnerSetup setup, ImpalaState state, SnapshotPool snapshots)
    {
        (_setup, _state, _snapshots) = (setup, state, snapshots);
        // A hundredth of the run.
        var updates = setup.TotalFrames / 100 / ((long)state.Learner.UnrollsPerUpdate * state.Shape.Frames);
        _updatesPerReport = Math.Clamp(updates, 1, MostUpdatesPerReport);
        Receive<BatchReady>(OnBatchReady);
        Receive<Continue>(_ => OnContinue());
        Receive<SaveCheckpoint>(_ => OnSaveCheckpoint());
        Receive<StopTraining>(_ => OnStopTraining());
        Receive<WorkersReturned>(message => _state.CountRolledBack(message.Claims, message.FirstSince));
        Receive<CheckpointSaved>(_ => OnCheckpointSaved());
        Receive<Status.Failure>(failure => OnSaveFailed(failure.Cause));
    }

    private ImpalaLearner Learner => _state.Learner;

    protected override void PreStart()
    {
        Publish();
        if (Learner.Frames >= _setup.TotalFrames) OnStopTraining();
        else RequestBatch();
    }

    private void RequestBatch() => _setup.Replay.Tell(new RequestBatch(Learner.UnrollsPerUpdate));

    private void OnBatchReady(BatchReady message)
    {
        if (_stopping || _failure is not null) return;
        if (_learning) _next = message;
        else Begin(message);
    }

    // The next batch is asked for while this one is learned from, so that the learner never waits for a round trip.
    private void Begin(BatchReady message)
    {
        _batch = message.Unrolls;
        _fresh = Array.FindAll(_batch, unroll => _state.Ledger.TryConsume(unroll.Id));
        RequestBatch();
        if (_fresh.Length == 0)
        {
            _setup.Replay.Tell(new BatchConsumed(Array.ConvertAll(_batch, unroll => unroll.Id)));
            return;
        }
        _learning = true;
        Learner.Begin(_fresh);
        Self.Tell(Continue.Instance);
    }

    private void OnContinue()
    {
        try
        {
            if (Learner.Advance()) EndUpdate();
            else Self.Tell(Continue.Instance);
        }
        catch (TrainingDivergedException reason)
        {
            Fail(reason);
        }
    }

    private void EndUpdate()
    {
        Account();
        _setup.Replay.Tell(new BatchConsumed(Array.ConvertAll(_batch, unroll => unroll.Id)));
        (_batch, _fresh, _learning) = ([], [], false);
        Publish();
        ReportIfDue();
        if (Learner.Frames >= _setup.TotalFrames) OnStopTraining();
        else if (_stopping) Finish();
        else
        {
            if (_saveRequested || CrossedCheckpoint()) OnSaveCheckpoint();
            BeginNext();
        }
    }

    private void BeginNext()
    {
        if (_next is not { } next) return;
        _next = null;
        Begin(next);
    }

    private void Account()
    {
        foreach (var unroll in _fresh)
        {
            if (unroll.Version.Epoch == _state.Epoch) _state.Lag.Add(Learner.Updates - 1 - unroll.Version.Counter);
            _state.Episodes.Add(unroll);
        }
    }

    private bool CrossedCheckpoint()
    {
        if (_setup.CheckpointFrames <= 0) return false;
        var before = Learner.Frames - (long)Learner.UnrollsPerUpdate * _state.Shape.Frames;
        return before / _setup.CheckpointFrames != Learner.Frames / _setup.CheckpointFrames;
    }

    private void Publish() => _setup.ParameterServer.Tell(
        new PublishParameters(_snapshots.Take(new ParameterVersion(_state.Epoch, Learner.Updates), Learner.Parameters)));

    private void ReportIfDue()
    {
        var now = Context.System.Scheduler.MonotonicClock;
        if (now - _reportedAt < ReportInterval && Learner.Updates - _updatesAtReport < _updatesPerReport) return;
        (_reportedAt, _updatesAtReport) = (now, Learner.Updates);
        _setup.Observer.Tell(_state.Report());
    }

    private void OnSaveCheckpoint()
    {
        if (_finished) return;
        if (_saving || _learning)
        {
            _saveRequested = true;
            return;
        }
        (_saving, _saveRequested) = (true, false);
        _setup.Writer(_state.Save(), Learner.Frames).PipeTo(Self, success: () => CheckpointSaved.Instance);
    }

    private void OnStopTraining()
    {
        _stopping = true;
        if (!_learning && _failure is null) Finish();
    }

    private void Finish()
    {
        if (_finished) return;
        if (_saving)
        {
            _saveRequested = true;
            return;
        }
        _saving = _finished = true;
        _setup.Writer(_state.Save(), Learner.Frames).PipeTo(Self, success: () => CheckpointSaved.Instance);
    }

    private void OnCheckpointSaved()
    {
        _saving = false;
        if (_failure is not null) Fail(_failure);
        else if (_finished) _setup.Observer.Tell(new TrainingFinished(_state.Report(), _state.Ledger.SentAtLeast()));
        else if (_stopping && !_learning) Finish();
        else if (_saveRequested) OnSaveCheckpoint();
    }

    private void OnSaveFailed(Exception reason)
    {
        _saving = false;
        Fail(_failure ?? reason);
    }

    // A checkpoint that is being written is the last good one: the run ends when it is safe.
    private void Fail(Exception reason)
    {
        _failure = reason;
        if (_saving) return;
        _setup.Observer.Tell(new TrainingFailed(reason));
        Context.Stop(Self);
    }

    private sealed record Continue
    {
        public static readonly Continue Instance = new();
    }

    private sealed record CheckpointSaved
    {
        public static readonly CheckpointSaved Instance = new();
    }
}
