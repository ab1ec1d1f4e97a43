namespace Rl.Distributed.Node.Http;

/// <summary>What one client, or many, may take of a node's web server.</summary>
internal sealed record HttpLimits
{
    /// <summary>Bytes of a request's line and headers together; bodies are not read.</summary>
    public int MaxHeadBytes { get; init; } = 8 * 1024;

    /// <summary>Open connections; one more closes the oldest, so that slow clients do not lock others out.</summary>
    public int MaxConnections { get; init; } = 64;

    /// <summary>From accepting a connection to its end, however busy it is.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromSeconds(5);
}
