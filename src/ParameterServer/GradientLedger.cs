using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>Which gradients of other nodes the shared parameters hold: for each learner's incarnation up to which sequence number.</summary>
/// <remarks>Thread-safe. A gradient is applied and entered in one step as far as <see cref="Save"/> sees, so that a checkpoint's parameters
/// and ledger agree, however many learners of this process write the same parameters meanwhile.</remarks>
/// <param name="shared">The parameters.</param>
public sealed class GradientLedger(SharedParameters shared)
{
    private const string LedgerName = "gradients.ledger", MergedName = "gradients.merged";

    private readonly Lock _lock = new();
    private ConsumptionLedger _ledger = new();

    // Of each incarnation the last gradient that was stale: its frames and episodes are counted. After a resume the epoch is another one, and
    // what was sent before is refused by it.
    private readonly Dictionary<(int Worker, int Incarnation), long> _stale = [];
    private long _merged;

    /// <summary>Gradients of other nodes that were applied since the run began.</summary>
    public long Applied
    {
        get
        {
            lock (_lock) return _ledger.Consumed;
        }
    }

    /// <summary>How many fewer updates these made, where one was of several.</summary>
    public long Merged
    {
        get
        {
            lock (_lock) return _merged;
        }
    }

    /// <summary>Applies a gradient unless it, or a later one of its learner, was applied or found stale before, or it is none.</summary>
    /// <returns>What became of it, and the frames of all learners before this segment's were added, if they were: where it was applied, or is
    /// stale.</returns>
    internal (GradientOutcome Outcome, long FramesBefore) Apply(
        UnrollId id, int frames, LocalParameters local, Func<long, float> learningRate, float maxNorm, AlignedFloats? statistics)
    {
        lock (_lock)
        {
            var before = shared.Frames;
            var learner = (id.Worker, id.Incarnation);
            if (_ledger.Contains(id) || id.Sequence <= _stale.GetValueOrDefault(learner, -1))
                return (new GradientOutcome(GradientRejection.Duplicate, 0, 0), before);
            var outcome = shared.Apply(local, learningRate(before), maxNorm, statistics);
            // The environments were stepped, whether or not it came too late.
            if (outcome.Rejection == GradientRejection.Stale)
            {
                _stale[learner] = id.Sequence;
                return (outcome, shared.AddFrames(frames));
            }
            if (outcome.Rejection != GradientRejection.None) return (outcome, before);
            _ledger.TryConsume(id);
            return (outcome, shared.AddFrames(frames));
        }
    }

    /// <summary>Applies the mean of several gradients, none of which was applied before, unless it is none.</summary>
    internal GradientOutcome ApplyMean(
        IReadOnlyList<UnrollId> ids, long frames, LocalParameters mean, Func<long, float> learningRate, float maxNorm)
    {
        lock (_lock)
        {
            var outcome = shared.Apply(mean, learningRate(shared.Frames), maxNorm);
            if (outcome.Rejection != GradientRejection.None) return outcome;
            foreach (var id in ids) _ledger.TryConsume(id);
            _merged += ids.Count - 1;
            shared.AddFrames(frames);
            return outcome;
        }
    }

    /// <summary>It, or a later one of its learner, was applied.</summary>
    internal bool Contains(UnrollId id)
    {
        lock (_lock) return _ledger.Contains(id);
    }

    /// <summary>For each incarnation how many gradients it has sent at least.</summary>
    public ConsumptionClaim[] SentAtLeast()
    {
        lock (_lock) return _ledger.SentAtLeast();
    }

    /// <summary>Enters into the counter what returning workers know was applied of theirs.</summary>
    public void CountRolledBack(RollbackCounter counter, WorkersReturned returned)
    {
        lock (_lock) counter.Count(returned.Claims, returned.FirstSince, _ledger);
    }

    /// <summary>The shared parameters and the ledger that belongs to them.</summary>
    public IReadOnlyList<NamedTensor> Save()
    {
        lock (_lock)
        {
            var rows = _ledger.Save();
            return [.. shared.Save(), new NamedTensor(LedgerName, [rows.Length / 4, 4], rows), new NamedTensor(MergedName, [1], (long[])[_merged])];
        }
    }

    /// <summary>A part of the parameters with these counts, and the ledger: what the server of that part begins with.</summary>
    public IReadOnlyList<NamedTensor> SaveRange(ShardRange range, long frames, long updates)
    {
        lock (_lock)
        {
            var rows = _ledger.Save();
            return [.. shared.SaveRange(range, frames, updates), new NamedTensor(LedgerName, [rows.Length / 4, 4], rows)];
        }
    }

    /// <summary>Takes what <see cref="Save"/> gave.</summary>
    /// <exception cref="CheckpointFormatException">It lacks something, or does not fit; then nothing has changed.</exception>
    public void Load(Checkpoint checkpoint)
    {
        lock (_lock)
        {
            var ledger = LedgerOf(checkpoint);
            shared.Load(checkpoint);
            _ledger = ledger;
            _stale.Clear();
            _merged = checkpoint.Tensors.FirstOrDefault(tensor => tensor.Name == MergedName)?.Int64s is [>= 0 and var merged] ? merged : 0;
        }
    }

    /// <summary>Takes what the server of a part saved: the part, and with the first one the ledger.</summary>
    /// <exception cref="CheckpointFormatException">It lacks something, or does not fit; then nothing has changed.</exception>
    public void LoadRange(ShardRange range, Checkpoint checkpoint)
    {
        lock (_lock)
        {
            var ledger = LedgerOf(checkpoint);
            shared.LoadRange(range, checkpoint);
            if (range.Start == 0) _ledger = ledger;
        }
    }

    private static ConsumptionLedger LedgerOf(Checkpoint checkpoint)
    {
        try
        {
            return ConsumptionLedger.Load(checkpoint.Tensor(LedgerName).Int64s);
        }
        catch (Exception reason) when (reason is ArgumentException or OverflowException)
        {
            throw new CheckpointFormatException($"The checkpoint's '{LedgerName}' makes no sense: {reason.Message}");
        }
    }
}
