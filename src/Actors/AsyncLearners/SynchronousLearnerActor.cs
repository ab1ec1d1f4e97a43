using Akka.Actor;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>
/// Is responsible for one learner of A2C whose update a server makes: acts for a segment with a version of the parameters, sends the gradient,
/// and waits for a newer version before it acts again. Runs on a pinned dispatcher.
/// </summary>
public sealed class SynchronousLearnerActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan RegisterInterval = TimeSpan.FromSeconds(1), ReportInterval = TimeSpan.FromSeconds(1);

    private readonly RemoteLearnerSetup _setup;
    private readonly IActorRef _server, _cache, _observer;
    private readonly ParameterCell _cell;
    private readonly ActorLearner _learner;
    private readonly LocalParameters _local;
    private readonly LearnerLog _log = new();
    private readonly InFlightLedger<byte[]> _ledger = new();
    private readonly Stack<byte[]> _free = new();
    private readonly int _worker, _incarnation, _chunkLength;
    private ParameterVersion? _used;
    private long _sequence;
    private int _credits;
    private bool _registered, _running;

    /// <param name="setup">What it needs beside the actors.</param>
    /// <param name="identity">Which learner it is.</param>
    /// <param name="server">Takes its gradients.</param>
    /// <param name="cache">The node's cache, which says when there are newer weights.</param>
    /// <param name="cell">Where they are.</param>
    /// <param name="observer">Gets its <see cref="WorkerReport"/>s.</param>
    public SynchronousLearnerActor(
        RemoteLearnerSetup setup, WorkerIdentity identity, IActorRef server, IActorRef cache, ParameterCell cell, IActorRef observer)
    {
        (_setup, _server, _cache, _cell, _observer) = (setup, server, cache, cell, observer);
        (_worker, _incarnation, _local) = (identity.Index, identity.BeginIncarnation(), new LocalParameters(setup.Parameters));
        _chunkLength = setup.Wire.ChunkKilobytes * 1024 / GradientEncodings.BytesPerValue(setup.Wire.GradientEncoding);
        _learner = setup.Create(new LearnerPlace(_worker, _incarnation, setup.RunSeed, 0, null, _local, _log), null!);
        Receive<Continue>(_ => OnContinue());
        Receive<ParametersAvailable>(_ => Begin());
        Receive<GradientAcknowledged>(OnAcknowledged);
        Receive<LearnerRegistered>(OnRegistered);
        Receive<ExpireCredits>(_ => OnExpireCredits());
        Receive<Register>(_ => OnRegister());
        Receive<ReportDue>(_ => Report());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        OnRegister();
        Timers.StartPeriodicTimer(nameof(ExpireCredits), ExpireCredits.Instance, _setup.CreditTimeout / 4);
        Timers.StartPeriodicTimer(nameof(ReportDue), ReportDue.Instance, ReportInterval);
    }

    protected override void PostStop()
    {
        _learner.Dispose();
        Report();
    }

    // Between nodes the first word may get lost.
    private void OnRegister()
    {
        _server.Tell(new RegisterLearner(_worker, _incarnation, _setup.Run));
        if (!Timers.IsTimerActive(nameof(Register))) Timers.StartPeriodicTimer(nameof(Register), Register.Instance, RegisterInterval);
    }

    private void OnRegistered(LearnerRegistered message)
    {
        if (message.Incarnation != _incarnation || _registered) return;
        Timers.Cancel(nameof(Register));
        (_registered, _credits) = (true, message.Credits);
        Begin();
    }

    private void Begin()
    {
        if (_running || !_registered || _ledger.InFlight >= _credits) return;
        _running = true;
        Self.Tell(Continue.Instance);
    }

    private void OnContinue()
    {
        _running = false;
        if (_ledger.InFlight >= _credits) return;
        if (Refresh())
        {
            _learner.AddGradient();
            Send();
        }
        _cache.Tell(new AwaitNewerParameters(_used));
    }

    /// <summary>Takes the newest weights; false where it has acted with these, or there are none.</summary>
    private bool Refresh()
    {
        if (_cell.Acquire() is not { } newest) return false;
        var isNewer = newest.Version != _used;
        if (isNewer) newest.Values.CopyTo(_local.Values);
        _used = newest.Version;
        newest.Release();
        return isNewer;
    }

    // Only the server sees the mean, whose norm is bounded.
    private void Send()
    {
        var gradient = _local.Gradient;
        var (wire, id) = (_setup.Wire, new UnrollId(_worker, _incarnation, _sequence++));
        var size = GradientEncodings.BytesPerValue(wire.GradientEncoding);
        var buffer = _free.TryPop(out var free) ? free : new byte[gradient.Length * size];
        var scale = GradientEncodings.Encode(gradient, 1, wire.GradientEncoding, buffer);
        var progress = _log.Take();
        var segment = new SegmentReport(
            _learner.Frames, progress.EpisodeReturns, progress.EpisodeLengths, progress.EpisodesLost, progress.Loss,
            Core.Optimizers.GradientClipping.Norm(gradient));
        for (var sent = 0; sent < gradient.Length;)
        {
            var length = ChunkSequence<UnrollId>.LengthAt(sent, gradient.Length, _chunkLength);
            _server.Tell(new PushGradient(
                id, _used!.Value, gradient.Length, sent, wire.GradientEncoding, scale, buffer.AsMemory(sent * size, length * size), segment));
            sent += length;
        }
        gradient.Clear();
        _ledger.Send(id.Sequence, buffer, Context.System.Scheduler.MonotonicClock);
    }

    private void OnAcknowledged(GradientAcknowledged message)
    {
        if (message.Id.Worker != _worker || message.Id.Incarnation != _incarnation) return;
        if (_ledger.Close(message.Id.Sequence, OutcomeOf(message.Rejection)) is { } buffer) _free.Push(buffer);
        if (message.Rejection == GradientRejection.UnknownLearner && _registered)
        {
            // It had given this learner up: another gradient of the same version, as no update may come before that.
            (_registered, _used) = (false, null);
            OnRegister();
        }
        else if (message.Rejection is not (GradientRejection.None or GradientRejection.Stale or GradientRejection.Duplicate)) ActAgain();
        else Begin();
    }

    private void OnExpireCredits()
    {
        if (_ledger.Expire(Context.System.Scheduler.MonotonicClock - _setup.CreditTimeout) > 0) ActAgain();
    }

    // The update lacks a gradient of this learner: another one of the same version.
    private void ActAgain()
    {
        _used = null;
        Begin();
    }

    private static UnrollOutcome OutcomeOf(GradientRejection rejection) => rejection switch
    {
        GradientRejection.None => UnrollOutcome.Consumed,
        GradientRejection.WrongLength => UnrollOutcome.WrongShape,
        GradientRejection.NotFinite => UnrollOutcome.NotFinite,
        GradientRejection.Duplicate => UnrollOutcome.Duplicate,
        _ => UnrollOutcome.StaleIncarnation,
    };

    private void Report()
    {
        var report = new WorkerReport(
            _worker, _incarnation, _ledger.Sent, _ledger.Consumed, _ledger.Lost, _ledger.Count(UnrollOutcome.WrongShape),
            TableFull: 0, _ledger.Count(UnrollOutcome.Duplicate), _ledger.Count(UnrollOutcome.StaleIncarnation),
            _ledger.Count(UnrollOutcome.NotFinite));
        _setup.Reported?.Invoke(report);
        _observer.Tell(report);
    }

    private sealed record Continue
    {
        public static readonly Continue Instance = new();
    }

    private sealed record Register
    {
        public static readonly Register Instance = new();
    }

    private sealed record ExpireCredits
    {
        public static readonly ExpireCredits Instance = new();
    }

    private sealed record ReportDue
    {
        public static readonly ReportDue Instance = new();
    }
}
