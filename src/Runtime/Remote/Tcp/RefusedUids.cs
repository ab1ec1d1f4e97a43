using Akka.Actor;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>Incarnations that are quarantined or were replaced by others: the last few thousand. Thread-safe.</summary>
internal sealed class RefusedUids
{
    public const int Capacity = 4096;

    private readonly HashSet<(Address, int)> _refused = [];
    private readonly Queue<(Address, int)> _order = new();

    public bool Contains(Address address, int uid)
    {
        lock (_order) return _refused.Contains((address, uid));
    }

    /// <summary>In exchange for the oldest, where there is no room.</summary>
    public void Add(Address address, int uid)
    {
        lock (_order)
        {
            if (!_refused.Add((address, uid))) return;
            _order.Enqueue((address, uid));
            if (_order.Count > Capacity) _refused.Remove(_order.Dequeue());
        }
    }
}
