using System.Text.Json;
using System.Text.Json.Serialization;

namespace Rl.Distributed.Node.Http;

/// <summary>What a node knows of itself, its cluster and its run.</summary>
internal sealed record NodeStatus
{
    /// <summary>As the other nodes know it: <c>akka.tcp://system@host:port</c>.</summary>
    public required string Address { get; init; }

    /// <summary>Tells this incarnation from others at the same address.</summary>
    public required int Uid { get; init; }

    public required IReadOnlyList<string> Roles { get; init; }

    /// <summary>The cluster's name.</summary>
    public required string Cluster { get; init; }

    /// <summary>embedded, simulated or akka.</summary>
    public required string Engine { get; init; }

    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    /// <summary>The address of the member that decides on membership; null while none does.</summary>
    public string? Leader { get; init; }

    public required IReadOnlyList<MemberInfo> Members { get; init; }

    /// <summary>Null where the node does not know of a run.</summary>
    public RunStatus? Run { get; init; }

    /// <summary>Null for a node that leads a run.</summary>
    public WorkStatus? Work { get; init; }
}

/// <summary>What a node does for a run that another node leads.</summary>
/// <param name="Workers">That work now.</param>
/// <param name="Sent">Unrolls of that run, as the next three are: of all its workers so far.</param>
internal sealed record WorkStatus(int Workers, long Sent, long Consumed, long Lost, long Rejected);

/// <summary>A member of the cluster, as one node sees it.</summary>
/// <param name="Status">Joining, Up, Leaving, Exiting, Down or WeaklyUp.</param>
internal sealed record MemberInfo(string Address, int Uid, string Status, IReadOnlyList<string> Roles, bool Reachable);

/// <summary>Where the run is.</summary>
internal sealed record RunStatus
{
    public required string Preset { get; init; }

    public required long Frames { get; init; }

    public required long TotalFrames { get; init; }

    public required double FramesPerSecond { get; init; }

    /// <summary>Mean return of the last 100 episodes; null until one ended.</summary>
    public double? MeanReturn100 { get; init => field = Finite(value); }

    /// <summary>Mean return of the newest evaluation's greedy episodes; null until there is one.</summary>
    public double? GreedyReturn { get; init; }

    /// <summary>Where the run was when that evaluation took the parameters.</summary>
    public long? GreedyFrames { get; init; }

    /// <summary>Mean number of updates between the weights that acted and those that learned; null until it is known.</summary>
    public double? PolicyLag { get; init => field = Finite(value); }

    /// <summary>Mean number of updates between the shard that had most and the one that had least, in the weights that acted; null without
    /// shards.</summary>
    public double? ShardSkew { get; init => field = Finite(value); }

    public long Updates { get; init; }

    /// <summary>How many workers act on each node, by the node's address.</summary>
    public IReadOnlyDictionary<string, int> Workers { get; init; } = new Dictionary<string, int>();

    public UnrollCounts Unrolls { get; init; } = new(0, 0, 0, 0, 0);

    /// <summary>Null until there is one.</summary>
    public CheckpointInfo? Checkpoint { get; init; }

    // JSON has no word for NaN.
    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}

/// <summary>What became of the unrolls that the workers sent.</summary>
internal sealed record UnrollCounts(long Sent, long Consumed, long Lost, long Rejected, long RolledBack);

/// <summary>The newest checkpoint.</summary>
/// <param name="Frames">Where the run was.</param>
/// <param name="SavedAt">When it was complete.</param>
internal sealed record CheckpointInfo(long Frames, DateTimeOffset SavedAt);

/// <summary>Whether a node can do its work, and how it is called and for how long it has been there.</summary>
internal sealed record NodeHealth
{
    /// <summary>A word: joining, up, leaving, ...</summary>
    public required string State { get; init; }

    public required IReadOnlyList<string> Roles { get; init; }

    public required TimeSpan Uptime { get; init; }

    /// <summary>Why the node cannot do its work; null where it can.</summary>
    public string? Unhealthy { get; init; }
}

/// <summary>Reads and writes what the node's pages hold; made at build time, which spares the first answer the reflection.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(NodeStatus))]
[JsonSerializable(typeof(HealthPage))]
[JsonSerializable(typeof(ClusterReport))]
[JsonSerializable(typeof(RegisteredNode))]
internal sealed partial class NodeJson : JsonSerializerContext;
