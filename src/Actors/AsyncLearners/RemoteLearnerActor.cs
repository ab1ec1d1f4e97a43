using Akka.Actor;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>
/// Is responsible for one actor-learner whose parameters live on another node: begins each segment with the newest version that the node
/// has, and sends the segment's gradient for each credit that the gradient server grants. Runs on a pinned dispatcher.
/// </summary>
public sealed class RemoteLearnerActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan RegisterInterval = TimeSpan.FromSeconds(1), ReportInterval = TimeSpan.FromSeconds(1);

    private readonly RemoteLearnerSetup _setup;
    private readonly LearnerCells _cells;
    private readonly IActorRef _server, _observer;
    private readonly IReadOnlyList<IActorRef> _caches;
    private readonly ActorLearner _learner;
    private readonly LocalParameters _local;
    private readonly LearnerLog _log = new();
    private readonly RemoteRun _run = new();
    private readonly InFlightLedger<byte[]> _ledger = new();
    private readonly Stack<byte[]> _free = new();
    private readonly int _worker, _incarnation, _chunkLength;
    private ParameterVersion? _version;
    private long _sequence;
    private int _credits, _keptBack;
    private bool _granted, _running, _wasStale;

    /// <param name="setup">What it needs beside the actors.</param>
    /// <param name="identity">Which learner it is.</param>
    /// <param name="server">Takes its gradients.</param>
    /// <param name="caches">The node's caches, which say when there are weights.</param>
    /// <param name="cells">Where they are.</param>
    /// <param name="observer">Gets its <see cref="WorkerReport"/>s.</param>
    public RemoteLearnerActor(
        RemoteLearnerSetup setup, WorkerIdentity identity, IActorRef server, IReadOnlyList<IActorRef> caches, LearnerCells cells, IActorRef observer)
    {
        (_setup, _server, _caches, _cells, _observer) = (setup, server, caches, cells, observer);
        (_worker, _incarnation, _local) = (identity.Index, identity.BeginIncarnation(), new LocalParameters(setup.Parameters));
        _chunkLength = setup.Wire.ChunkKilobytes * 1024 / GradientEncodings.BytesPerValue(setup.Wire.GradientEncoding);
        _learner = setup.Create(new LearnerPlace(_worker, _incarnation, setup.RunSeed, 0, null, _local, _log) { AllFrames = _run, Runner = Self }, _run);
        Receive<Continue>(_ => OnContinue());
        Receive<GradientAcknowledged>(OnAcknowledged);
        Receive<ParametersAvailable>(_ => Begin());
        Receive<LearnerReady>(_ => Begin());
        Receive<LearnerRegistered>(OnRegistered);
        Receive<ExpireCredits>(_ => OnExpireCredits());
        Receive<Register>(_ => OnRegister());
        Receive<ReportDue>(_ => Report());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        OnRegister();
        // Between nodes the first word may get lost.
        Timers.StartPeriodicTimer(nameof(Register), Register.Instance, RegisterInterval);
        foreach (var cache in _caches) cache.Tell(AwaitParameters.Instance);
        Timers.StartPeriodicTimer(nameof(ExpireCredits), ExpireCredits.Instance, _setup.CreditTimeout / 4);
        Timers.StartPeriodicTimer(nameof(ReportDue), ReportDue.Instance, ReportInterval);
    }

    protected override void PostStop()
    {
        _run.Hold(null);
        _learner.Dispose();
        Report();
    }

    private void OnRegister() => _server.Tell(new RegisterLearner(_worker, _incarnation, _setup.Run));

    private void OnRegistered(LearnerRegistered message)
    {
        if (message.Incarnation != _incarnation || _granted) return;
        _granted = true;
        Timers.Cancel(nameof(Register));
        _credits = message.Credits;
        _run.OnFrames(message.Frames);
        Begin();
    }

    private void Begin()
    {
        if (_running || _credits == 0) return;
        _running = true;
        Self.Tell(Continue.Instance);
    }

    private void OnContinue()
    {
        _running = false;
        if (_credits == 0 || !_learner.IsReady || !Refresh()) return;
        var result = _learner.AddGradient();
        _run.Hold(null);
        // Segments without a gradient are told of with the next that has one.
        if (result == SegmentResult.Gradient) Send();
        else if (result == SegmentResult.Outlier) _keptBack++;
        Begin();
    }

    /// <summary>Takes the newest weights; false where there are none yet.</summary>
    private bool Refresh()
    {
        if (_cells.Parameters.Acquire() is not { } newest) return false;
        if (newest.Version != _version && (_version is null || _wasStale || _learner.WantsParameters))
        {
            newest.Values.CopyTo(_local.Values);
            (_version, _wasStale) = (newest.Version, false);
        }
        newest.Release();
        if (_cells.Target is not { } cell) return true;
        if (cell.Acquire() is not { } target) return false;
        _run.Hold(target);
        return true;
    }

    private void Send()
    {
        var gradient = _local.Gradient;
        var (wire, id) = (_setup.Wire, new UnrollId(_worker, _incarnation, _sequence++));
        var norm = GradientClipping.Norm(gradient);
        var size = GradientEncodings.BytesPerValue(wire.GradientEncoding);
        var buffer = _free.TryPop(out var free) ? free : new byte[gradient.Length * size];
        var scale = GradientEncodings.Encode(gradient, GradientClipping.Scale(norm, _setup.MaxGradientNorm), wire.GradientEncoding, buffer);
        var progress = _log.Take();
        var segment = new SegmentReport(
            (int)progress.Frames, progress.EpisodeReturns, progress.EpisodeLengths, progress.EpisodesLost, progress.Loss, norm, _keptBack);
        _keptBack = 0;
        for (var sent = 0; sent < gradient.Length;)
        {
            var length = ChunkSequence<UnrollId>.LengthAt(sent, gradient.Length, _chunkLength);
            _server.Tell(new PushGradient(
                id, _version!.Value, gradient.Length, sent, wire.GradientEncoding, scale, buffer.AsMemory(sent * size, length * size), segment));
            sent += length;
        }
        gradient.Clear();
        _ledger.Send(id.Sequence, buffer, Context.System.Scheduler.MonotonicClock);
        _credits--;
    }

    private void OnAcknowledged(GradientAcknowledged message)
    {
        if (message.Id.Worker != _worker || message.Id.Incarnation != _incarnation) return;
        _run.OnFrames(message.Frames);
        _wasStale |= message.Rejection == GradientRejection.Stale;
        if (_ledger.Close(message.Id.Sequence, OutcomeOf(message.Rejection)) is not { } buffer) return;
        _free.Push(buffer);
        _credits++;
        Begin();
    }

    private void OnExpireCredits()
    {
        _credits += _ledger.Expire(Context.System.Scheduler.MonotonicClock - _setup.CreditTimeout);
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
