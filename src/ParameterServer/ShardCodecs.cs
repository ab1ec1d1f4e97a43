using System.Buffers;
using MessagePack;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;
using static Rl.Distributed.ParameterServer.GradientCodecs;

namespace Rl.Distributed.ParameterServer;

/// <summary>The shards' messages as MessagePack: each an array of its fields, in order.</summary>
/// <remarks>Reading throws MessagePackSerializationException, EndOfStreamException or OverflowException: each is a rejected message.</remarks>
public static class ShardCodecs
{
    private const int MaxSlots = ShardRange.MaxShards, MaxText = 1000, MaxSeen = 4 * ShardRange.MaxShards;

    // Of a hundred thousand updates, each with the greatest count.
    private const long MaxSum = 1L << 57;

    public static void Write(ref MessagePackWriter writer, OfferShards message) => writer.Write(message.Slots);

    public static OfferShards ReadOfferShards(ref MessagePackReader reader) => new(ReadInt32(ref reader, 1, MaxSlots, "slots"));

    public static void Write(ref MessagePackWriter writer, StartShard message)
    {
        var (range, learning, wire) = (message.Range, message.Learning, message.Wire);
        writer.WriteArrayHeader(23);
        writer.Write(message.Run);
        WriteShard(ref writer, message.Shard, message.Epoch);
        writer.Write(range.Start);
        writer.Write(range.Count);
        writer.Write(range.Total);
        writer.Write((int)learning.Update.Rule);
        writer.Write(learning.Update.Decay);
        writer.Write(learning.Update.Epsilon);
        writer.Write(learning.Update.MaxStaleness);
        writer.Write(learning.LearningRate.Start);
        writer.Write(learning.LearningRate.End);
        writer.Write(learning.LearningRate.Duration);
        writer.Write(learning.FramesPerGradient);
        writer.Write(learning.TargetInterval);
        writer.Write((int)learning.TargetClock);
        writer.Write(learning.TotalFrames);
        writer.Write(learning.Credits);
        writer.Write(learning.MaxGradientNorm);
        writer.Write(wire.PublishMilliseconds);
        writer.Write(wire.ChunkKilobytes);
        writer.Write(wire.ChunksInFlight);
        writer.Write(wire.MaxRolledBackUpdates);
    }

    public static StartShard ReadStartShard(ref MessagePackReader reader)
    {
        ReadFields(ref reader, 23, nameof(StartShard));
        var (run, shard, epoch) = (ReadText(ref reader, "run"), ReadShard(ref reader), ReadIndex(ref reader, "epoch"));
        var (start, count, total) = (ReadIndex(ref reader, "start"), ReadIndex(ref reader, "count"), ReadIndex(ref reader, "total"));
        if (count == 0 || start > total - count) throw new MessagePackSerializationException($"{count} from {start} on are no part of {total} parameters.");
        var update = new SharedParametersOptions
        {
            Rule = (UpdateRule)ReadInt32(ref reader, 0, Enum.GetValues<UpdateRule>().Length - 1, "update rule"),
            Decay = ReadNumber(ref reader, "decay"),
            Epsilon = ReadNumber(ref reader, "epsilon"),
            MaxStaleness = ReadCount(ref reader, "staleness"),
        };
        var learning = new ShardLearning(
            update, new LinearSchedule(ReadNumber(ref reader, "learning rate"), ReadNumber(ref reader, "learning rate"), ReadNumber(ref reader, "frames")),
            ReadInt32(ref reader, 1, int.MaxValue, "frames"), ReadCount(ref reader, "target interval"),
            (TargetClock)ReadInt32(ref reader, 0, (int)TargetClock.Updates, "target clock"), ReadCount(ref reader, "total frames"),
            ReadInt32(ref reader, 1, int.MaxValue, "credits"))
        {
            MaxGradientNorm = reader.ReadSingle(),
        };
        if (!(learning.MaxGradientNorm >= 0)) throw new MessagePackSerializationException($"The greatest norm is {learning.MaxGradientNorm}.");
        var wire = new ParameterServerOptions
        {
            PublishMilliseconds = ReadNumber(ref reader, "milliseconds"),
            ChunkKilobytes = ReadInt32(ref reader, 1, 65536, "chunk"),
            ChunksInFlight = ReadInt32(ref reader, 1, 1024, "chunks"),
            MaxRolledBackUpdates = ReadInt32(ref reader, 2, int.MaxValue, "updates"),
        };
        return wire.PublishMilliseconds is >= 1 and <= 60_000
            ? new StartShard(run, shard, epoch, new ShardRange(start, count, total), learning, wire)
            : throw new MessagePackSerializationException($"{wire.PublishMilliseconds} ms between two versions.");
    }

