using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Optimizers;

namespace Rl.Distributed.ParameterServer;

// Between the owner of a run, in the process that leads it, and those who have a part of its parameters.

/// <summary>From a shard host to the owner: it has room for so many shards. Said again every so often.</summary>
public sealed record OfferShards(int Slots);

/// <summary>To a shard host: start this shard. Said again until the shard says <see cref="ShardStarted"/>.</summary>
/// <param name="Run">The run.</param>
/// <param name="Shard">Which shard of the run it is.</param>
/// <param name="Epoch">Of its versions: another one each time that the shard begins anew.</param>
/// <param name="Range">Its parameters.</param>
/// <param name="Learning">How gradients change them.</param>
/// <param name="Wire">How they reach others, and how much its loss may cost.</param>
public sealed record StartShard(
    string Run, int Shard, int Epoch, ShardRange Range, ShardLearning Learning, ParameterServerOptions Wire);

/// <summary>What a shard does with gradients.</summary>
/// <param name="Update">The update.</param>
/// <param name="LearningRate">η as a function of the frames of all learners.</param>
/// <param name="FramesPerGradient">Frames of a segment of the run.</param>
/// <param name="TargetInterval">θ⁻ is refreshed where the count crosses a multiple of this; 0: there is no θ⁻.</param>
/// <param name="TargetClock">What that interval counts.</param>
/// <param name="TotalFrames">It takes no more gradients when so many frames are done.</param>
/// <param name="Credits">Gradients that a learner may have on their way at once.</param>
public sealed record ShardLearning(
    SharedParametersOptions Update, LinearSchedule LearningRate, int FramesPerGradient, long TargetInterval, TargetClock TargetClock,
    long TotalFrames, int Credits)
{
    /// <summary>The Euclidean norm that learners clip the whole gradient to; infinity: they do not.</summary>
    public float MaxGradientNorm { get; init; } = float.PositiveInfinity;
}

/// <summary>From a shard to the owner: it is there and needs its state. Said again until that comes.</summary>
public sealed record ShardStarted(int Shard, int Epoch);

/// <summary>A part of a shard's state: from the owner what it is to begin with, from the shard a checkpoint of it.</summary>
/// <param name="Shard">Which shard.</param>
/// <param name="Epoch">The shard's.</param>
/// <param name="Number">Tells states apart.</param>
/// <param name="Total">Bytes of the state.</param>
/// <param name="Offset">Where this part begins.</param>
/// <param name="Values">This part.</param>
public sealed record StateChunk(int Shard, int Epoch, long Number, int Total, int Offset, ReadOnlyMemory<byte> Values);

/// <summary>The answer: so many bytes of this state have come, without a gap.</summary>
public sealed record StateReceived(int Shard, int Epoch, long Number, int Count);

/// <summary>From a shard to the owner: what it did since its last report, and where it is. Sent every 100 ms where there was something.</summary>
/// <param name="Shard">Which shard.</param>
/// <param name="Epoch">The shard's.</param>
/// <param name="Frames">Frames of all gradients that it has applied since the run began.</param>
/// <param name="Updates">How many these are.</param>
/// <param name="Rejected">Gradients that it has refused in this epoch.</param>
/// <param name="Progress">What it did.</param>
public sealed record ShardReport(int Shard, int Epoch, long Frames, long Updates, long Rejected, LearnerProgress Progress);

/// <summary>To a shard: take no more gradients, and send the last checkpoint. Said again until that has come.</summary>
public sealed record StopShard(int Epoch);

/// <summary>To a shard: send a checkpoint now; the owner is about to write one of all shards.</summary>
public sealed record SaveShard(int Epoch);

/// <summary>From whoever has learners to the owner: where are the shards? Asked every so often.</summary>
/// <param name="Seen">Updates that shards are known to have applied.</param>
public sealed record WhereAreShards(ShardVersion[] Seen);

/// <summary>A shard's count of updates in one of its epochs.</summary>
public sealed record ShardVersion(int Shard, int Epoch, long Updates);

/// <summary>The answer: a place for each shard, in order.</summary>
public sealed record ShardPlaces(ShardPlace[] Places);

/// <summary>Where a shard is.</summary>
/// <param name="Epoch">Of its versions.</param>
/// <param name="Path">Of the actor whose children are its servers, with an address unless that is the owner's; empty: it is nowhere now.</param>
public sealed record ShardPlace(int Epoch, string Path);

// Within a process.

/// <summary>To a node's <see cref="ShardFinderActor"/>, from a learner: tell me where its gradients go, now and whenever that changes.</summary>
public sealed record FindServers
{
    public static readonly FindServers Instance = new();
}

/// <summary>To a learner: the gradient server of a shard is there, and will have versions of this epoch.</summary>
public sealed record ServerPlaced(int Shard, int Epoch, Akka.Actor.IActorRef Server);

/// <summary>To a learner: it is gone, and what was on its way to it is lost.</summary>
public sealed record ServerLost(int Shard);

/// <summary>To a node's cache: weights come from this server from now on.</summary>
public sealed record FollowServer(Akka.Actor.IActorRef Server);

/// <summary>From a shard's gradient server: all that it has applied, of one moment.</summary>
/// <param name="State">θ, g, θ⁻, counts, and the last sequence number of each learner.</param>
/// <param name="Updates">Its count of updates.</param>
/// <param name="IsLast">Nothing is applied after it.</param>
public sealed record CheckpointTaken(Checkpoint State, long Updates, bool IsLast);

/// <summary>To it: take a checkpoint now, unless one is on its way.</summary>
public sealed record TakeCheckpoint
{
    public static readonly TakeCheckpoint Instance = new();
}

/// <summary>To it: the owner has that checkpoint.</summary>
public sealed record CheckpointHeld(long Updates);
