using System.Buffers;
using MessagePack;
using Rl.Distributed.Core.Environments.Wrappers;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Replay;

/// <summary>Observations that are stacks of frames, on the wire: each frame once.</summary>
/// <remarks>
/// An array of two binaries. One bit for each row [T+1][B]: whether it is sent whole. Then the rows, in order: whole, or the newest frame
/// alone. The reader makes the rest: where the row starts an episode (Reset) its frame fills the stack, else it is pushed onto the stack
/// before. The writer sends a row whole wherever that would not give the same bytes, such as at the start of an unroll; so what is read is
/// what was written, whatever made the stacks.
/// </remarks>
internal static class StackedRows
{
    public static void Write(ref MessagePackWriter writer, Unroll unroll)
    {
        var (stacking, rows) = (unroll.Stacking!, unroll.Reset.Length);
        var whole = ArrayPool<bool>.Shared.Rent(rows);
        var count = 0;
        for (var row = 0; row < rows; row++) count += (whole[row] = !IsImplied(unroll, row)) ? 1 : 0;
        writer.WriteArrayHeader(2);
        FlagBits.Write(ref writer, whole.AsSpan(0, rows));
        writer.WriteBinHeader(count * stacking.StackBytes + (rows - count) * stacking.FrameBytes);
        for (var row = 0; row < rows; row++)
        {
            if (whole[row])
            {
                writer.WriteRaw(unroll.ObservationAt(row));
                continue;
            }
            stacking.Newest(unroll.ObservationAt(row), writer.GetSpan(stacking.FrameBytes)[..stacking.FrameBytes]);
            writer.Advance(stacking.FrameBytes);
        }
        ArrayPool<bool>.Shared.Return(whole);
    }

    /// <summary>Both binaries, of lengths that fit each other and the shape. Nothing is taken yet.</summary>
    /// <exception cref="MessagePackSerializationException">They do not fit.</exception>
    public static (ReadOnlySequence<byte> Whole, ReadOnlySequence<byte> Data) Read(ref MessagePackReader reader, UnrollShape shape)
    {
        WireReading.ReadFields(ref reader, 2, "Stacked observations");
        var rows = (shape.Steps + 1) * shape.Environments;
        var whole = UnrollCodec.ReadBuffer(ref reader, (rows + 7) / 8, "stacks sent whole");
        var count = FlagBits.Count(whole);
        if (count > rows) throw new MessagePackSerializationException($"{count} stacks sent whole, of {rows}.");
        var bytes = count * shape.Observation.ByteCount + (rows - count) * FrameStacking.FrameBytesOf(shape.Observation);
        return (whole, UnrollCodec.ReadBuffer(ref reader, bytes, "observations"));
    }

    /// <summary>Whether the first row of each environment is whole or starts an episode: all others are made from it.</summary>
    public static bool HasFirst(UnrollShape shape, in ReadOnlySequence<byte> whole, in ReadOnlySequence<byte> reset)
    {
        var wholeBits = new SequenceReader<byte>(whole);
        var resetBits = new SequenceReader<byte>(reset);
        for (var left = shape.Environments; left > 0; left -= 8)
        {
            var needed = left < 8 ? (1 << left) - 1 : 0xFF;
            if (!wholeBits.TryRead(out var a) || !resetBits.TryRead(out var b) || ((a | b) & needed) != needed) return false;
        }
        return true;
    }

    /// <summary>Fills the unroll's observations; its reset flags are filled already, and its first rows are there. What is wrong with them, or null.</summary>
    public static string? CopyTo(Unroll unroll, in ReadOnlySequence<byte> wholeBits, in ReadOnlySequence<byte> data)
    {
        var (stacking, rows) = (unroll.Stacking!, unroll.Reset.Length);
        var whole = ArrayPool<bool>.Shared.Rent(rows);
        var frame = ArrayPool<byte>.Shared.Rent(stacking.FrameBytes);
        FlagBits.Read(wholeBits, whole.AsSpan(0, rows));
        var reader = new SequenceReader<byte>(data);
        string? complaint = null;
        for (var row = 0; row < rows && complaint is null; row++)
        {
            var bytes = whole[row] ? stacking.StackBytes : stacking.FrameBytes;
            if (reader.Remaining < bytes) complaint = "Flags of stacks that do not exist are set.";
            else if (whole[row]) reader.TryCopyTo(unroll.ObservationAt(row));
            else if (unroll.Reset[row]) stacking.Fill(Next(reader, frame, bytes), unroll.ObservationAt(row));
            else stacking.Push(unroll.ObservationAt(row - unroll.Shape.Environments), Next(reader, frame, bytes), unroll.ObservationAt(row));
            if (complaint is null) reader.Advance(bytes);
        }
        ArrayPool<byte>.Shared.Return(frame);
        ArrayPool<bool>.Shared.Return(whole);
        return complaint ?? (reader.Remaining > 0 ? "Flags of stacks that do not exist are set." : null);
    }

    private static bool IsImplied(Unroll unroll, int row)
    {
        var stacking = unroll.Stacking!;
        var observation = unroll.ObservationAt(row);
        if (unroll.Reset[row]) return stacking.Follows(observation, observation);
        return row >= unroll.Shape.Environments && stacking.Follows(unroll.ObservationAt(row - unroll.Shape.Environments), observation);
    }

    // The next bytes in one piece: where they lie, or else copied.
    private static ReadOnlySpan<byte> Next(in SequenceReader<byte> reader, byte[] scratch, int bytes)
    {
        if (reader.UnreadSpan.Length >= bytes) return reader.UnreadSpan[..bytes];
        reader.TryCopyTo(scratch.AsSpan(0, bytes));
        return scratch.AsSpan(0, bytes);
    }
}
