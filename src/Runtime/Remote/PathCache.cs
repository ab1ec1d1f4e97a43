using System.Collections.Concurrent;

namespace Rl.Distributed.Runtime.Remote;

/// <summary>What paths led to, for those that come again and again. When it is full it begins anew. Thread-safe.</summary>
internal sealed class PathCache<T>
    where T : class
{
    private const int Capacity = 1024;

    private readonly ConcurrentDictionary<string, T> _entries = new();
    private int _count;

    /// <summary>Null where it is not known.</summary>
    public T Get(string path) => _entries.GetValueOrDefault(path);

    public void Add(string path, T value)
    {
        if (Interlocked.Increment(ref _count) > Capacity) Clear();
        _entries[path] = value;
    }

    public void Clear()
    {
        _entries.Clear();
        Volatile.Write(ref _count, 0);
    }
}
