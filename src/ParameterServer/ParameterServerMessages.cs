namespace Rl.Distributed.ParameterServer;

// What the parameter server receives.

/// <summary>From the owner of the weights: a new version. The message's reference to the snapshot passes to the receiver.</summary>
public sealed record PublishParameters(ParameterSnapshot Snapshot);

/// <summary>From a node's cache: send me the newest weights, now and whenever they change.</summary>
public sealed record SubscribeParameters
{
    public static readonly SubscribeParameters Instance = new();
}

// What a node's cache receives.

/// <summary>From the parameter server: newer weights, with a reference of their own.</summary>
public sealed record ParametersPublished(ParameterSnapshot Snapshot);

/// <summary>From a worker: tell me when there are weights to act with.</summary>
public sealed record AwaitParameters
{
    public static readonly AwaitParameters Instance = new();
}

/// <summary>To such a worker: the cell holds weights.</summary>
public sealed record ParametersAvailable
{
    public static readonly ParametersAvailable Instance = new();
}
