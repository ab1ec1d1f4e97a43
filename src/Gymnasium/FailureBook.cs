namespace Rl.Distributed.Gymnasium;

/// <summary>Decides how many failures of a batch are borne.</summary>
/// <param name="limit">So many within the window are.</param>
/// <param name="clock">Its time.</param>
internal sealed class FailureBook(int limit, TimeProvider clock)
{
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private readonly Queue<long> _times = new();

    /// <summary>How many there were within the window.</summary>
    public int Count => _times.Count;

    /// <summary>Notes a failure; false where it is one too many.</summary>
    public bool Bears()
    {
        var now = clock.GetTimestamp();
        while (_times.TryPeek(out var first) && clock.GetElapsedTime(first, now) > Window) _times.Dequeue();
        _times.Enqueue(now);
        return _times.Count <= limit;
    }
}
