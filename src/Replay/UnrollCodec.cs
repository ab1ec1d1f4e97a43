using System.Buffers;
using System.Runtime.InteropServices;
using MessagePack;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Replay;

/// <summary>An unroll as MessagePack: an array of shape, id, version, and each buffer as one little-endian binary.</summary>
/// <remarks>
/// Reset flags are bits, least significant first. Stacks of frames are sent frame by frame, see <see cref="StackedRows"/>. Of the episodes' returns and lengths only those of ended episodes are sent.
/// Large buffers leave by reference where the transport takes references.
/// </remarks>
public static class UnrollCodec
{
    private const int Fields = 12;

    public static void Write(ref MessagePackWriter writer, Unroll unroll)
    {
        writer.WriteArrayHeader(Fields);
        UnrollShapeCodec.Write(ref writer, unroll.Shape);
        ReplayCodecs.Write(ref writer, unroll.Id);
        writer.WriteArrayHeader(2);
        writer.Write(unroll.Version.Epoch);
        writer.Write(unroll.Version.Counter);
        if (unroll.Stacking is null) writer.Write(Bytes.Of(unroll.Observations));
        else StackedRows.Write(ref writer, unroll);
        writer.Write(Bytes.Of(unroll.Actions));
        writer.Write(Bytes.Of(unroll.BehaviourLogits));
        writer.Write(Bytes.Of(unroll.Rewards));
        writer.Write(Bytes.Of(unroll.Discounts));
        FlagBits.Write(ref writer, unroll.Reset);
        writer.Write(Bytes.Of(unroll.EpisodeReturns, unroll.EpisodeCount));
        writer.Write(Bytes.Of(unroll.EpisodeLengths, unroll.EpisodeCount));
        writer.Write(unroll.EpisodesLost);
    }

    /// <summary>An unroll of the pool, filled. Nothing is taken or allocated before the shape is the pool's, where it knows one, and every
    /// length fits it.</summary>
    /// <exception cref="MessagePackSerializationException">The bytes are no unroll of the run.</exception>
    public static Unroll Read(ref MessagePackReader reader, UnrollPool pool)
    {
        WireReading.ReadFields(ref reader, Fields, nameof(Unroll));
        var shape = UnrollShapeCodec.Read(ref reader);
        if (pool.Shape is { } expected && shape != expected)
            throw new MessagePackSerializationException($"An unroll of another run's shape: {shape}, {expected} expected.");
        var id = ReplayCodecs.ReadUnrollId(ref reader);
        WireReading.ReadFields(ref reader, 2, nameof(ParameterVersion));
        var version = new ParameterVersion(reader.ReadInt32(), reader.ReadInt64());
        var (frames, rows) = (shape.Frames, (shape.Steps + 1) * shape.Environments);
        var (wholeStacks, observations) = shape.Observation.StackedFrames > 1
            ? StackedRows.Read(ref reader, shape)
            : (default, ReadBuffer(ref reader, (shape.Steps + 1) * shape.ObservationRowBytes, "observations"));
        var actions = ReadBuffer(ref reader, frames * sizeof(int), "actions");
        var logits = ReadBuffer(ref reader, frames * shape.Actions * sizeof(float), "logits");
        var rewards = ReadBuffer(ref reader, frames * sizeof(float), "rewards");
        var discounts = ReadBuffer(ref reader, frames * sizeof(float), "discounts");
        var reset = ReadBuffer(ref reader, (rows + 7) / 8, "reset flags");
        if (shape.Observation.StackedFrames > 1 && !StackedRows.HasFirst(shape, wholeStacks, reset))
            throw new MessagePackSerializationException("The first stack of an environment is missing.");
        var returns = ReadBuffer(ref reader, null, "returns of episodes");
        var episodes = (int)(returns.Length / sizeof(float));
        if (returns.Length % sizeof(float) != 0 || episodes > frames)
            throw new MessagePackSerializationException($"Returns of episodes take {returns.Length} bytes in {frames} frames.");
        var lengths = ReadBuffer(ref reader, episodes * sizeof(int), "lengths of episodes");
        var lost = WireReading.ReadIndex(ref reader, "lost episodes");
        if (lost > frames - episodes) throw new MessagePackSerializationException($"{lost} episodes lost, beside {episodes}, in {frames} frames.");

        var unroll = pool.Rent(shape);
        (unroll.Id, unroll.Version, unroll.EpisodeCount, unroll.EpisodesLost) = (id, version, episodes, lost);
        Bytes.CopyTo(actions, unroll.Actions);
        Bytes.CopyTo(logits, unroll.BehaviourLogits);
        Bytes.CopyTo(rewards, unroll.Rewards);
        Bytes.CopyTo(discounts, unroll.Discounts);
        FlagBits.Read(reset, unroll.Reset);
        Bytes.CopyTo(returns, unroll.EpisodeReturns);
        Bytes.CopyTo(lengths, unroll.EpisodeLengths);
        string? stacks = null;
        if (unroll.Stacking is null) Bytes.CopyTo(observations, unroll.Observations);
        else stacks = StackedRows.CopyTo(unroll, wholeStacks, observations);
        var complaint = stacks is not null ? stacks
            : !AreNumbered(unroll.Actions, shape.Actions) ? $"An action is not one of {shape.Actions}."
            : AreFinite(unroll.BehaviourLogits) && AreFinite(unroll.Rewards) && AreFinite(unroll.Discounts) ? null
            : "A logit, reward or discount is not finite.";
        if (complaint is null) return unroll;
        pool.Return(unroll);
        throw new MessagePackSerializationException(complaint);
    }

    internal static ReadOnlySequence<byte> ReadBuffer(ref MessagePackReader reader, int? bytes, string what)
    {
        var buffer = reader.ReadBytes() ?? throw new MessagePackSerializationException($"No {what}.");
        return bytes is null || buffer.Length == bytes ? buffer
            : throw new MessagePackSerializationException($"{what}: {buffer.Length} bytes, {bytes} by the shape.");
    }

    /// <summary>Whether all are 0 to below <paramref name="count"/>; what reads them as indices relies on it.</summary>
    private static bool AreNumbered(ReadOnlySpan<int> actions, int count)
    {
        var isOutside = false;
        foreach (var action in actions) isOutside |= (uint)action >= (uint)count;
        return !isOutside;
    }

    // One number that is none would end the run of everybody.
    private static bool AreFinite(ReadOnlySpan<float> values) => FiniteCheck.FirstNotFinite(values) < 0;
}
