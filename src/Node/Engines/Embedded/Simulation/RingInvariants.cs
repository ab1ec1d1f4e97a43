using System.Runtime.InteropServices;
using Akka.Actor;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.Node.Training;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Engines;

/// <summary>Holds a run of IMPALA to what it promises: each unroll is learned from once, or known not to have been.</summary>
/// <param name="shape">The shape of the run's unrolls.</param>
/// <param name="violated">Told what is wrong, each time.</param>
internal sealed class RingInvariants(UnrollShape shape, Action<string> violated) : RunInvariants(violated)
{
    private readonly Queue<UnrollId[]> _delivered = new();
    private readonly List<(Unroll Unroll, ulong Content)> _lent = [];
    private readonly Dictionary<UnrollId, ulong> _contents = [];
    private ImpalaState? _state;

    public override string Things => "unrolls";

    public override string Recipient => RunCoordinator.ReplayName;

    public override long Frames => _state!.Learner.Frames;

    public override long Updates => _state?.Learner.Updates ?? -1;

    public override ReadOnlySpan<float> Parameters => _state!.Learner.Parameters;

    protected override long ReportedRolledBack => _state!.UnrollsRolledBack;

    public override void LeaderStarted(RunPlan plan, long known, int localWorkers) =>
        LeaderStarted(((ImpalaRunPlan)plan).State, known, localWorkers);

    /// <summary>As the other one; the state is what its learner knows.</summary>
    public void LeaderStarted(ImpalaState state, long known = 0, int localWorkers = 0)
    {
        _state = state;
        _delivered.Clear();
        _lent.Clear();
        _contents.Clear();
        if (!Begin(state.Epoch, state.Ledger, known, localWorkers)) return;
        CheckRolledBack(state.Ledger.Consumed, state.UnrollsRolledBack, RolledBack);
        Check();
    }

    /// <summary>What the learner's ledger took up came from the ring, each unroll once.</summary>
    public override void Check()
    {
        if (_state is null || (_state.Ledger.Consumed == Consumed && _delivered.Count == 0)) return;
        while (_state.Ledger.Consumed > Consumed && _delivered.TryDequeue(out var batch)) Array.ForEach(batch, Consume);
        if (_state.Ledger.Consumed != Consumed)
        {
            Violated($"Consumed once: the ledger has {_state.Ledger.Consumed} unrolls, "
                + $"{Consumed} different ones were delivered and taken up.");
        }
        var waiting = (Consumed * shape.Frames) - _state.Learner.Frames;
        if (waiting < 0 || waiting > (long)_state.Learner.UnrollsPerUpdate * shape.Frames)
            Violated($"Consumed once: the weights learned from {_state.Learner.Frames} frames, the ledger has {Consumed} unrolls.");
    }

    /// <summary>A checkpoint's ledger and its weights tell the same.</summary>
    public override void CheckpointSaved(Checkpoint checkpoint, long frames) =>
        CheckpointSaved(ConsumptionLedger.Load(checkpoint.Tensor("ledger").Int64s), frames);

    public void CheckpointSaved(ConsumptionLedger ledger, long frames)
    {
        if (ledger.Consumed * shape.Frames != frames)
        {
            Violated($"A checkpoint is whole: {ledger.Consumed} unrolls of {shape.Frames} frames in its ledger, "
                + $"{frames} frames in its weights.");
        }
    }

    public override void Finished(LearnerReport report, long totalFrames)
    {
        Check();
        if (report.Frames < totalFrames) Violated($"The run reaches its end: {report.Frames} of {totalFrames} frames.");
        if (report.UnrollsConsumed != Consumed || report.Frames != Consumed * shape.Frames)
        {
            Violated($"Consumed once: {report.UnrollsConsumed} unrolls, {report.Frames} frames reported; "
                + $"{Consumed} different unrolls were delivered.");
        }
        if (report.UnrollsDuplicate > 0) Violated($"Delivered once: {report.UnrollsDuplicate} unrolls came to the learner again.");
        CheckRolledBack(report.UnrollsConsumed, report.UnrollsRolledBack, RolledBack);
    }

    public override int? WorkedWith(object message) =>
        message is CreditReturned { Outcome: UnrollOutcome.Consumed } returned ? returned.Id.Worker : null;

