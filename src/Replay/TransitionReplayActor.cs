using System.Runtime.InteropServices;
using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Replay;

/// <summary>What the owner of a run's one replay memory works with.</summary>
/// <param name="Memory">The memory, which learners of this process use, too.</param>
/// <param name="Segment">The shape that every segment has.</param>
/// <param name="BatchSize">Steps of a minibatch.</param>
/// <param name="Least">Steps that the memory has before learning begins.</param>
/// <param name="CreditsPerWorker">Segments that a learner may have in flight.</param>
/// <param name="MaxBytesPerWorker">Bytes that a learner may have in flight; one segment is always allowed.</param>
/// <param name="RunSeed">The run's seed.</param>
/// <param name="WirePool">Gets back the segments that came over a wire.</param>
public sealed record TransitionReplaySetup(
    TransitionMemory Memory, UnrollShape Segment, int BatchSize, int Least, int CreditsPerWorker, long MaxBytesPerWorker, ulong RunSeed,
    UnrollPool? WirePool = null);

/// <summary>
/// Is responsible for what learners of other nodes put into the run's one replay memory and draw from it: grants credits, inserts each
/// segment once or refuses it with the reason, and answers each request with a minibatch.
/// </summary>
public sealed class TransitionReplayActor : ReceiveActor
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);

    private readonly TransitionReplaySetup _setup;
    private readonly CreditBook _credits;
    private readonly Dictionary<int, Source> _sources = [];
    private readonly TransitionBatch _batch;
    private readonly StepEnd[] _ends;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private TimeSpan? _loggedAt;
    private long _refused;
    private bool _saidBarren;

    public TransitionReplayActor(TransitionReplaySetup setup)
    {
        _setup = setup;
        if (setup.WirePool is { } pool) pool.Shape = setup.Segment;
        _credits = new CreditBook(setup.CreditsPerWorker, setup.MaxBytesPerWorker);
        _batch = new TransitionBatch(setup.Segment.Observation, setup.BatchSize);
        _ends = new StepEnd[setup.Segment.Frames];
        Receive<InsertUnroll>(OnInsert);
        Receive<RequestTransitions>(OnRequest);
        Receive<RegisterWorker>(OnRegister);
    }

    private void OnRegister(RegisterWorker message)
    {
        if (!_credits.TryRegister(message.Worker, message.Incarnation)) return;
        if (_sources.GetValueOrDefault(message.Worker)?.Incarnation != message.Incarnation)
            _sources[message.Worker] = new Source(message.Worker, message.Incarnation, _setup);
        Sender.Tell(new CreditsGranted(message.Worker, message.Incarnation, _credits.CreditsFor(_setup.Segment.ByteCount)));
    }

    private void OnInsert(InsertUnroll message)
    {
        var (unroll, id) = (message.Unroll, message.Unroll.Id);
        var outcome = Insert(unroll, id);
        if (outcome != UnrollOutcome.Consumed) LogRefusal(outcome, id);
        Sender.Tell(new CreditReturned(id, outcome));
        _setup.WirePool?.Return(unroll);
    }

    private UnrollOutcome Insert(Unroll unroll, UnrollId id)
    {
        if (unroll.Shape != _setup.Segment) return UnrollOutcome.WrongShape;
        if (!_sources.TryGetValue(id.Worker, out var source) || source.Incarnation != id.Incarnation) return UnrollOutcome.StaleIncarnation;
        // One that is drawn makes a gradient of NaN, again and again. Other numbers were looked at when they were read.
        if (unroll.Shape.Observation.Type == ElementType.Float32
            && FiniteCheck.FirstNotFinite(MemoryMarshal.Cast<byte, float>(unroll.Observations)) >= 0)
            return UnrollOutcome.NotFinite;
        if (_credits.Reject(id.Worker, id.Incarnation, id.Sequence) is { } rejection) return rejection;
        var environments = unroll.Shape.Environments;
        for (var i = 0; i < _ends.Length; i++)
            _ends[i] = !unroll.Reset[i + environments] ? StepEnd.GoesOn : unroll.Discounts[i] > 0 ? StepEnd.Cut : StepEnd.Ended;
        _setup.Memory.Insert(source.LanesFor(id.Sequence), new TransitionSegment
        {
            Observations = unroll.Observations.AsSpan(0, unroll.Shape.Steps * unroll.Shape.ObservationRowBytes),
            Actions = unroll.Actions,
            Rewards = unroll.Rewards,
            Discounts = unroll.Discounts,
            Ends = _ends,
        });
        return UnrollOutcome.Consumed;
    }

    private void OnRequest(RequestTransitions message)
    {
        if (!_sources.TryGetValue(message.Worker, out var source) || source.Incarnation != message.Incarnation) return;
        var isDrawn = source.TryDraw(_batch);
        if (!isDrawn && !_saidBarren && (_saidBarren = _setup.Memory.IsBarren))
            _log.Error($"The replay memory is full, and none of its {_setup.Memory.Capacity} steps can be learned from");
        Sender.Tell(isDrawn
            ? _batch.ToMessage(message)
            : new TransitionsDrawn(message.Worker, message.Incarnation, message.Number, [], [], [], []));
    }

    // A flood of them must not fill the log.
    private void LogRefusal(UnrollOutcome outcome, UnrollId id)
    {
        _refused++;
        var now = Context.System.Scheduler.MonotonicClock;
        if (now - _loggedAt < LogInterval) return;
        _loggedAt = now;
        _log.Warning($"Segment {id} of {Sender.Path.Address} is refused: {outcome}; {_refused} were refused so far");
    }

    /// <summary>One learner's incarnation.</summary>
    private sealed class Source(int worker, int incarnation, TransitionReplaySetup setup)
    {
        private TransitionLane[] _lanes = TransitionLane.Create(setup.Segment.Environments);
        private RandomStream _draws = RandomStream.Create(setup.RunSeed, StreamRole.Replay, (uint)worker, (uint)incarnation);
        private long _expected;

        public int Incarnation => incarnation;

        public bool TryDraw(TransitionBatch batch) => setup.Memory.TrySample(setup.Least, batch, ref _draws);

        /// <summary>Where the segment goes. What follows one that was lost joins nothing before it.</summary>
        public TransitionLane[] LanesFor(long sequence)
        {
            if (sequence != _expected) _lanes = TransitionLane.Create(setup.Segment.Environments);
            _expected = sequence + 1;
            return _lanes;
        }
    }
}
