namespace Rl.Distributed.ParameterServer;

/// <summary>The newest weights on this node, from which all its workers act.</summary>
/// <remarks>Thread-safe: the node's <see cref="ParameterCacheActor"/> writes, workers read at the start of an unroll.
/// This is the one thing that actors of a node share beside messages; it is why weights cross the network once a node
/// and are never copied within it.</remarks>
public sealed class ParameterCell
{
    private readonly Lock _lock = new();
    private ParameterSnapshot? _newest;

    /// <summary>The newest snapshot, retained for the caller, who releases it; null before the first.</summary>
    public ParameterSnapshot? Acquire()
    {
        lock (_lock)
        {
            _newest?.Retain();
            return _newest;
        }
    }

    /// <summary>Takes over the caller's reference; an older version than the one here is released at once.</summary>
    public bool Offer(ParameterSnapshot snapshot)
    {
        ParameterSnapshot? obsolete;
        bool taken;
        lock (_lock)
        {
            taken = _newest is null || snapshot.Version > _newest.Version;
            (obsolete, _newest) = taken ? (_newest, snapshot) : (snapshot, _newest);
        }
        obsolete?.Release();
        return taken;
    }
}
