namespace Rl.Distributed.ParameterServer;

/// <summary>A contiguous part of a network's flat vector of parameters.</summary>
/// <param name="Start">Where in the vector it begins.</param>
/// <param name="Count">Parameters in it.</param>
/// <param name="Total">Parameters of the network.</param>
public readonly record struct ShardRange(int Start, int Count, int Total)
{
    /// <summary>The most parts that a vector is split into.</summary>
    public const int MaxShards = 64;

    /// <summary>Where the next part begins.</summary>
    public int End => Start + Count;

    /// <summary>All of the vector.</summary>
    public static ShardRange Whole(int total) => new(0, total, total);

    /// <summary>So many parts that cover the vector, in order; their lengths differ by one at most.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A part would be empty, or there are too many.</exception>
    public static ShardRange[] Split(int total, int shards)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(shards, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shards, Math.Min(total, MaxShards));
        return [.. Enumerable.Range(0, shards).Select(i => new ShardRange(Edge(i), Edge(i + 1) - Edge(i), total))];

        int Edge(int i) => (int)((long)total * i / shards);
    }

    public override string ToString() => $"{Start} to {End - 1} of {Total}";
}
