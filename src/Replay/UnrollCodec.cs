using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using MessagePack;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Replay;

/// <summary>An unroll as MessagePack: an array of shape, id, version, and each buffer as one little-endian binary.</summary>
/// <remarks>
/// Reset flags are bits, least significant first. Of the episodes' returns and lengths only those of ended episodes are sent.
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
        writer.Write(Bytes.Of(unroll.Observations));
        writer.Write(Bytes.Of(unroll.Actions));
        writer.Write(Bytes.Of(unroll.BehaviourLogits));
        writer.Write(Bytes.Of(unroll.Rewards));
        writer.Write(Bytes.Of(unroll.Discounts));
        WriteBits(ref writer, unroll.Reset);
        writer.Write(Bytes.Of(unroll.EpisodeReturns, unroll.EpisodeCount));
        writer.Write(Bytes.Of(unroll.EpisodeLengths, unroll.EpisodeCount));
        writer.Write(unroll.EpisodesLost);
    }

    /// <summary>An unroll of the pool, filled. Nothing is taken or allocated before every length fits the shape.</summary>
    /// <exception cref="MessagePackSerializationException">The bytes are no unroll.</exception>
    public static Unroll Read(ref MessagePackReader reader, UnrollPool pool)
    {
        WireReading.ReadFields(ref reader, Fields, nameof(Unroll));
        var shape = UnrollShapeCodec.Read(ref reader);
        var id = ReplayCodecs.ReadUnrollId(ref reader);
        WireReading.ReadFields(ref reader, 2, nameof(ParameterVersion));
        var version = new ParameterVersion(reader.ReadInt32(), reader.ReadInt64());
        var (frames, rows) = (shape.Frames, (shape.Steps + 1) * shape.Environments);
        var observations = ReadBuffer(ref reader, (shape.Steps + 1) * shape.ObservationRowBytes, "observations");
        var actions = ReadBuffer(ref reader, frames * sizeof(int), "actions");
        var logits = ReadBuffer(ref reader, frames * shape.Actions * sizeof(float), "logits");
        var rewards = ReadBuffer(ref reader, frames * sizeof(float), "rewards");
        var discounts = ReadBuffer(ref reader, frames * sizeof(float), "discounts");
        var reset = ReadBuffer(ref reader, (rows + 7) / 8, "reset flags");
        var returns = ReadBuffer(ref reader, null, "returns of episodes");
        var episodes = (int)(returns.Length / sizeof(float));
        if (returns.Length % sizeof(float) != 0 || episodes > frames)
            throw new MessagePackSerializationException($"Returns of episodes take {returns.Length} bytes in {frames} frames.");
        var lengths = ReadBuffer(ref reader, episodes * sizeof(int), "lengths of episodes");
        var lost = WireReading.ReadIndex(ref reader, "lost episodes");
        if (lost > frames - episodes) throw new MessagePackSerializationException($"{lost} episodes lost, beside {episodes}, in {frames} frames.");

        var unroll = pool.Rent(shape);
        (unroll.Id, unroll.Version, unroll.EpisodeCount, unroll.EpisodesLost) = (id, version, episodes, lost);
        Bytes.CopyTo(observations, unroll.Observations);
        Bytes.CopyTo(actions, unroll.Actions);
        Bytes.CopyTo(logits, unroll.BehaviourLogits);
        Bytes.CopyTo(rewards, unroll.Rewards);
        Bytes.CopyTo(discounts, unroll.Discounts);
        ReadBits(reset, unroll.Reset);
        Bytes.CopyTo(returns, unroll.EpisodeReturns);
        Bytes.CopyTo(lengths, unroll.EpisodeLengths);
        var complaint = !AreNumbered(unroll.Actions, shape.Actions) ? $"An action is not one of {shape.Actions}."
            : AreFinite(unroll.BehaviourLogits) && AreFinite(unroll.Rewards) && AreFinite(unroll.Discounts) ? null
            : "A logit, reward or discount is not finite.";
        if (complaint is null) return unroll;
        pool.Return(unroll);
        throw new MessagePackSerializationException(complaint);
    }

    private static ReadOnlySequence<byte> ReadBuffer(ref MessagePackReader reader, int? bytes, string what)
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

    /// <summary>Whether none is NaN or infinite: one such number would end the run of everybody.</summary>
    private static bool AreFinite(ReadOnlySpan<float> values)
    {
        // Zero times anything finite is zero; NaN stays.
        var sum = Vector<float>.Zero;
        var rest = MemoryMarshal.Cast<float, Vector<float>>(values);
        foreach (var vector in rest) sum += vector * Vector<float>.Zero;
        var total = Vector.Sum(sum);
        foreach (var value in values[(rest.Length * Vector<float>.Count)..]) total += value * 0;
        return total == 0;
    }

    // Eight flags are eight bytes of 0 or 1: the product gathers byte i as bit i of its highest byte.
    private static void WriteBits(ref MessagePackWriter writer, bool[] flags)
    {
        var count = (flags.Length + 7) / 8;
        writer.WriteBinHeader(count);
        var bits = writer.GetSpan(count)[..count];
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(flags.AsSpan());
        for (var i = 0; i < bytes.Length / 8; i++) bits[i] = Gathered(bytes[(8 * i)..]);
        if (bytes.Length % 8 > 0)
        {
            Span<byte> last = stackalloc byte[8];
            last.Clear();
            bytes[^(bytes.Length % 8)..].CopyTo(last);
            bits[^1] = Gathered(last);
        }
        writer.Advance(count);

        static byte Gathered(ReadOnlySpan<byte> eight) =>
            (byte)((BinaryPrimitives.ReadUInt64LittleEndian(eight) * 0x0102040810204080UL) >> 56);
    }

    // The reverse: byte i keeps bit i alone, and what is not 0 becomes 1.
    private static void ReadBits(in ReadOnlySequence<byte> bits, bool[] flags)
    {
        var bytes = MemoryMarshal.AsBytes(flags.AsSpan());
        Span<byte> eight = stackalloc byte[8];
        foreach (var segment in bits)
            foreach (var each in segment.Span)
            {
                var spread = (each * 0x0101010101010101UL) & 0x8040201008040201UL;
                BinaryPrimitives.WriteUInt64LittleEndian(eight, ((spread + 0x7f7f7f7f7f7f7f7fUL) >> 7) & 0x0101010101010101UL);
                var count = Math.Min(8, bytes.Length);
                eight[..count].CopyTo(bytes);
                bytes = bytes[count..];
            }
    }
}
