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
    private const string LedgerName = "gradients.ledger";

    private readonly Lock _lock = new();
    private ConsumptionLedger _ledger = new();

    /// <summary>Gradients of other nodes that were applied since the run began.</summary>
    public long Applied
    {
        get
        {
            lock (_lock) return _ledger.Consumed;
        }
    }

    /// <summary>Applies a gradient unless it, or a later one of its learner, was applied before, or it is none.</summary>
    /// <returns>What became of it, and the frames of all learners before this segment's were added, if they were: where it was applied, or is
    /// stale.</returns>
    internal (GradientOutcome Outcome, long FramesBefore) Apply(
        UnrollId id, int frames, LocalParameters local, Func<long, float> learningRate, AlignedFloats? statistics)
    {
        lock (_lock)
        {
            var before = shared.Frames;
            if (_ledger.Contains(id)) return (new GradientOutcome(GradientRejection.Duplicate, 0, 0), before);
            var outcome = shared.Apply(local, learningRate(before), float.PositiveInfinity, statistics);
            // The environments were stepped, whether or not it came too late.
            if (outcome.Rejection == GradientRejection.Stale) return (outcome, shared.AddFrames(frames));
            if (outcome.Rejection != GradientRejection.None) return (outcome, before);
            _ledger.TryConsume(id);
            return (outcome, shared.AddFrames(frames));
        }
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
            return [.. shared.Save(), new NamedTensor(LedgerName, [rows.Length / 4, 4], rows)];
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
