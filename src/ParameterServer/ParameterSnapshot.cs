using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>The weights of one version, shared by whoever holds a reference; nobody writes to it while one does.</summary>
/// <remarks>Thread-safe. A holder that dies without <see cref="Release"/> only costs the pool this buffer: the garbage
/// collector has it then.</remarks>
public sealed class ParameterSnapshot
{
    private readonly SnapshotPool _pool;
    private int _references;

    internal ParameterSnapshot(SnapshotPool pool, int parameters)
    {
        _pool = pool;
        Values = new float[parameters];
    }

    public ParameterVersion Version { get; internal set; }

    /// <summary>All parameters, flat, as the network's layout has them.</summary>
    public float[] Values { get; }

    /// <summary>One more holder; only a holder may call it.</summary>
    public void Retain() => Interlocked.Increment(ref _references);

    /// <summary>One holder less; with the last one the buffer goes back to its pool.</summary>
    public void Release()
    {
        var left = Interlocked.Decrement(ref _references);
        if (left == 0) _pool.Return(this);
        else if (left < 0) throw new InvalidOperationException($"Snapshot {Version} was released more often than retained.");
    }

    /// <summary>Begins a new life, held once, with values of no version.</summary>
    internal void Begin() => (Version, _references) = (default, 1);
}

/// <summary>Reuses the buffers of snapshots that nobody holds any more.</summary>
/// <remarks>Thread-safe.</remarks>
public sealed class SnapshotPool(int parameters)
{
    private readonly Lock _lock = new();
    private readonly Stack<ParameterSnapshot> _free = new();

    /// <summary>How many buffers were ever made.</summary>
    public int Created { get; private set; }

    /// <summary>Parameters of a snapshot.</summary>
    public int Parameters => parameters;

    /// <summary>A snapshot of these parameters, held once, by the caller.</summary>
    public ParameterSnapshot Take(ParameterVersion version, ReadOnlySpan<float> values)
    {
        var snapshot = Rent();
        values.CopyTo(snapshot.Values);
        snapshot.Version = version;
        return snapshot;
    }

    /// <summary>A snapshot for the caller to fill, who holds it; its values are anything.</summary>
    internal ParameterSnapshot Rent()
    {
        ParameterSnapshot? snapshot;
        lock (_lock)
            if (!_free.TryPop(out snapshot))
            {
                snapshot = new ParameterSnapshot(this, parameters);
                Created++;
            }
        snapshot.Begin();
        return snapshot;
    }

    internal void Return(ParameterSnapshot snapshot)
    {
        lock (_lock) _free.Push(snapshot);
    }
}
