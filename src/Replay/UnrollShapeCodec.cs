using MessagePack;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Replay;

/// <summary>The shape of unrolls as MessagePack, within limits.</summary>
public static class UnrollShapeCodec
{
    /// <summary>Bytes of one unroll's buffers, at most.</summary>
    public const long MaxBytes = 256L << 20;

    /// <summary>Dimensions of an observation, at most.</summary>
    public const int MaxDimensions = 8;

    /// <summary>Frames of a stack, at most: by so much an unroll can be larger than what was sent.</summary>
    public const int MaxFrames = 64;

    // Small enough that no product below leaves 64 bits.
    private const int MaxSize = 1 << 16;

    public static void Write(ref MessagePackWriter writer, UnrollShape shape)
    {
        writer.WriteArrayHeader(6);
        writer.Write(shape.Steps);
        writer.Write(shape.Environments);
        writer.Write(shape.Actions);
        writer.Write((int)shape.Observation.Type);
        writer.WriteArrayHeader(shape.Observation.Shape.Length);
        foreach (var size in shape.Observation.Shape) writer.Write(size);
        writer.Write(shape.Observation.StackedFrames);
    }

    /// <exception cref="MessagePackSerializationException">A size is not positive, or the whole is too large.</exception>
    public static UnrollShape Read(ref MessagePackReader reader)
    {
        WireReading.ReadFields(ref reader, 6, nameof(UnrollShape));
        var steps = WireReading.ReadInt32(ref reader, 1, MaxSize, "steps");
        var environments = WireReading.ReadInt32(ref reader, 1, MaxSize, "environments");
        var actions = WireReading.ReadInt32(ref reader, 1, MaxSize, "actions");
        var type = (ElementType)WireReading.ReadInt32(ref reader, 0, (int)ElementType.Bit, "element type");
        var dimensions = reader.ReadArrayHeader();
        if (dimensions is 0 or > MaxDimensions) throw new MessagePackSerializationException($"Observations of {dimensions} dimensions.");
        Span<int> sizes = stackalloc int[dimensions];
        var elements = 1L;
        foreach (ref var size in sizes)
        {
            size = WireReading.ReadInt32(ref reader, 1, ObservationSpec.MaxElements, "size of an observation");
            elements *= size;
            if (elements > ObservationSpec.MaxElements) throw new MessagePackSerializationException($"Observations of {elements} elements and more.");
        }
        var frames = WireReading.ReadInt32(ref reader, 1, MaxFrames, "frames of an observation");
        if (sizes[^1] % frames != 0) throw new MessagePackSerializationException($"{frames} frames in {sizes[^1]} elements.");
        var shape = new UnrollShape(steps, environments, new ObservationSpec(type, sizes) { StackedFrames = frames }, actions);
        var bytes = (long)steps * environments * sizeof(float) * (5L + actions)
            + (steps + 1L) * environments * (shape.Observation.ByteCount + 1L);
        return bytes <= MaxBytes ? shape : throw new MessagePackSerializationException($"An unroll of {bytes} bytes, {MaxBytes} at most.");
    }
}
