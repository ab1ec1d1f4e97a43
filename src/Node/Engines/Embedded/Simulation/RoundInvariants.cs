namespace Rl.Distributed.Node.Engines;

/// <summary>Knows whom an update of A2C has to wait for: all learners that were there at the last one, but those that say nothing.</summary>
/// <param name="now">The virtual time.</param>
/// <param name="patience">Who says nothing for so long is not waited for.</param>
internal sealed class RoundInvariants(Func<TimeSpan> now, TimeSpan patience)
{
    private readonly Dictionary<int, TimeSpan> _heardAt = [];
    private readonly HashSet<int> _new = [], _silent = [];
    private TimeSpan _updatedAt;

    /// <summary>Another server begins.</summary>
    public void Clear()
    {
        _heardAt.Clear();
        _new.Clear();
        _silent.Clear();
        _updatedAt = now();
    }

    /// <summary>The server is about to hear of a learner.</summary>
    public void Heard(int worker, bool isNew = false)
    {
        // Waited for from the next update on: it may have been given up for this one.
        if (isNew || _silent.Remove(worker) || IsSilent(_heardAt[worker])) _new.Add(worker);
        _heardAt[worker] = now();
    }

    public void Forget(int worker)
    {
        _heardAt.Remove(worker);
        _new.Remove(worker);
        _silent.Remove(worker);
    }

    /// <summary>Who should have been waited for, and was not.</summary>
    /// <param name="applied">Whose gradients the update had.</param>
    public IEnumerable<int> NotWaitedFor(IReadOnlySet<int> applied)
    {
        foreach (var (worker, heardAt) in _heardAt)
        {
            if (applied.Contains(worker) || _silent.Contains(worker)) continue;
            if (IsSilent(heardAt)) _silent.Add(worker);
            else if (!_new.Contains(worker)) yield return worker;
        }
    }

    /// <summary>The next one waits for those, too, that are new.</summary>
    public void Updated()
    {
        _new.Clear();
        _updatedAt = now();
    }

    private bool IsSilent(TimeSpan heardAt) => now() - (heardAt > _updatedAt ? heardAt : _updatedAt) >= patience;
}
