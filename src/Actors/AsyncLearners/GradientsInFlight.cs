using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>What one incarnation of a learner knows of the gradients that it sent, each to all shards of the parameters.</summary>
/// <remarks>A plain object for one thread. A gradient has ended when each shard has answered: it was applied where all have applied their
/// parts; else the first refusal is its reason, and counts once. A shard answers in order, so once a gradient has ended no answer comes for an
/// earlier one.</remarks>
/// <param name="shards">Shards of the parameters: 1 where one server has them all.</param>
public sealed class GradientsInFlight(int shards)
{
    private readonly InFlightLedger<byte[]> _ledger = new();
    private readonly Dictionary<long, (ulong Missing, GradientRejection Rejection)> _parts = [];
    private readonly Queue<long> _order = new();
    private readonly ulong _all = ulong.MaxValue >> (ShardRange.MaxShards - shards);

    public InFlightLedger<byte[]> Ledger => _ledger;

    /// <summary>Gradients, those that count as lost included, of which a shard may still answer.</summary>
    public int Awaited => _parts.Count;

    /// <summary>A gradient is on its way to each shard.</summary>
    public void Send(long sequence, byte[] buffer, TimeSpan now)
    {
        _ledger.Send(sequence, buffer, now);
        if (shards == 1) return;
        _parts.Add(sequence, (_all, GradientRejection.None));
        _order.Enqueue(sequence);
    }

    /// <summary>A shard has answered. Gives the buffer back, and with it the credit, where that was the last answer to wait for.</summary>
    public byte[]? Answer(long sequence, int shard, GradientRejection rejection)
    {
        if (shards == 1) return _ledger.Close(sequence, OutcomeOf(rejection));
        if (!_parts.TryGetValue(sequence, out var parts)) return null;
        parts = (parts.Missing & ~(1UL << shard), parts.Rejection == GradientRejection.None ? rejection : parts.Rejection);
        _parts[sequence] = parts;
        if (parts.Missing != 0) return null;
        while (_order.TryPeek(out var earlier) && earlier <= sequence) _parts.Remove(_order.Dequeue());
        return _ledger.Close(sequence, OutcomeOf(parts.Rejection));
    }

    /// <summary>A shard is gone, and will not answer: what waits for it is lost. Returns how many credits come back.</summary>
    public int Lose(int shard)
    {
        foreach (var sequence in _parts.Where(entry => (entry.Value.Missing & (1UL << shard)) != 0).Select(entry => entry.Key).ToList())
            _parts.Remove(sequence);
        return _ledger.Expire(TimeSpan.MaxValue);
    }

    /// <summary>Counts as lost what was sent before the deadline and has not ended; returns how many credits come back.</summary>
    public int Expire(TimeSpan deadline) => _ledger.Expire(deadline);

    private static UnrollOutcome OutcomeOf(GradientRejection rejection) => rejection switch
    {
        GradientRejection.None => UnrollOutcome.Consumed,
        GradientRejection.WrongLength => UnrollOutcome.WrongShape,
        GradientRejection.NotFinite => UnrollOutcome.NotFinite,
        GradientRejection.Duplicate => UnrollOutcome.Duplicate,
        _ => UnrollOutcome.StaleIncarnation,
    };
}
