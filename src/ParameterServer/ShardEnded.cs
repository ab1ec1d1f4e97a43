using MessagePack;

namespace Rl.Distributed.ParameterServer;

/// <summary>From a shard host to the owner: this shard has ended, or cannot begin here. Said again where the owner asks for it again.</summary>
/// <param name="Shard">Which shard.</param>
/// <param name="Epoch">The shard's.</param>
/// <param name="Reason">Why, for the log; at most <see cref="MaxReason"/> characters cross the wire.</param>
public sealed record ShardEnded(int Shard, int Epoch, string Reason)
{
    /// <summary>Longer reasons are cut.</summary>
    public const int MaxReason = 500;
}

/// <summary>That message as MessagePack.</summary>
/// <remarks>Reading throws MessagePackSerializationException, EndOfStreamException or OverflowException: each is a rejected message.</remarks>
public static class ShardEndedCodec
{
    public static void Write(ref MessagePackWriter writer, ShardEnded message)
    {
        writer.WriteArrayHeader(3);
        writer.Write(message.Shard);
        writer.Write(message.Epoch);
        writer.Write(message.Reason.Length <= ShardEnded.MaxReason ? message.Reason : message.Reason[..ShardEnded.MaxReason]);
    }

    public static ShardEnded Read(ref MessagePackReader reader)
    {
        GradientCodecs.ReadFields(ref reader, 3, nameof(ShardEnded));
        var (shard, epoch) = (GradientCodecs.ReadShard(ref reader), GradientCodecs.ReadIndex(ref reader, "epoch"));
        return reader.ReadString() is { Length: <= ShardEnded.MaxReason } reason
            ? new ShardEnded(shard, epoch, reason)
            : throw new MessagePackSerializationException("The reason is missing, or too long.");
    }
}
