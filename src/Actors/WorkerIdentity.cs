namespace Rl.Distributed.Actors;

/// <summary>Which worker this is, and how often it was started: lives longer than any one incarnation of it.</summary>
/// <remarks>Each resume of a run begins an epoch, whose incarnations are numbered from epoch × 4096, so that none is used again, random
/// streams included, even if no checkpoint ever heard of it.</remarks>
public sealed class WorkerIdentity(int index, int epoch)
{
    private const int IncarnationsPerEpoch = 4096;

    /// <summary>The last epoch that has numbers for its incarnations.</summary>
    public const int MaxEpoch = int.MaxValue / IncarnationsPerEpoch - 1;

    private int _next = FirstIncarnation(epoch);

    public int Index => index;

    /// <summary>Where the incarnations of an epoch begin.</summary>
    public static int FirstIncarnation(int epoch) => epoch * IncarnationsPerEpoch;

    /// <summary>The number for the incarnation that begins now; each call gives the next.</summary>
    /// <exception cref="InvalidOperationException">The epoch has no more: the next epoch's must stay unused.</exception>
    public int BeginIncarnation()
    {
        var incarnation = Interlocked.Increment(ref _next) - 1;
        return incarnation < FirstIncarnation(epoch + 1)
            ? incarnation
            : throw new InvalidOperationException($"Worker {index} was started {IncarnationsPerEpoch} times: resume the run to go on.");
    }
}
