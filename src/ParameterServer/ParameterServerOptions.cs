using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Rl.Distributed.ParameterServer;

/// <summary>How weights reach other nodes, and gradients come back. Within a process every version is there at once, and nothing is copied.</summary>
public sealed record ParameterServerOptions
{
    [Description("Milliseconds between two versions sent to another node, which gets the newest only. Less makes experience fresher.")]
    [Range(1.0, 60000.0)]
    public double PublishMilliseconds { get; init; } = 50;

    [Description("Kilobytes of a message with weights or a gradient. Smaller ones let others through sooner.")]
    [Range(1, 65536)]
    public int ChunkKilobytes { get; init; } = 64;

    [Description("Messages with weights that may be on their way to a node at once.")]
    [Range(1, 1024)]
    public int ChunksInFlight { get; init; } = 16;

    [Description("float32, or float16: half the bytes of a gradient, for a relative error of 1/2048 of each number.")]
    public GradientEncoding GradientEncoding { get; init; } = GradientEncoding.Float32;

    [Description("Parts of the parameters, each with a server of its own, on nodes or in the leading process; 0: one that learners share memory with.")]
    [Range(0, ShardRange.MaxShards)]
    public int Shards { get; init; }

    [Description("The loss of a shard costs so many of its updates at most: it waits with more until the leading process has a checkpoint of it.")]
    [Range(2, 1000000000)]
    public int MaxRolledBackUpdates { get; init; } = 1000;
}
