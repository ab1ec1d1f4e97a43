namespace Rl.Distributed.Actors;

/// <summary>Which worker this is, and how often it was started: lives longer than any one incarnation of it.</summary>
public sealed class WorkerIdentity(int index, int firstIncarnation)
{
    private int _next = firstIncarnation;

    public int Index => index;

    /// <summary>The number for the incarnation that begins now; each call gives the next.</summary>
    public int BeginIncarnation() => Interlocked.Increment(ref _next) - 1;
}
