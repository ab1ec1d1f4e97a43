using Rl.Distributed.Replay;

namespace Rl.Distributed.Actors;

/// <summary>What one incarnation of a worker knows of the unrolls, or gradients, that it sent.</summary>
/// <remarks>
/// A plain object for one thread. Invariant: Sent = InFlight + Consumed + Rejected + Lost. A credit that does not come back in time counts
/// its unroll as lost; if the answer comes after all, the unroll moves to where it belongs and its buffers stay with the garbage collector.
/// </remarks>
/// <typeparam name="T">The buffers of one.</typeparam>
public sealed class InFlightLedger<T>
    where T : class
{
    private readonly Queue<(long Sequence, TimeSpan SentAt)> _order = new();
    private readonly Dictionary<long, T> _inFlight = [];
    private readonly HashSet<long> _lost = [];
    private readonly long[] _outcomes = new long[Enum.GetValues<UnrollOutcome>().Length];

    public long Sent { get; private set; }

    public long Consumed => Count(UnrollOutcome.Consumed);

    public long Rejected => _outcomes.Sum() - Consumed;

    public long Lost => _lost.Count;

    public int InFlight => _inFlight.Count;

    /// <summary>Unrolls that ended so.</summary>
    public long Count(UnrollOutcome outcome) => _outcomes[(int)outcome];

    public void Send(long sequence, T buffers, TimeSpan now)
    {
        Sent++;
        _inFlight.Add(sequence, buffers);
        _order.Enqueue((sequence, now));
    }

    /// <summary>Closes an unroll's entry and gives back its buffers, or null where they are not the sender's any more: lost long ago,
    /// or never sent.</summary>
    public T? Close(long sequence, UnrollOutcome outcome)
    {
        var wasInFlight = _inFlight.Remove(sequence, out var buffers);
        if (!wasInFlight && !_lost.Remove(sequence)) return null;
        _outcomes[(int)outcome]++;
        while (_order.TryPeek(out var oldest) && !_inFlight.ContainsKey(oldest.Sequence)) _order.Dequeue();
        return buffers;
    }

    /// <summary>Counts as lost what was sent before <paramref name="deadline"/> and has had no answer; returns how many.</summary>
    public int Expire(TimeSpan deadline)
    {
        var expired = 0;
        while (_order.TryPeek(out var oldest) && (oldest.SentAt < deadline || !_inFlight.ContainsKey(oldest.Sequence)))
        {
            _order.Dequeue();
            if (!_inFlight.Remove(oldest.Sequence)) continue;
            _lost.Add(oldest.Sequence);
            expired++;
        }
        return expired;
    }
}
