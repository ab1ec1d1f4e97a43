using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

// What the parameter server receives.

/// <summary>From the owner of the weights: a new version. The message's reference to the snapshot passes to the receiver.</summary>
public sealed record PublishParameters(ParameterSnapshot Snapshot);

/// <summary>From a node's cache: send me the newest weights, now and whenever they change. May be said again.</summary>
public sealed record SubscribeParameters
{
    public static readonly SubscribeParameters Instance = new();
}

/// <summary>From a cache on another node: so many parameters of this version have come, from the first on, without a gap.</summary>
public sealed record ParametersReceived(ParameterVersion Version, int Count);

// What a node's cache receives.

/// <summary>From the parameter server of the same process: newer weights, with a reference of their own.</summary>
public sealed record ParametersPublished(ParameterSnapshot Snapshot);

/// <summary>From the parameter server of another node: a part of newer weights.</summary>
/// <param name="Version">Of the weights.</param>
/// <param name="Total">How many parameters they have.</param>
/// <param name="Offset">Where this part begins.</param>
/// <param name="Values">This part. It does not change until <see cref="ParametersReceived"/> covers it.</param>
public sealed record ParametersChunk(ParameterVersion Version, int Total, int Offset, ReadOnlyMemory<float> Values);

/// <summary>From a worker: tell me when there are weights to act with.</summary>
public sealed record AwaitParameters
{
    public static readonly AwaitParameters Instance = new();
}

/// <summary>From a worker: tell me when there are weights newer than these.</summary>
/// <param name="Version">Of the weights that it has; null for none.</param>
public sealed record AwaitNewerParameters(ParameterVersion? Version);

/// <summary>To such a worker: the cell holds weights, or newer ones.</summary>
public sealed record ParametersAvailable
{
    public static readonly ParametersAvailable Instance = new();
}
