using System.Buffers;
using MessagePack;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>The gradient server's messages as MessagePack: each an array of its fields, in order.</summary>
/// <remarks>Reading throws MessagePackSerializationException, EndOfStreamException or OverflowException: each is a rejected message. Whether
/// a gradient's values, its norm and its losses are finite is the server's to find out: it counts those that are not. Whatever
/// else a server adds up is bounded here, so that no sum overflows.</remarks>
public static class GradientCodecs
{
    /// <summary>Episodes of one segment, at most.</summary>
    public const int MaxEpisodes = 1 << 16;

    /// <summary>A learner of its own pace, and a server, tell of so many episodes at once; the rest they tell later.</summary>
    public const int MaxReportedEpisodes = 4096;

    /// <summary>Greatest count of anything in one message.</summary>
    internal const long MaxCount = 1L << 40;

    private const int MaxRunLength = 200, MaxCredits = 1 << 16;

    public static void Write(ref MessagePackWriter writer, RegisterLearner message)
    {
        writer.WriteArrayHeader(3);
        writer.Write(message.Worker);
        writer.Write(message.Incarnation);
        writer.Write(message.Run);
    }

    public static RegisterLearner ReadRegisterLearner(ref MessagePackReader reader)
    {
        ReadFields(ref reader, 3, nameof(RegisterLearner));
        var (worker, incarnation) = (ReadIndex(ref reader, "worker"), ReadIndex(ref reader, "incarnation"));
        var run = reader.ReadString();
        return run is { Length: <= MaxRunLength } ? new RegisterLearner(worker, incarnation, run)
            : throw new MessagePackSerializationException("The run is missing, or its name is too long.");
    }

    public static void Write(ref MessagePackWriter writer, LearnerRegistered message)
    {
        writer.WriteArrayHeader(5);
        writer.Write(message.Worker);
        writer.Write(message.Incarnation);
        writer.Write(message.Credits);
        writer.Write(message.Frames);
        writer.Write(message.Shard);
    }

    public static LearnerRegistered ReadLearnerRegistered(ref MessagePackReader reader)
    {
        ReadFields(ref reader, 5, nameof(LearnerRegistered));
        return new LearnerRegistered(
            ReadIndex(ref reader, "worker"), ReadIndex(ref reader, "incarnation"), ReadInt32(ref reader, 1, MaxCredits, "credits"),
            ReadCount(ref reader, "frames"), ReadShard(ref reader));
    }

    public static void Write(ref MessagePackWriter writer, GradientAcknowledged message)
    {
        writer.WriteArrayHeader(8);
        Write(ref writer, message.Id);
        writer.Write((int)message.Rejection);
        ParameterCodecs.Write(ref writer, message.Newest);
        writer.Write(message.Frames);
        writer.Write(message.Shard);
    }

    public static GradientAcknowledged ReadGradientAcknowledged(ref MessagePackReader reader)
    {
        ReadFields(ref reader, 8, nameof(GradientAcknowledged));
        return new GradientAcknowledged(
            ReadId(ref reader), (GradientRejection)ReadInt32(ref reader, 0, (int)GradientRejection.OutlierLoss, "rejection"),
            ParameterCodecs.ReadVersion(ref reader), ReadCount(ref reader, "frames"), ReadShard(ref reader));
    }

    /// <summary>The values leave by reference where the transport takes references.</summary>
    public static void Write(ref MessagePackWriter writer, PushGradient message)
    {
        var segment = message.Segment;
        writer.WriteArrayHeader(21);
        Write(ref writer, message.Id);
        ParameterCodecs.Write(ref writer, message.Version);
        writer.Write(message.Total);
        writer.Write(message.Offset);
        writer.Write((int)message.Encoding);
        writer.Write(message.Scale);
        writer.Write(Bytes.Of(message.Values));
        writer.Write(segment.Frames);
        writer.Write(Bytes.Of(segment.EpisodeReturns));
        writer.Write(Bytes.Of(segment.EpisodeLengths));
        writer.Write(segment.EpisodesLost);
        writer.Write(segment.Loss.Frames);
        writer.Write(segment.Loss.PolicyGradient);
        writer.Write(segment.Loss.Value);
        writer.Write(segment.Loss.Entropy);
        writer.Write(segment.GradientNorm);
        writer.Write(segment.KeptBack);
        writer.Write(segment.Skew);
    }

