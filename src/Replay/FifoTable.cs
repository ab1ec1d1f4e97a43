using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Replay;

/// <summary>A queue of unrolls: sampled oldest first, removed when sampled, limited by its capacity.</summary>
/// <remarks>A plain object for one thread. Invariant: Count ≤ capacity, and Inserted = Taken + Count.</remarks>
public sealed class FifoTable
{
    private readonly Queue<Unroll> _unrolls;
    private int _capacity;

    /// <param name="capacity">Unrolls that it holds at most.</param>
    public FifoTable(int capacity)
    {
        Capacity = capacity;
        _unrolls = new Queue<Unroll>(capacity);
    }

    /// <summary>Unrolls that it holds at most. Lowering it takes none out.</summary>
    public int Capacity
    {
        get => _capacity;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            _capacity = value;
        }
    }

    public int Count => _unrolls.Count;

    public long Inserted { get; private set; }

    public long Taken { get; private set; }

    /// <summary>Appends; false where the table is full.</summary>
    public bool TryInsert(Unroll unroll)
    {
        if (_unrolls.Count >= _capacity) return false;
        _unrolls.Enqueue(unroll);
        Inserted++;
        return true;
    }

    /// <summary>Takes the oldest <paramref name="count"/> unrolls out, or none where there are fewer.</summary>
    public bool TryTake(int count, out Unroll[] unrolls)
    {
        unrolls = [];
        if (_unrolls.Count < count) return false;
        unrolls = new Unroll[count];
        for (var i = 0; i < count; i++) unrolls[i] = _unrolls.Dequeue();
        Taken += count;
        return true;
    }
}
