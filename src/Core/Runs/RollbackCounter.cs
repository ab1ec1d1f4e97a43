namespace Rl.Distributed.Core.Runs;

/// <summary>Unrolls, or gradients, that were consumed after the checkpoint that a resume began from, over all resumes: at least so many.</summary>
/// <remarks>The checkpoint has those that it knew of. Of the rest two sources tell: the run's metrics, which may lack its last moment, and
/// those workers that outlived the learner, which know their own only. The larger number counts, as their sum may count one twice. A plain
/// object for one thread.</remarks>
public sealed class RollbackCounter
{
    private readonly Dictionary<(int Worker, int Incarnation), long> _claims = [];
    private long _before, _beforeSince, _byMetrics, _byWorkers, _more;

    public long Total => _before + _more + Math.Max(_byMetrics, _byWorkers);

    /// <summary>Rolled back in this epoch while it went on, and absent from its ledger: workers that outlive it will claim them, too.</summary>
    public long InLedger { get; private set; }

    /// <summary>So many more were rolled back while the run went on.</summary>
    /// <param name="count">How many.</param>
    /// <param name="inLedger">The ledger went back with them.</param>
    public void Add(long count, bool inLedger)
    {
        _more += count;
        if (inLedger) InLedger += count;
    }

    /// <summary>A run begins without a checkpoint, of which so many are known: all of them are rolled back.</summary>
    public void Begin(long known) => _byMetrics = known;

    /// <summary>A run continues from a checkpoint.</summary>
    /// <param name="before">Rolled back as the checkpoint knows.</param>
    /// <param name="consumed">Consumed as the checkpoint knows.</param>
    /// <param name="known">The run is known to have consumed so many, those rolled back included.</param>
    /// <param name="beforeSince">Of <paramref name="before"/>, <see cref="InLedger"/> of the checkpoint's epoch.</param>
    public void Resume(long before, long consumed, long known, long beforeSince = 0) =>
        (_before, _beforeSince, _byMetrics) = (before, beforeSince, Math.Max(0, known - consumed - before));

    /// <summary>Workers know what was consumed of theirs; what is not in the ledger was rolled back.</summary>
    /// <remarks>A node says what it knows each time that it comes back: it counts once.</remarks>
    /// <param name="claims">What they know of all epochs.</param>
    /// <param name="firstSince">The first incarnation of the checkpoint's epoch: the checkpoint may count what was rolled back of earlier
    /// ones; of this one and later ones it counts only what was rolled back while the epoch went on.</param>
    /// <param name="ledger">What was consumed.</param>
    public void Count(IEnumerable<ConsumptionClaim> claims, int firstSince, ConsumptionLedger ledger)
    {
        foreach (var claim in claims)
            _claims[(claim.Worker, claim.Incarnation)] = Math.Max(0, claim.Unrolls - ledger.ConsumedOf(claim.Worker, claim.Incarnation));
        var since = _claims.Where(claim => claim.Key.Incarnation >= firstSince).Sum(claim => claim.Value);
        _byWorkers = Math.Max(0, Math.Max(since - _beforeSince, _claims.Values.Sum() - _before));
    }
}