    public static PushGradient ReadPushGradient(ref MessagePackReader reader)
    {
        ReadFields(ref reader, 21, nameof(PushGradient));
        var (id, version) = (ReadId(ref reader), ParameterCodecs.ReadVersion(ref reader));
        var (total, offset) = (ReadInt32(ref reader, 1, int.MaxValue, "total"), ReadIndex(ref reader, "offset"));
        var encoding = (GradientEncoding)ReadInt32(ref reader, 0, (int)GradientEncoding.Float16, "encoding");
        var scale = reader.ReadSingle();
        if (!float.IsNormal(scale) || scale < 0) throw new MessagePackSerializationException($"The scale is {scale}, a positive number expected.");
        var values = ReadValues(ref reader, encoding, total - offset);
        return new PushGradient(id, version, total, offset, encoding, scale, values, ReadSegment(ref reader));
    }

    private static byte[] ReadValues(ref MessagePackReader reader, GradientEncoding encoding, int most)
    {
        var bytes = reader.ReadBytes() ?? throw new MessagePackSerializationException("The values are missing.");
        var size = GradientEncodings.BytesPerValue(encoding);
        if (bytes.IsEmpty || bytes.Length % size != 0 || bytes.Length / size > most)
            throw new MessagePackSerializationException($"{bytes.Length} bytes are no part of a gradient that has {most} numbers more.");
        return bytes.ToArray();
    }

    private static SegmentReport ReadSegment(ref MessagePackReader reader)
    {
        var frames = ReadInt32(ref reader, 1, int.MaxValue, "frames");
        var (returns, lengths) = (ReadArray<float>(ref reader), ReadArray<int>(ref reader));
        if (!AreEpisodes(returns, lengths)) throw new MessagePackSerializationException("Episodes have each a finite return and a length.");
        var lost = ReadCount(ref reader, "lost episodes", MaxEpisodes);
        var loss = new ActorCriticLossValues(
            ReadCount(ref reader, "frames", int.MaxValue), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        var norm = reader.ReadSingle();
        if (norm < 0) throw new MessagePackSerializationException($"The gradient's norm is {norm}.");
        return new SegmentReport(
            frames, returns, lengths, lost, loss, norm, ReadIndex(ref reader, "gradients kept back"), ReadCount(ref reader, "skew", MaxCount));
    }

    internal static bool AreEpisodes(float[] returns, int[] lengths) =>
        returns.Length == lengths.Length && Array.TrueForAll(returns, float.IsFinite) && Array.TrueForAll(lengths, length => length >= 0);

    internal static T[] ReadArray<T>(ref MessagePackReader reader)
        where T : unmanaged
    {
        var bytes = reader.ReadBytes() ?? throw new MessagePackSerializationException("Episodes are missing.");
        if (bytes.Length % sizeof(int) != 0 || bytes.Length > MaxEpisodes * sizeof(int))
            throw new MessagePackSerializationException($"{bytes.Length} bytes are no episodes.");
        var values = new T[bytes.Length / sizeof(int)];
        Bytes.CopyTo(bytes, values);
        return values;
    }

    private static void Write(ref MessagePackWriter writer, UnrollId id)
    {
        writer.Write(id.Worker);
        writer.Write(id.Incarnation);
        writer.Write(id.Sequence);
    }

    private static UnrollId ReadId(ref MessagePackReader reader) =>
        new(ReadIndex(ref reader, "worker"), ReadIndex(ref reader, "incarnation"), ReadCount(ref reader, "sequence number"));

    internal static int ReadShard(ref MessagePackReader reader) => ReadInt32(ref reader, 0, ShardRange.MaxShards - 1, "shard");

    internal static void ReadFields(ref MessagePackReader reader, int fields, string what)
    {
        var count = reader.ReadArrayHeader();
        if (count != fields) throw new MessagePackSerializationException($"{what} has {count} fields, {fields} expected.");
    }

    internal static int ReadIndex(ref MessagePackReader reader, string what) => ReadInt32(ref reader, 0, int.MaxValue, what);

    internal static int ReadInt32(ref MessagePackReader reader, int least, int most, string what)
    {
        var value = reader.ReadInt32();
        return value >= least && value <= most ? value
            : throw new MessagePackSerializationException($"{what} is {value}, {least} to {most} expected.");
    }

    internal static long ReadCount(ref MessagePackReader reader, string what, long most = long.MaxValue)
    {
        var value = reader.ReadInt64();
        return value >= 0 && value <= most ? value
            : throw new MessagePackSerializationException($"{what} is {value}, a count of {most} at most expected.");
    }
}