    public override bool Collect(object message, List<object> parcel)
    {
        if (message is not InsertUnroll insert) return false;
        parcel.Add(new InsertUnroll(Copy(insert.Unroll)));
        return true;
    }

    protected override ConsumptionLedger CurrentLedger() => _state!.Ledger;

    protected override void OnMessage(ActorPath path, object message)
    {
        switch (message)
        {
            case InsertUnroll insert:
                OnInsert(insert.Unroll);
                return;
            case BatchReady ready:
                OnDelivered(ready.Unrolls);
                return;
            case BatchConsumed consumed:
                OnBatchConsumed(consumed.Unrolls);
                return;
            case CreditsGranted granted:
                BooksOf(granted.Worker, granted.Incarnation).Credits = granted.Count;
                return;
            case CreditReturned returned:
                OnReturned(returned);
                return;
        }
    }

    private void OnInsert(Unroll unroll)
    {
        var books = BooksOf(unroll.Id.Worker, unroll.Id.Incarnation);
        if (unroll.Id.Sequence <= books.LastSequence)
            Violated($"A worker's unrolls come in order: {unroll.Id} after number {books.LastSequence}.");
        books.LastSequence = unroll.Id.Sequence;
        CheckVersion(unroll.Id, unroll.Version);
        _contents[unroll.Id] = ContentOf(unroll);
    }

    private void OnDelivered(Unroll[] unrolls)
    {
        foreach (var unroll in unrolls)
        {
            var content = ContentOf(unroll);
            if (_contents.Remove(unroll.Id, out var before) && content != before)
                Violated($"An unroll does not change: {unroll.Id} reached the learner with other content than the replay actor.");
            _lent.Add((unroll, content));
        }
        _delivered.Enqueue(Array.ConvertAll(unrolls, unroll => unroll.Id));
    }

    private void OnBatchConsumed(UnrollId[] ids)
    {
        foreach (var id in ids)
        {
            var index = _lent.FindIndex(each => each.Unroll.Id == id);
            if (index < 0 || _lent[index].Content != ContentOf(_lent[index].Unroll))
                Violated($"An unroll does not change: {id} did, while the learner had it.");
            else _lent.RemoveAt(index);
        }
    }

    private void OnReturned(CreditReturned returned)
    {
        if (returned.Outcome == UnrollOutcome.Consumed)
        {
            BooksOf(returned.Id.Worker, returned.Id.Incarnation).Acknowledged++;
            if (!WasConsumed(returned.Id)) Violated($"Acknowledged means consumed: {returned.Id} is in no ledger.");
        }
        else if (WasConsumed(returned.Id))
        {
            Violated($"Refused means not consumed: {returned.Id} was refused as {returned.Outcome}, and consumed.");
        }
    }

    private static Unroll Copy(Unroll unroll)
    {
        var copy = new Unroll(unroll.Shape)
        {
            Id = unroll.Id, Version = unroll.Version, EpisodeCount = unroll.EpisodeCount, EpisodesLost = unroll.EpisodesLost,
        };
        unroll.Observations.CopyTo(copy.Observations, 0);
        unroll.Actions.CopyTo(copy.Actions, 0);
        unroll.BehaviourLogits.CopyTo(copy.BehaviourLogits, 0);
        unroll.Rewards.CopyTo(copy.Rewards, 0);
        unroll.Discounts.CopyTo(copy.Discounts, 0);
        unroll.Reset.CopyTo(copy.Reset, 0);
        unroll.EpisodeReturns.CopyTo(copy.EpisodeReturns, 0);
        unroll.EpisodeLengths.CopyTo(copy.EpisodeLengths, 0);
        return copy;
    }

    private static ulong ContentOf(Unroll unroll)
    {
        var hash = Mix(14695981039346656037, MemoryMarshal.AsBytes(unroll.Actions.AsSpan()));
        hash = Mix(hash, MemoryMarshal.AsBytes(unroll.Rewards.AsSpan()));
        hash = Mix(hash, MemoryMarshal.AsBytes(unroll.BehaviourLogits.AsSpan()));
        hash = Mix(hash, MemoryMarshal.AsBytes(unroll.Discounts.AsSpan()));
        return Mix(hash, unroll.Observations);
    }
}
