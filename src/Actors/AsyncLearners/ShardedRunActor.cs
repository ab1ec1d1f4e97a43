using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>What the owner of a run works with whose parameters are in shards.</summary>
/// <param name="State">What the run has to remember.</param>
/// <param name="Run">The run.</param>
/// <param name="Learning">What shards do with gradients; the first one ends the run.</param>
/// <param name="Wire">How shards are reached, and how much the loss of one may cost.</param>
/// <param name="LearningRate">As a function of the frames, to be shown.</param>
/// <param name="CheckpointFrames">A checkpoint each time the frames cross a multiple of this; 0 for none but the last.</param>
/// <param name="Writer">Saves checkpoints.</param>
public sealed record ShardedRunSetup(
    AsyncState State, string Run, ShardLearning Learning, ParameterServerOptions Wire, LinearSchedule LearningRate, long CheckpointFrames,
    CheckpointWriter Writer);

/// <summary>
/// Is responsible for a run whose parameters are in shards: places them on hosts, has their checkpoints, places a lost one anew with its last
/// one, says where they are, adds up what they report, saves checkpoints of all, and ends the run when its frames are done or it is told to.
/// </summary>
public sealed class ShardedRunActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(250), ReportInterval = TimeSpan.FromMilliseconds(100),
        FreshLimit = TimeSpan.FromSeconds(1), LastLimit = TimeSpan.FromSeconds(10), FirstWarning = TimeSpan.FromSeconds(3),
        WarningInterval = TimeSpan.FromSeconds(30);

    private readonly ShardedRunSetup _setup;
    private readonly IActorRef _observer;
    private readonly Dictionary<IActorRef, int> _hosts = [];
    private readonly Placement[] _shards;
    private readonly RejectionWatch _rejections = new();
    private readonly HostFailures _failures = new();
    private readonly long _rejectedBefore;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private TimeSpan _reportedAt, _warnAt, _writeBy, _endBy;
    private long _framesAtCheckpoint, _keptBack, _notFinite;
    private bool _stopping, _wanted, _requested, _writing, _finished;
    private Exception? _failure;

    /// <param name="setup">What it works with.</param>
    /// <param name="observer">Gets the run's reports.</param>
    public ShardedRunActor(ShardedRunSetup setup, IActorRef observer)
    {
        (_setup, _observer, _framesAtCheckpoint, _rejectedBefore) = (setup, observer, setup.State.Frames, setup.State.Rejected);
        _shards = [.. Enumerable.Range(0, Book.Count).Select(i => new Placement(i, ShardStates.MaxBytes(Book.Range(i))))];
        Receive<ShardReport>(OnReport);
        Receive<StateChunk>(OnCheckpoint);
        Receive<StateReceived>(OnStateReceived);
        Receive<OfferShards>(OnOffer);
        Receive<ShardStarted>(OnStarted);
        Receive<ShardEnded>(OnShardEnded);
        Receive<WhereAreShards>(OnWhereAreShards);
        Receive<WorkersReturned>(State.CountRolledBack);
        Receive<SaveCheckpoint>(_ => OnSaveCheckpoint());
        Receive<StopTraining>(_ => OnStopTraining());
        Receive<CheckpointSaved>(_ => OnCheckpointSaved());
        Receive<Status.Failure>(failure => OnSaveFailed(failure.Cause));
        Receive<Tick>(_ => OnTick());
        Receive<Terminated>(OnTerminated);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private AsyncState State => _setup.State;

    private ShardBook Book => _setup.State.Shards!;

    private TimeSpan Now => Context.System.Scheduler.MonotonicClock;

    protected override void PreStart()
    {
        _warnAt = Now + FirstWarning;
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TickInterval);
    }

    private void OnOffer(OfferShards message)
    {
        if (_hosts.TryGetValue(Sender, out var known) && known == message.Slots) return;
        _hosts[Sender] = message.Slots;
        Context.Watch(Sender);
        Place();
    }

    // The host that lost fewest shards lately comes first, of these the one with most room, so that shards spread over the nodes.
    private void Place()
    {
        foreach (var shard in _shards)
        {
            if (_stopping) return;
            if (shard.Host is not null) continue;
            var host = _hosts.Keys.Where(host => Free(host) > 0 && !_failures.IsResting(host, Now))
                .OrderBy(_failures.Of).ThenByDescending(Free).FirstOrDefault();
            if (host is null) return;
            Begin(shard, host);
        }
    }

    private int Free(IActorRef host) => _hosts[host] - _shards.Count(shard => host.Equals(shard.Host));

    private void Begin(Placement shard, IActorRef host)
    {
        try
        {
            shard.Begin(host, Book.BeginEpoch(shard.Index));
        }
        catch (InvalidOperationException reason)
        {
            Fail(reason);
            return;
        }
        Order(shard);
    }

    // Its loss costs frames of the first shard only: these are the run's.
    private void Order(Placement shard) => shard.Host!.Tell(new StartShard(
        _setup.Run, shard.Index, shard.Epoch, Book.Range(shard.Index),
        shard.Index == 0 ? _setup.Learning : _setup.Learning with { TotalFrames = long.MaxValue }, _setup.Wire));

    private void OnStarted(ShardStarted message)
    {
        if (Find(message.Shard, message.Epoch) is not { Actor: null } shard) return;
        shard.Actor = Context.Watch(Sender);
        shard.Sender = new StateSender(Sender, shard.Index, shard.Epoch, _setup.Wire);
        shard.Sender.Begin(ShardStates.Encode(Book.StateOf(shard.Index)), Now);
    }

    private void OnStateReceived(StateReceived message)
    {
        if (Find(message.Shard, message.Epoch) is not { Sender: { } sender } shard || !sender.OnReceived(message, Now)) return;
        shard.IsServing = true;
        _log.Info($"{Name(shard)} is at {shard.Actor!.Path.Address}, with {Book.SavedUpdatesOf(shard.Index)} updates");
        if (_stopping) Stop(shard);
    }

    private void OnCheckpoint(StateChunk message)
    {
        if (Find(message.Shard, message.Epoch) is not { } shard || shard.Receiver.Take(message, out var bytes) is not { } answer) return;
        Sender.Tell(answer);
        if (bytes is null || shard.HasEnded) return;
        try
        {
            var state = ShardStates.Decode(bytes);
            Book.Take(shard.Index, state);
            shard.HasEnded = state.Metadata.ContainsKey(ShardActor.LastKey);
        }
        catch (CheckpointFormatException reason)
        {
            Fail(new InvalidOperationException($"{Name(shard)} at {Sender.Path.Address} sends no sound checkpoint: {reason.Message}", reason));
            return;
        }
        shard.IsFresh = true;
        if (_wanted) WriteIfReady();
        if (shard.HasEnded) OnEnded(shard);
        else if (shard.Index == 0) SaveIfDue();
    }

    private void OnReport(ShardReport message)
    {
        if (!Book.Take(message) || message.Shard != 0) return;
        State.Add(message.Progress);
        (_keptBack, _notFinite) = (_keptBack + message.Progress.KeptBack, _notFinite + message.Progress.NotFinite);
        if (_rejections.Add(message.Progress, State.Frames) is { } hopeless && _failure is null) Fail(hopeless);
        if (Now - _reportedAt < ReportInterval) return;
        _reportedAt = Now;
        _observer.Tell(Report());
    }

    private LearnerReport Report() => State.Report((float)_setup.LearningRate.At(State.Frames));

    private void OnWhereAreShards(WhereAreShards message)
    {
        foreach (var seen in message.Seen) State.SeeShard(seen);
        Sender.Tell(new ShardPlaces(Array.ConvertAll(_shards, shard => new ShardPlace(Math.Max(0, shard.Epoch), shard.IsServing ? PathOf(shard.Actor!) : ""))));
    }

    private static string PathOf(IActorRef actor) =>
        actor.Path.Address.HasLocalScope ? actor.Path.ToStringWithoutAddress() : actor.Path.ToStringWithAddress();

    private void OnShardEnded(ShardEnded message)
    {
        if (Find(message.Shard, message.Epoch) is { } shard && Sender.Equals(shard.Host)) Lose(shard, message.Reason);
    }

    // It gets another place with the next tick: one that fails at once must not keep everybody busy.
    private void OnTerminated(Terminated message)
    {
        _hosts.Remove(message.ActorRef);
        foreach (var shard in _shards)
            if (message.ActorRef.Equals(shard.Actor) || message.ActorRef.Equals(shard.Host)) Lose(shard, "it does not answer any more");
    }

    private void Lose(Placement shard, string reason)
    {
        if (!shard.HasEnded)
        {
            var (at, lost, rest) = (shard.Host!.Path.Address, State.LoseShard(shard.Index), _failures.Add(shard.Host, Now));
            _log.Warning(
                $"{Name(shard)} at {at} is lost ({reason}): it goes back to {Book.SavedUpdatesOf(shard.Index)} updates, {lost} or a few more are "
                + $"rolled back. No shard begins there for {rest.TotalSeconds:0.#} s");
        }
        Forget(shard);
        if (_stopping) EndWithout(shard);
    }

    private static void Forget(Placement shard)
    {
        if (shard.Actor is not null) Context.Unwatch(shard.Actor);
        shard.Clear();
    }

    private void OnTick()
    {
        foreach (var shard in _shards)
        {
            if (shard.Host is not null && shard.Actor is null) Order(shard);
            shard.Sender?.Check(Now);
            if (_stopping && !shard.HasEnded) Stop(shard);
        }
        Place();
        if (_wanted && Now >= _writeBy) Write();
        if (_stopping && !_finished && Now >= _endBy)
            foreach (var shard in _shards) EndWithout(shard);
        WarnIfHomeless();
    }

    private void WarnIfHomeless()
    {
        var homeless = _shards.Where(shard => shard.Host is null).Select(shard => shard.Index).ToList();
        if (homeless.Count == 0 || _stopping || Now < _warnAt) return;
        _warnAt = Now + WarningInterval;
        var resting = _hosts.Keys.Count(host => Free(host) > 0);
        _log.Warning(
            $"{homeless.Count} of {Book.Count} shards have no place, and the run waits{(resting > 0 ? $", {resting} nodes have room but lost shards" : "")}: `rl node --join HOST:PORT --shards {homeless.Count}` gives "
            + "them one, with the address of this node, or --shards at this process");
    }

    private void SaveIfDue()
    {
        if (_setup.CheckpointFrames <= 0 || _stopping) return;
        var frames = State.Shared.Frames;
        if (frames / _setup.CheckpointFrames != _framesAtCheckpoint / _setup.CheckpointFrames) OnSaveCheckpoint();
        _framesAtCheckpoint = frames;
    }

    // Shards are asked for fresh checkpoints first; those that take long are written as they were.
    private void OnSaveCheckpoint()
    {
        if (_wanted || _stopping) return;
        if (_writing)
        {
            _requested = true;
            return;
        }
        (_wanted, _requested, _writeBy) = (true, false, Now + FreshLimit);
        foreach (var shard in _shards)
        {
            shard.IsFresh = !shard.IsServing;
            if (shard.IsServing) shard.Actor!.Tell(new SaveShard(shard.Epoch));
        }
        WriteIfReady();
    }

    private void WriteIfReady()
    {
        if (Array.TrueForAll(_shards, shard => shard.IsFresh)) Write();
    }

    private void Write()
    {
        if (_writing) return;
        (_wanted, _writing) = (false, true);
        _setup.Writer(State.Save(), State.Shared.Frames).PipeTo(Self, success: () => CheckpointSaved.Instance);
    }

    private void OnStopTraining()
    {
        if (_stopping) return;
        (_stopping, _endBy) = (true, Now + LastLimit);
        foreach (var shard in _shards) Stop(shard);
    }

    private void Stop(Placement shard)
    {
        if (shard.HasEnded) return;
        if (shard.Host is null) EndWithout(shard);
        else if (shard.IsServing) shard.Actor!.Tell(new StopShard(shard.Epoch));
    }

    private void EndWithout(Placement shard)
    {
        if (shard.HasEnded) return;
        shard.HasEnded = true;
        if (shard.Host is not null)
        {
            State.LoseShard(shard.Index);
            Forget(shard);
        }
        _log.Warning($"{Name(shard)} cannot be reached at the end: its last checkpoint serves, of {Book.SavedUpdatesOf(shard.Index)} updates");
        OnEnded(shard);
    }

    // The first shard ends by itself when all frames are done.
    private void OnEnded(Placement shard)
    {
        if (shard.Index == 0) OnStopTraining();
        if (Array.TrueForAll(_shards, each => each.HasEnded)) Finish();
    }

    // What was learned before a failure is worth keeping, unless it is what failed.
    private void Finish()
    {
        if (_finished || _writing) return;
        _finished = true;
        Write();
    }

    private void OnCheckpointSaved()
    {
        _writing = false;
        if (_finished) End();
        else if (Array.TrueForAll(_shards, shard => shard.HasEnded)) Finish();
        else if (_requested) OnSaveCheckpoint();
    }

    private void OnSaveFailed(Exception reason)
    {
        _writing = false;
        Fail(reason);
        if (_finished) End();
        else if (Array.TrueForAll(_shards, shard => shard.HasEnded)) Finish();
    }

    private void Fail(Exception reason)
    {
        _failure ??= reason;
        OnStopTraining();
    }

    private void End()
    {
        LogRejections();
        if (_failure is null)
        {
            // What a learner kept back, its ledger of what it sent does not know.
            var keptBack = new ConsumptionClaim(AsyncRunActor.NoLearner, WorkerIdentity.FirstIncarnation(State.Epoch), _keptBack);
            _observer.Tell(new TrainingFinished(Report(), [keptBack, .. State.Gradients.SentAtLeast()]));
            return;
        }
        _observer.Tell(new TrainingFailed(_failure));
        Context.Stop(Self);
    }

    // Shards say how many they refused; of two reasons the first one says more. The nodes that have shards log each with its reason.
    private void LogRejections()
    {
        var others = Math.Max(0, State.Rejected - _rejectedBefore - _keptBack - _notFinite);
        if (_keptBack + _notFinite + others == 0) return;
        _log.Info(
            $"Gradients that were not applied since this process began: {_keptBack} {GradientRejection.OutlierLoss}, {_notFinite} "
            + $"{GradientRejection.NotFinite}, {others} for reasons that the shards' nodes have logged");
    }

    // Null for words of one that was given up, too.
    private Placement? Find(int shard, int epoch) =>
        shard < _shards.Length && _shards[shard] is { Host: not null } found && found.Epoch == epoch ? found : null;

    private string Name(Placement shard) => $"Shard {shard.Index} of {Book.Count}, parameters {Book.Range(shard.Index)},";

    /// <summary>Where a shard is.</summary>
    private sealed class Placement(int index, long maxBytes)
    {
        public int Index => index;

        public int Epoch { get; private set; } = -1;

        /// <summary>Null: it has no place.</summary>
        public IActorRef? Host { get; private set; }

        /// <summary>Null: it has not answered yet.</summary>
        public IActorRef? Actor { get; set; }

        public StateSender? Sender { get; set; }

        public StateReceiver Receiver { get; private set; } = new(maxBytes);

        /// <summary>It has its state.</summary>
        public bool IsServing { get; set; }

        /// <summary>A checkpoint has come since one was asked for.</summary>
        public bool IsFresh { get; set; }

        /// <summary>Its last checkpoint is there, or none comes any more.</summary>
        public bool HasEnded { get; set; }

        public void Begin(IActorRef host, int epoch) => (Host, Epoch, Receiver) = (host, epoch, new StateReceiver(maxBytes));

        public void Clear() => (Host, Actor, Sender, IsServing) = (null, null, null, false);
    }

    private sealed record CheckpointSaved
    {
        public static readonly CheckpointSaved Instance = new();
    }

    private sealed record Tick
    {
        public static readonly Tick Instance = new();
    }
}