    public static void Write(ref MessagePackWriter writer, ShardStarted message)
    {
        writer.WriteArrayHeader(2);
        WriteShard(ref writer, message.Shard, message.Epoch);
    }

    public static ShardStarted ReadShardStarted(ref MessagePackReader reader)
    {
        ReadFields(ref reader, 2, nameof(ShardStarted));
        return new ShardStarted(ReadShard(ref reader), ReadIndex(ref reader, "epoch"));
    }

    /// <summary>The values leave by reference where the transport takes references.</summary>
    public static void Write(ref MessagePackWriter writer, StateChunk message)
    {
        writer.WriteArrayHeader(6);
        WriteShard(ref writer, message.Shard, message.Epoch);
        writer.Write(message.Number);
        writer.Write(message.Total);
        writer.Write(message.Offset);
        writer.Write(Bytes.Of(message.Values));
    }

    public static StateChunk ReadStateChunk(ref MessagePackReader reader)
    {
        ReadFields(ref reader, 6, nameof(StateChunk));
        var (shard, epoch, number) = (ReadShard(ref reader), ReadIndex(ref reader, "epoch"), ReadCount(ref reader, "number"));
        var (total, offset) = (ReadInt32(ref reader, 1, int.MaxValue, "total"), ReadIndex(ref reader, "offset"));
        var bytes = reader.ReadBytes() ?? throw new MessagePackSerializationException("The values are missing.");
        if (bytes.IsEmpty || bytes.Length > total - offset)
            throw new MessagePackSerializationException($"{bytes.Length} bytes from {offset} on are no part of {total}.");
        return new StateChunk(shard, epoch, number, total, offset, bytes.ToArray());
    }

    public static void Write(ref MessagePackWriter writer, StateReceived message)
    {
        writer.WriteArrayHeader(4);
        WriteShard(ref writer, message.Shard, message.Epoch);
        writer.Write(message.Number);
        writer.Write(message.Count);
    }

    public static StateReceived ReadStateReceived(ref MessagePackReader reader)
    {
        ReadFields(ref reader, 4, nameof(StateReceived));
        return new StateReceived(
            ReadShard(ref reader), ReadIndex(ref reader, "epoch"), ReadCount(ref reader, "number"), ReadInt32(ref reader, 1, int.MaxValue, "count"));
    }

    public static void Write(ref MessagePackWriter writer, StopShard message) => writer.Write(message.Epoch);

    public static StopShard ReadStopShard(ref MessagePackReader reader) => new(ReadIndex(ref reader, "epoch"));

    public static void Write(ref MessagePackWriter writer, SaveShard message) => writer.Write(message.Epoch);

    public static SaveShard ReadSaveShard(ref MessagePackReader reader) => new(ReadIndex(ref reader, "epoch"));

    public static void Write(ref MessagePackWriter writer, WhereAreShards message)
    {
        writer.WriteArrayHeader(message.Seen.Length);
        foreach (var (shard, epoch, updates) in message.Seen)
        {
            WriteShard(ref writer, shard, epoch);
            writer.Write(updates);
        }
    }

    public static WhereAreShards ReadWhereAreShards(ref MessagePackReader reader)
    {
        var seen = new ShardVersion[ReadLength(ref reader, MaxSeen)];
        for (var i = 0; i < seen.Length; i++)
            seen[i] = new ShardVersion(ReadShard(ref reader), ReadIndex(ref reader, "epoch"), ReadCount(ref reader, "updates"));
        return new WhereAreShards(seen);
    }

    public static void Write(ref MessagePackWriter writer, ShardPlaces message)
    {
        writer.WriteArrayHeader(message.Places.Length);
        foreach (var (epoch, path) in message.Places)
        {
            writer.Write(epoch);
            writer.Write(path);
        }
    }

