using Akka.Actor;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>
/// Is responsible for one actor-learner whose parameters are with gradient servers, one or one a shard: begins each segment with the newest
/// versions that the node has, and sends the segment's gradient, to each server its part, for each credit that they grant. Runs on a pinned
/// dispatcher.
/// </summary>
public sealed class RemoteLearnerActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan RegisterInterval = TimeSpan.FromSeconds(1), ReportInterval = TimeSpan.FromSeconds(1),
        RetryInterval = TimeSpan.FromMilliseconds(20);

    private readonly RemoteLearnerSetup _setup;
    private readonly Shard[] _shards;
    private readonly IActorRef _finder, _observer;
    private readonly IReadOnlyList<IActorRef> _caches;
    private readonly ActorLearner _learner;
    private readonly LocalParameters _local;
    private readonly LearnerLog _log = new();
    private readonly RemoteRun _run;
    private readonly GradientsInFlight _gradients;
    private readonly Stack<byte[]> _free = new();
    private readonly int _worker, _incarnation, _chunkLength;
    private long _sequence;
    private int _credits, _keptBack, _mostCredits = int.MaxValue;
    private bool _granted, _running;

    /// <param name="setup">What it needs beside the actors.</param>
    /// <param name="identity">Which learner it is.</param>
    /// <param name="finder">Knows where its gradients go: a <see cref="ShardFinderActor"/>.</param>
    /// <param name="caches">The node's caches, which say when there are weights: first those of θ, for each shard, in order.</param>
    /// <param name="cells">Where they are: for each shard, in order.</param>
    /// <param name="observer">Gets its <see cref="WorkerReport"/>s.</param>
    public RemoteLearnerActor(
        RemoteLearnerSetup setup, WorkerIdentity identity, IActorRef finder, IReadOnlyList<IActorRef> caches, LearnerCells[] cells, IActorRef observer)
    {
        (_setup, _finder, _caches, _observer) = (setup, finder, caches, observer);
        (_shards, _run, _gradients) = (Array.ConvertAll(cells, each => new Shard(each)), new RemoteRun(cells), new GradientsInFlight(cells.Length));
        (_worker, _incarnation, _local) = (identity.Index, identity.BeginIncarnation(), new LocalParameters(setup.Parameters));
        _chunkLength = setup.Wire.ChunkKilobytes * 1024 / GradientEncodings.BytesPerValue(setup.Wire.GradientEncoding);
        _learner = setup.Create(new LearnerPlace(_worker, _incarnation, setup.RunSeed, 0, null, _local, _log) { AllFrames = _run, Runner = Self }, _run);
        Receive<Continue>(_ => OnContinue());
        Receive<GradientAcknowledged>(OnAcknowledged);
        Receive<ParametersAvailable>(_ => Begin());
        Receive<LearnerReady>(_ => Begin());
        Receive<LearnerRegistered>(OnRegistered);
        Receive<ExpireCredits>(_ => OnExpireCredits());
        Receive<ServerPlaced>(OnPlaced);
        Receive<ServerLost>(message => OnLost(message.Shard));
        Receive<Register>(_ => OnRegister());
        Receive<Retry>(_ => Begin());
        Receive<ReportDue>(_ => Report());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _finder.Tell(FindServers.Instance);
        foreach (var cache in _caches) cache.Tell(AwaitParameters.Instance);
        // Between nodes the first word may get lost.
        Timers.StartPeriodicTimer(nameof(Register), Register.Instance, RegisterInterval);
        Timers.StartPeriodicTimer(nameof(ExpireCredits), ExpireCredits.Instance, _setup.CreditTimeout / 4);
        Timers.StartPeriodicTimer(nameof(ReportDue), ReportDue.Instance, ReportInterval);
    }

    protected override void PostStop()
    {
        _run.ReleaseTarget();
        _learner.Dispose();
        Report();
    }

    private void OnPlaced(ServerPlaced message)
    {
        if (_shards[message.Shard].Server is not null) OnLost(message.Shard);
        var shard = _shards[message.Shard];
        (shard.Server, shard.Epoch) = (message.Server, message.Epoch);
        RegisterAt(shard);
    }

    // What it had applied of late its owner may not have heard of.
    private void OnLost(int index)
    {
        var shard = _shards[index];
        if (shard.Newest is { } newest) _finder.Tell(new ShardVersion(index, newest.Epoch, newest.Counter));
        (shard.Server, shard.IsRegistered) = (null, false);
        _credits += _gradients.Lose(index);
    }

    private void OnRegister()
    {
        foreach (var shard in _shards)
            if (!shard.IsRegistered) RegisterAt(shard);
    }

    private void RegisterAt(Shard shard) => shard.Server?.Tell(new RegisterLearner(_worker, _incarnation, _setup.Run));

    private void OnRegistered(LearnerRegistered message)
    {
        if (message.Incarnation != _incarnation || message.Shard >= _shards.Length) return;
        var shard = _shards[message.Shard];
        if (shard.IsRegistered || !Sender.Equals(shard.Server)) return;
        shard.IsRegistered = true;
        _mostCredits = Math.Min(_mostCredits, message.Credits);
        _run.OnFrames(message.Frames);
        if (!_granted && Array.TrueForAll(_shards, each => each.IsRegistered)) (_granted, _credits) = (true, _mostCredits);
        Begin();
    }

    private void Begin()
    {
        if (_running || _credits == 0 || !Array.TrueForAll(_shards, shard => shard.IsRegistered)) return;
        _running = true;
        Self.Tell(Continue.Instance);
    }

    private void OnContinue()
    {
        _running = false;
        if (_credits == 0 || !_learner.IsReady || !Array.TrueForAll(_shards, shard => shard.IsRegistered)) return;
        if (!Refresh())
        {
            Timers.StartSingleTimer(nameof(Retry), Retry.Instance, RetryInterval);
            return;
        }
        var result = _learner.AddGradient();
        _run.ReleaseTarget();
        // Segments without a gradient are told of with the next that has one.
        if (result == SegmentResult.Gradient) Send();
        else if (result == SegmentResult.Outlier) _keptBack++;
        Begin();
    }

    /// <summary>Takes the newest weights; false where some have not come yet, are of a shard that has begun anew meanwhile, or are those that a
    /// gradient was too stale with.</summary>
    private bool Refresh()
    {
        if (_learner.WantsParameters || Array.Exists(_shards, shard => shard.IsTooOld || shard.Version?.Epoch != shard.Epoch))
        {
            for (var i = 0; i < _shards.Length; i++)
                if (!Refresh(i)) return false;
        }
        return _run.HoldTarget();
    }

    private bool Refresh(int index)
    {
        var shard = _shards[index];
        if (shard.Cells.Parameters.Acquire() is not { } newest) return false;
        var version = newest.Version;
        if (version != shard.Version)
        {
            newest.Values.CopyTo(_local.Values[shard.Cells.Range.Start..]);
            (shard.Version, shard.FirstSequence, shard.IsTooOld) = (version, _sequence, false);
        }
        newest.Release();
        if (shard.IsTooOld) _caches[index].Tell(new AwaitNewerParameters(version));
        return version.Epoch == shard.Epoch && !shard.IsTooOld;
    }

    private void Send()
    {
        var gradient = _local.Gradient;
        var (wire, id) = (_setup.Wire, new UnrollId(_worker, _incarnation, _sequence++));
        var norm = GradientClipping.Norm(gradient);
        var size = GradientEncodings.BytesPerValue(wire.GradientEncoding);
        var buffer = _free.TryPop(out var free) ? free : new byte[gradient.Length * size];
        var scale = GradientEncodings.Encode(gradient, GradientClipping.Scale(norm, _setup.MaxGradientNorm), wire.GradientEncoding, buffer);
        // There may have been many segments without a gradient; what one message does not hold is told with the next.
        var progress = _log.Take(GradientIntake.MostFrames(_learner.Frames), GradientCodecs.MaxReportedEpisodes);
        var frames = (int)progress.Frames;
        var keptBack = Math.Min(_keptBack, (frames / _learner.Frames) - 1);
        _keptBack -= keptBack;
        var segment = new SegmentReport(
            frames, progress.EpisodeReturns, progress.EpisodeLengths, progress.EpisodesLost, progress.Loss, norm, keptBack, Skew());
        // Episodes are counted by the server that has the first part of all.
        var others = segment with { EpisodeReturns = [], EpisodeLengths = [], EpisodesLost = 0 };
        foreach (var shard in _shards)
        {
            for (var sent = shard.Cells.Range.Start; sent < shard.Cells.Range.End;)
            {
                var length = ChunkSequence<UnrollId>.LengthAt(sent, shard.Cells.Range.End, _chunkLength);
                var values = buffer.AsMemory(sent * size, length * size);
                shard.Server!.Tell(new PushGradient(
                    id, shard.Version!.Value, gradient.Length, sent, wire.GradientEncoding, scale, values, sent == 0 ? segment : others));
                sent += length;
            }
        }
        gradient.Clear();
        _gradients.Send(id.Sequence, buffer, Context.System.Scheduler.MonotonicClock);
        _credits--;
    }

    private long Skew()
    {
        var (least, most) = (long.MaxValue, 0L);
        foreach (var shard in _shards)
        {
            var updates = shard.Version!.Value.Counter;
            (least, most) = (Math.Min(least, updates), Math.Max(most, updates));
        }
        return most - least;
    }

    private void OnAcknowledged(GradientAcknowledged message)
    {
        if (message.Id.Worker != _worker || message.Id.Incarnation != _incarnation || message.Shard >= _shards.Length) return;
        var shard = _shards[message.Shard];
        _run.OnFrames(message.Frames);
        if (shard.Newest is not { } newest || message.Newest > newest) shard.Newest = message.Newest;
        // The next one with the same parameters would be, too. Of an earlier gradient it says nothing: newer ones have come since.
        if (message.Rejection == GradientRejection.Stale && message.Id.Sequence >= shard.FirstSequence) shard.IsTooOld = true;
        // It had given this learner up.
        if (message.Rejection == GradientRejection.UnknownLearner && shard.IsRegistered && Sender.Equals(shard.Server))
        {
            shard.IsRegistered = false;
            RegisterAt(shard);
        }
        if (_gradients.Answer(message.Id.Sequence, message.Shard, message.Rejection) is not { } buffer) return;
        _free.Push(buffer);
        _credits++;
        Begin();
    }

    private void OnExpireCredits()
    {
        _credits += _gradients.Expire(Context.System.Scheduler.MonotonicClock - _setup.CreditTimeout);
        Begin();
    }

    private void Report()
    {
        var ledger = _gradients.Ledger;
        var report = new WorkerReport(
            _worker, _incarnation, ledger.Sent, ledger.Consumed, ledger.Lost, ledger.Count(UnrollOutcome.WrongShape),
            TableFull: 0, ledger.Count(UnrollOutcome.Duplicate), ledger.Count(UnrollOutcome.StaleIncarnation),
            ledger.Count(UnrollOutcome.NotFinite));
        _setup.Reported?.Invoke(report);
        _observer.Tell(report);
    }

    /// <summary>A part of the parameters, as this learner knows it.</summary>
    private sealed class Shard(LearnerCells cells)
    {
        public LearnerCells Cells => cells;

        /// <summary>Takes its gradients; null: nobody does now.</summary>
        public IActorRef? Server { get; set; }

        public int Epoch { get; set; }

        public bool IsRegistered { get; set; }

        /// <summary>Of the parameters that the learner acts with.</summary>
        public ParameterVersion? Version { get; set; }

        /// <summary>Of the first gradient that was computed with these.</summary>
        public long FirstSequence { get; set; }

        /// <summary>Gradients computed with these are refused as stale.</summary>
        public bool IsTooOld { get; set; }

        /// <summary>The last one that the server told of.</summary>
        public ParameterVersion? Newest { get; set; }
    }

    private sealed record Continue
    {
        public static readonly Continue Instance = new();
    }

    private sealed record Register
    {
        public static readonly Register Instance = new();
    }

    private sealed record Retry
    {
        public static readonly Retry Instance = new();
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
