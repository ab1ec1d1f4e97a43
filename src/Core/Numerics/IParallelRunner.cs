namespace Rl.Distributed.Core.Numerics;

/// <summary>Where kernels take their parallelism from: threads in a real run, none in a simulated one.</summary>
/// <remarks>Shards are fixed by the work, not by the degree, and partial results are reduced in shard order, so that
/// the result does not depend on how many threads there are.</remarks>
public interface IParallelRunner
{
    /// <summary>How many shards may run at once; at least 1.</summary>
    int Degree { get; }

    /// <summary>Runs body(0) … body(count - 1), in any order, and returns when all have ended. Pass a cached
    /// delegate: the call itself allocates nothing. An exception of a shard is thrown here.</summary>
    void Run(int count, Action<int> body);
}

/// <summary>Runs shards one after the other on the calling thread.</summary>
public sealed class SequentialRunner : IParallelRunner
{
    public static readonly SequentialRunner Instance = new();

    public int Degree => 1;

    public void Run(int count, Action<int> body)
    {
        for (var i = 0; i < count; i++) body(i);
    }
}
