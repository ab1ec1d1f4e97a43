using System.Globalization;
using Akka.Actor;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Node.Training;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Engines;

/// <summary>Holds a run of asynchronous learners to what it promises: each gradient of another node is applied once, or known not to have
/// been, and nothing else changes the weights but the learners of the leading process.</summary>
/// <param name="maxNorm">The norm that learners clip their gradients to.</param>
/// <param name="totalFrames">After these no gradient need be applied.</param>
/// <param name="violated">Told what is wrong, each time.</param>
/// <param name="rounds">Of A2C, whose updates are of several gradients; null where each gradient is an update.</param>
internal sealed class GradientInvariants(float maxNorm, long totalFrames, Action<string> violated, RoundInvariants? rounds = null)
    : RunInvariants(violated)
{
    private const int RememberedUpdates = 512;

    private readonly Dictionary<UnrollId, GradientParts> _arriving = [], _waiting = [];
    private readonly Dictionary<int, int> _registered = [];
    private readonly Dictionary<(int Worker, int Incarnation), long> _lastApplied = [], _lastStale = [];
    private readonly Dictionary<long, ulong> _hashes = [];
    private readonly Queue<long> _remembered = new();
    private AsyncState? _state;
    private GradientParts? _completed;
    private string _run = "";
    private bool _stopped;
    private Counts _base, _now, _messages, _local, _reportedLocal, _reportedMessages;
    private long _rolledBackInAll, _stale;

    public override string Things => "gradients";

    public override string Recipient => RunCoordinator.GradientsName;

    public override long Frames => _state!.Shared.Frames;

    public override long Updates => _state?.Shared.Updates ?? -1;

    public override ReadOnlySpan<float> Parameters => _state!.Shared.Values;

    public override string Rest => $", {_local.Updates} updates of learners that share memory";

    public override bool HasMoreFaults => true;

    protected override long ReportedRolledBack => _state!.UnrollsRolledBack;

    public override void LeaderStarted(RunPlan plan, long known, int localWorkers) =>
        LeaderStarted(((AsyncRunPlan)plan).State, plan.RunId, known, localWorkers);

    /// <summary>As the other one; the state is what the leading process knows.</summary>
    public void LeaderStarted(AsyncState state, string run, long known = 0, int localWorkers = 0)
    {
        var before = _state?.UnrollsConsumed ?? 0;
        (_state, _run, _stopped, _completed) = (state, run, false, null);
        _arriving.Clear();
        _waiting.Clear();
        _registered.Clear();
        _hashes.Clear();
        _remembered.Clear();
        rounds?.Clear();
        _lastApplied.Clear();
        _lastStale.Clear();
        foreach (var claim in state.Gradients.SentAtLeast()) _lastApplied[(claim.Worker, claim.Incarnation)] = claim.Unrolls - 1;
        _base = new Counts(state.Shared.Frames, state.Shared.Updates);
        (_now, _messages, _local, _reportedLocal, _reportedMessages) = (_base, default, default, default, default);
        _stale = state.Shared.Rejected(GradientRejection.Stale);
        _rolledBackInAll += before - state.UnrollsConsumed;
        if (_rolledBackInAll < 0 || !Begin(state.Epoch, CurrentLedger(), known, localWorkers)) return;
        Remember();
        CheckRolledBack(state.UnrollsConsumed, state.UnrollsRolledBack, _rolledBackInAll);
    }

    /// <summary>What changed the weights came from the learners, each gradient once.</summary>
    public override void Check()
    {
        if (_state is null) return;
        if (_state.Gradients.Applied != Consumed) TakeUp();
        if (rounds is null) CheckCompleted();
        _completed = null;
        var now = new Counts(Frames, Updates);
        if (now == _now) return;
        var local = now - _base - _messages;
        if (local.Frames < _local.Frames || local.Updates < _local.Updates || (LocalWorkers == 0 && local != default))
        {
            Violated($"Frames are those of the gradients: {now}, {_base} at first, {_messages} of gradients by messages, "
                + $"{_local} of {LocalWorkers} learners in shared memory a message ago.");
        }
        (_local, _now) = (local, now);
        Remember();
    }

    // Where each gradient is an update, nothing waits.
    private void CheckCompleted()
    {
        var stale = _state!.Shared.Rejected(GradientRejection.Stale);
        if (_completed is { Flaw: { } flaw } unsound && stale > _stale) Violated($"Only sound gradients count: {unsound.Id} {flaw}, and was found stale.");
        if (_completed is { Flaw: null } sound && !WasConsumed(sound.Id))
        {
            // Its environments were stepped all the same.
            if (stale > _stale)
            {
                _messages += new Counts(sound.Frames, 0);
                _lastStale[(sound.Id.Worker, sound.Id.Incarnation)] = sound.Id.Sequence;
            }
            else if (!_stopped && _now.Frames < totalFrames) Violated($"A sound gradient is applied: {sound.Id} was not.");
        }
        _stale = stale;
        _waiting.Clear();
    }

    /// <summary>Ledger, weights and counts are of this moment.</summary>
    public override void CheckpointSaved(Checkpoint checkpoint, long frames)
    {
        var ledger = ConsumptionLedger.Load(checkpoint.Tensor("gradients.ledger").Int64s);
        var counters = checkpoint.Tensor("counters").Int64s;
        if (ledger.Consumed != Consumed || counters is not [var t, var updates] || t != Frames || updates != Updates || frames != t
            || HashOf(checkpoint.Tensor("parameters").Floats) != HashOf(Parameters))
        {
            Violated($"A checkpoint is whole: {ledger.Consumed} gradients in its ledger, counts {string.Join(", ", counters)}; "
                + $"{Consumed} gradients, {Frames} frames, {Updates} updates were made.");
        }
        CheckRows(ledger);
    }

    public override void Finished(LearnerReport report, long totalFrames)
    {
        Check();
        if (report.Frames < totalFrames) Violated($"The run reaches its end: {report.Frames} of {totalFrames} frames.");
        if (report.Frames != Frames || report.Updates != Updates || _reportedLocal != _local || _reportedMessages != _messages)
        {
            Violated($"Frames are those of the gradients: {_messages} by messages, of which {_reportedMessages} are reported, {_local} of "
                + $"learners in shared memory, of which {_reportedLocal} are reported; the end's report has {report.Frames} frames.");
        }
        CheckRolledBack(report.UnrollsConsumed, report.UnrollsRolledBack, _rolledBackInAll);
    }

    public override int? WorkedWith(object message) =>
        message is GradientAcknowledged { Rejection: GradientRejection.None } answer ? answer.Id.Worker : null;

    public override bool Collect(object message, List<object> parcel)
    {
        if (message is not PushGradient push) return false;
        // Where a part of it was lost, the same learner's next gradient takes its place.
        if (push.Offset == 0 && parcel is [PushGradient first, ..] && first.Id.Worker == push.Id.Worker) parcel.Clear();
        if (parcel.Count == 0 ? push.Offset != 0 : ((PushGradient)parcel[0]).Id != push.Id) return false;
        parcel.Add(push with { Values = push.Values.ToArray() });
        return push.Offset + push.Count == push.Total;
    }

    public override bool TryPoison(object message, int place)
    {
        if (message is not PushGradient push) return false;
        GradientParts.Poison(push, place);
        return true;
    }

    public override void ObserveRepeated(object message) => Arrive((PushGradient)message);

    protected override ConsumptionLedger CurrentLedger() => ConsumptionLedger.Load(
        _state!.Gradients.Save().First(tensor => tensor.Name == "gradients.ledger").Int64s);

    protected override void OnMessage(ActorPath path, object message)
    {
        switch (message)
        {
            case PushGradient push:
                OnPush(push);
                return;
            case GradientAcknowledged answer:
                OnAcknowledged(answer);
                return;
            case RegisterLearner register when register.Run == _run:
                var known = _registered.GetValueOrDefault(register.Worker, -1);
                _registered[register.Worker] = Math.Max(register.Incarnation, known);
                rounds?.Heard(register.Worker, register.Incarnation > known);
                return;
            case LearnerRegistered registered:
                BooksOf(registered.Worker, registered.Incarnation).Credits = registered.Credits;
                return;
            case Terminated gone when path.Name == Recipient && gone.ActorRef.Path.Name.Split('-') is [_, var index]:
                var worker = int.Parse(index, CultureInfo.InvariantCulture);
                _registered.Remove(worker);
                rounds?.Forget(worker);
                return;
            case StopGradients:
                _stopped = true;
                return;
            case LearnersReport report:
                _reportedLocal += new Counts(report.Progress.Frames, report.Progress.Updates);
                return;
            case GradientsReport report:
                _reportedMessages += new Counts(report.Progress.Frames, report.Progress.Updates);
                return;
        }
    }

    // What is published is what the weights were after that update; target weights were the weights once.
    protected override void OnPublished(ParameterSnapshot snapshot)
    {
        if (_hashes.TryGetValue(snapshot.Version.Counter, out var hash) && hash != HashOf(snapshot.Values))
            Violated($"What is published are the weights: version {snapshot.Version} has others.");
    }

    protected override void OnTargetsPublished(ParameterSnapshot snapshot)
    {
        if (!_hashes.ContainsValue(HashOf(snapshot.Values))) Violated($"Targets were weights: version {snapshot.Version} never was.");
    }

    private void OnPush(PushGradient push)
    {
        if (push.Offset == 0)
        {
            var books = BooksOf(push.Id.Worker, push.Id.Incarnation);
            if (push.Id.Sequence <= books.LastSequence)
                Violated($"A worker's gradients come in order: {push.Id} after number {books.LastSequence}.");
            books.LastSequence = push.Id.Sequence;
            CheckVersion(push.Id, push.Version);
        }
        Arrive(push);
    }

    private void Arrive(PushGradient push)
    {
        if (_registered.GetValueOrDefault(push.Id.Worker, -1) == push.Id.Incarnation) rounds?.Heard(push.Id.Worker);
        // A server that refuses a repetition at its first part does not let it disturb the gradient that is arriving.
        var key = rounds is null ? new UnrollId(push.Id.Worker, 0, 0) : push.Id;
        if (push.Offset == 0) _arriving[key] = new GradientParts(push);
        if (_arriving.GetValueOrDefault(key) is not { } parts || !parts.Add(push)) return;
        _arriving.Remove(key);
        parts.Flaw = FlawOf(parts);
        _waiting[push.Id] = _completed = parts;
    }

    private string? FlawOf(GradientParts gradient)
    {
        var (id, version) = (gradient.Id, gradient.Version);
        if (!_registered.TryGetValue(id.Worker, out var incarnation) || incarnation != id.Incarnation) return "is of no registered learner";
        if (gradient.Total != _state!.Shared.Count) return "has the wrong length";
        if (version.Epoch != Epoch || version.Counter > Updates) return $"is of version {version}, which this run never had";
        if (rounds is not null && version.Counter < Updates) return $"is of version {version}, an old one";
        var learner = (id.Worker, id.Incarnation);
        if (WasConsumed(id) || id.Sequence <= _lastApplied.GetValueOrDefault(learner, -1) || id.Sequence <= _lastStale.GetValueOrDefault(learner, -1))
            return "comes again";
        return gradient.IsFinite ? null : "is not finite";
    }

    private void TakeUp()
    {
        var applied = new HashSet<int>();
        foreach (var claim in _state!.Gradients.SentAtLeast())
        {
            var (key, last) = ((claim.Worker, claim.Incarnation), claim.Unrolls - 1);
            if (last <= _lastApplied.GetValueOrDefault(key, -1)) continue;
            _lastApplied[key] = last;
            var id = new UnrollId(claim.Worker, claim.Incarnation, last);
            if (!_waiting.Remove(id, out var gradient))
            {
                Violated($"Consumed once: {id} is in the ledger, and never came, or came in pieces.");
                continue;
            }
            if (gradient.Flaw is { } flaw) Violated($"Only sound gradients are applied: {id} {flaw}.");
            if (!gradient.HasNormOf(maxNorm)) Violated($"A gradient arrives as it was sent: {id} has norm {gradient.Norm}, {gradient.SentNorm} before clipping.");
            Consume(id);
            applied.Add(id.Worker);
            _messages += new Counts(gradient.Frames, rounds is null || applied.Count == 1 ? 1 : 0);
        }
        if (rounds is not null) CheckRound(rounds, applied);
        if (_state.Gradients.Applied != Consumed)
            Violated($"Consumed once: the ledger has {_state.Gradients.Applied} gradients, {Consumed} different ones came and were applied.");
    }

    private void CheckRound(RoundInvariants round, HashSet<int> applied)
    {
        foreach (var left in _waiting.Values)
            if (left.Flaw is null && !applied.Contains(left.Id.Worker) && _registered.GetValueOrDefault(left.Id.Worker, -1) == left.Id.Incarnation)
                Violated($"A sound gradient is applied: {left.Id} was not, with those of its version.");
        _waiting.Clear();
        foreach (var worker in round.NotWaitedFor(applied)) Violated($"An update waits for all: it did not for {worker}, which was not silent.");
        round.Updated();
    }

    private void OnAcknowledged(GradientAcknowledged answer)
    {
        var id = answer.Id;
        if (answer.Rejection == GradientRejection.None)
        {
            BooksOf(id.Worker, id.Incarnation).Acknowledged++;
            if (!WasConsumed(id)) Violated($"Acknowledged means consumed: {id} is in no ledger.");
        }
        else if (answer.Rejection != GradientRejection.Duplicate && WasConsumed(id))
        {
            Violated($"Refused means not consumed: {id} was refused as {answer.Rejection}, and consumed.");
        }
    }

    private void Remember()
    {
        if (!_hashes.TryAdd(Updates, HashOf(Parameters))) return;
        _remembered.Enqueue(Updates);
        if (_remembered.Count > RememberedUpdates) _hashes.Remove(_remembered.Dequeue());
    }

    /// <summary>Frames, and updates that they made.</summary>
    private readonly record struct Counts(long Frames, long Updates)
    {
        public static Counts operator +(Counts a, Counts b) => new(a.Frames + b.Frames, a.Updates + b.Updates);

        public static Counts operator -(Counts a, Counts b) => new(a.Frames - b.Frames, a.Updates - b.Updates);

        public override string ToString() => $"{Frames} frames in {Updates} updates";
    }
}