    public static ShardPlaces ReadShardPlaces(ref MessagePackReader reader)
    {
        var places = new ShardPlace[ReadLength(ref reader, ShardRange.MaxShards)];
        for (var i = 0; i < places.Length; i++) places[i] = new ShardPlace(ReadIndex(ref reader, "epoch"), ReadText(ref reader, "path"));
        return new ShardPlaces(places);
    }

    public static void Write(ref MessagePackWriter writer, ShardReport message)
    {
        var progress = message.Progress;
        writer.WriteArrayHeader(22);
        WriteShard(ref writer, message.Shard, message.Epoch);
        writer.Write(message.Frames);
        writer.Write(message.Updates);
        writer.Write(message.Rejected);
        writer.Write(progress.Frames);
        writer.Write(progress.Updates);
        writer.Write(progress.Rejected);
        writer.Write(progress.NotFinite);
        writer.Write(progress.KeptBack);
        writer.Write(Bytes.Of(progress.EpisodeReturns));
        writer.Write(Bytes.Of(progress.EpisodeLengths));
        writer.Write(progress.EpisodesLost);
        writer.Write(progress.Loss.Frames);
        writer.Write(progress.Loss.PolicyGradient);
        writer.Write(progress.Loss.Value);
        writer.Write(progress.Loss.Entropy);
        writer.Write(progress.GradientNormSum);
        writer.Write(progress.StalenessSum);
        writer.Write(progress.StalenessMax);
        writer.Write(progress.SkewSum);
        writer.Write(progress.SkewMax);
    }

    public static ShardReport ReadShardReport(ref MessagePackReader reader)
    {
        ReadFields(ref reader, 22, nameof(ShardReport));
        var (shard, epoch) = (ReadShard(ref reader), ReadIndex(ref reader, "epoch"));
        var (frames, updates, rejected) = (ReadCount(ref reader, "frames"), ReadCount(ref reader, "updates"), ReadCount(ref reader, "rejected"));
        var progress = new LearnerProgress
        {
            Frames = ReadCount(ref reader, "frames", MaxCount),
            Updates = ReadCount(ref reader, "updates", MaxCount),
            Rejected = ReadCount(ref reader, "rejected", MaxCount),
            NotFinite = ReadCount(ref reader, "not finite", MaxCount),
            KeptBack = ReadCount(ref reader, "kept back", MaxCount),
            EpisodeReturns = ReadArray<float>(ref reader),
            EpisodeLengths = ReadArray<int>(ref reader),
            EpisodesLost = ReadCount(ref reader, "lost episodes", MaxCount),
            Loss = new ActorCriticLossValues(ReadCount(ref reader, "frames", MaxCount), ReadLoss(ref reader), ReadLoss(ref reader), ReadLoss(ref reader)),
            GradientNormSum = ReadNumber(ref reader, "sum of norms"),
            StalenessSum = ReadCount(ref reader, "staleness", MaxSum),
            StalenessMax = ReadCount(ref reader, "staleness", MaxCount),
            SkewSum = ReadCount(ref reader, "skew", MaxSum),
            SkewMax = ReadCount(ref reader, "skew", MaxCount),
        };
        if (!AreEpisodes(progress.EpisodeReturns, progress.EpisodeLengths))
            throw new MessagePackSerializationException("Episodes have each a finite return and a length.");
        return new ShardReport(shard, epoch, frames, updates, rejected, progress);
    }

    private static void WriteShard(ref MessagePackWriter writer, int shard, int epoch)
    {
        writer.Write(shard);
        writer.Write(epoch);
    }

    private static int ReadLength(ref MessagePackReader reader, int most)
    {
        var count = reader.ReadArrayHeader();
        return count <= most ? count : throw new MessagePackSerializationException($"{count} entries, at most {most} expected.");
    }

    private static double ReadLoss(ref MessagePackReader reader)
    {
        var value = reader.ReadDouble();
        return double.IsFinite(value) ? value : throw new MessagePackSerializationException($"A loss is {value}.");
    }

    private static double ReadNumber(ref MessagePackReader reader, string what)
    {
        var value = reader.ReadDouble();
        return double.IsFinite(value) && value >= 0 ? value : throw new MessagePackSerializationException($"{what} is {value}.");
    }

    private static string ReadText(ref MessagePackReader reader, string what) =>
        reader.ReadString() is { Length: <= MaxText } text ? text : throw new MessagePackSerializationException($"The {what} is missing, or too long.");
}
