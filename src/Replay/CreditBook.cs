namespace Rl.Distributed.Replay;

/// <summary>Who may have how much in flight.</summary>
/// <remarks>A plain object for one thread. Each incarnation of a worker is granted <see cref="CreditsFor"/> its
/// unrolls, once. What dead incarnations left behind, and what a worker sent after it took a credit for lost, comes on
/// top of that; the table's capacity bounds it.</remarks>
public sealed class CreditBook(int maxUnrollsPerWorker, long maxBytesPerWorker)
{
    private readonly Dictionary<int, (int Incarnation, long LastSequence)> _workers = [];

    /// <summary>Unrolls that one worker of this unroll size may have in flight: at least one, however large it is.</summary>
    public int CreditsFor(long unrollBytes) =>
        (int)Math.Clamp(maxBytesPerWorker / Math.Max(1, unrollBytes), 1, maxUnrollsPerWorker);

    /// <summary>Opens the account of a worker's incarnation; false where a newer one is known.</summary>
    public bool TryRegister(int worker, int incarnation)
    {
        var isKnown = _workers.TryGetValue(worker, out var known);
        if (isKnown && known.Incarnation > incarnation) return false;
        if (!isKnown || known.Incarnation < incarnation) _workers[worker] = (incarnation, -1);
        return true;
    }

    /// <summary>Enters an unroll; says why not, where it must not be taken.</summary>
    public UnrollOutcome? Reject(int worker, int incarnation, long sequence)
    {
        if (!_workers.TryGetValue(worker, out var known) || known.Incarnation > incarnation) return UnrollOutcome.StaleIncarnation;
        if (known.Incarnation < incarnation) known = (incarnation, -1);
        if (sequence <= known.LastSequence) return UnrollOutcome.Duplicate;
        _workers[worker] = (incarnation, sequence);
        return null;
    }
}
