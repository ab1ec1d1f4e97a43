using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Core.Runs;

/// <summary>What the learner has consumed: for each worker's incarnation up to which sequence number, and how many.</summary>
/// <remarks>
/// A plain object for one thread; saved in the checkpoint, so that after a resume nothing is consumed twice and what
/// came after the checkpoint is known to be rolled back. A worker's unrolls arrive in order, so one number is enough to
/// tell a duplicate; a gap in the numbers is what was lost on the way.
/// </remarks>
public sealed class ConsumptionLedger
{
    private readonly SortedDictionary<(int Worker, int Incarnation), (long LastSequence, long Consumed)> _entries = [];

    public long Consumed { get; private set; }

    /// <summary>Unrolls that were refused because they, or later ones of their worker, had been consumed.</summary>
    public long Duplicates { get; private set; }

    /// <summary>Sequence numbers that were passed over: unrolls lost on the way.</summary>
    public long Missing { get; private set; }

    /// <summary>Enters an unroll; false where it must not be consumed again.</summary>
    public bool TryConsume(UnrollId id)
    {
        var key = (id.Worker, id.Incarnation);
        var (last, consumed) = _entries.GetValueOrDefault(key, (-1, 0));
        if (id.Sequence <= last)
        {
            Duplicates++;
            return false;
        }
        Missing += id.Sequence - last - 1;
        Consumed++;
        _entries[key] = (id.Sequence, consumed + 1);
        return true;
    }

    /// <summary>It, or a later one of its worker's incarnation, was consumed.</summary>
    public bool Contains(UnrollId id) => id.Sequence <= _entries.GetValueOrDefault((id.Worker, id.Incarnation), (-1, 0)).LastSequence;

    /// <summary>Unrolls of an incarnation that were consumed.</summary>
    public long ConsumedOf(int worker, int incarnation) => _entries.GetValueOrDefault((worker, incarnation)).Consumed;

    /// <summary>For each incarnation how many unrolls it has sent at least.</summary>
    public ConsumptionClaim[] SentAtLeast() =>
        [.. _entries.Select(entry => new ConsumptionClaim(entry.Key.Worker, entry.Key.Incarnation, entry.Value.LastSequence + 1))];

    /// <summary>All entries as rows of (worker, incarnation, last sequence, consumed), then one row
    /// (-1, -1, duplicates, missing).</summary>
    public long[] Save()
    {
        var rows = new List<long>();
        foreach (var ((worker, incarnation), (last, consumed)) in _entries) rows.AddRange([worker, incarnation, last, consumed]);
        rows.AddRange([-1, -1, Duplicates, Missing]);
        return [.. rows];
    }

    /// <summary>The ledger that <see cref="Save"/> wrote.</summary>
    /// <exception cref="ArgumentException">These are no such rows.</exception>
    public static ConsumptionLedger Load(ReadOnlySpan<long> rows)
    {
        if (rows.Length < 4 || rows.Length % 4 != 0)
            throw new ArgumentException($"A ledger has rows of four numbers, not {rows.Length} numbers.", nameof(rows));
        var ledger = new ConsumptionLedger { Duplicates = rows[^2], Missing = rows[^1] };
        for (var i = 0; i < rows.Length - 4; i += 4)
        {
            var (worker, incarnation) = (checked((int)rows[i]), checked((int)rows[i + 1]));
            if (worker < 0 || incarnation < 0 || rows[i + 2] < 0 || rows[i + 3] < 0)
                throw new ArgumentException("A ledger's numbers are not negative.", nameof(rows));
            ledger._entries[(worker, incarnation)] = (rows[i + 2], rows[i + 3]);
            ledger.Consumed += rows[i + 3];
        }
        return ledger;
    }
}
