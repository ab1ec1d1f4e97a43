using MessagePack;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Replay;

/// <summary>The replay memory's messages as MessagePack: each an array of its fields, in order.</summary>
/// <remarks>Reading throws MessagePackSerializationException, EndOfStreamException or OverflowException: each is a rejected message. Whether
/// a minibatch suits the run is the receiver's to find out: see <see cref="TransitionBatch.TryFill"/>.</remarks>
public static class TransitionCodecs
{
    private const int MaxSteps = 1 << 16, MaxBytes = 256 << 20;

    public static void Write(ref MessagePackWriter writer, RequestTransitions message)
    {
        writer.WriteArrayHeader(3);
        writer.Write(message.Worker);
        writer.Write(message.Incarnation);
        writer.Write(message.Number);
    }

    public static RequestTransitions ReadRequestTransitions(ref MessagePackReader reader)
    {
        WireReading.ReadFields(ref reader, 3, nameof(RequestTransitions));
        return new RequestTransitions(
            WireReading.ReadIndex(ref reader, "worker"), WireReading.ReadIndex(ref reader, "incarnation"), WireReading.ReadCount(ref reader, "number"));
    }

    public static void Write(ref MessagePackWriter writer, TransitionsDrawn message)
    {
        writer.WriteArrayHeader(7);
        writer.Write(message.Worker);
        writer.Write(message.Incarnation);
        writer.Write(message.Number);
        writer.Write(message.Observations);
        writer.Write(Bytes.Of(message.Actions));
        writer.Write(Bytes.Of(message.Rewards));
        writer.Write(Bytes.Of(message.Discounts));
    }

    public static TransitionsDrawn ReadTransitionsDrawn(ref MessagePackReader reader)
    {
        WireReading.ReadFields(ref reader, 7, nameof(TransitionsDrawn));
        var (worker, incarnation) = (WireReading.ReadIndex(ref reader, "worker"), WireReading.ReadIndex(ref reader, "incarnation"));
        var number = WireReading.ReadCount(ref reader, "number");
        var observations = ReadArray<byte>(ref reader, null, "observations");
        var actions = ReadArray<int>(ref reader, null, "actions");
        if (actions.Length > MaxSteps || (actions.Length == 0 ? observations.Length > 0 : observations.Length % (2 * actions.Length) != 0))
            throw new MessagePackSerializationException($"{observations.Length} bytes are no observations of {actions.Length} steps.");
        return new TransitionsDrawn(
            worker, incarnation, number, observations, actions, ReadArray<float>(ref reader, actions.Length, "rewards"),
            ReadArray<float>(ref reader, actions.Length, "discounts"));
    }

    private static unsafe T[] ReadArray<T>(ref MessagePackReader reader, int? count, string what)
        where T : unmanaged
    {
        var bytes = reader.ReadBytes() ?? throw new MessagePackSerializationException($"No {what}.");
        if (bytes.Length % sizeof(T) != 0 || bytes.Length > MaxBytes || (count is { } expected && bytes.Length != expected * sizeof(T)))
            throw new MessagePackSerializationException($"{bytes.Length} bytes are no {what} of a minibatch.");
        var values = new T[bytes.Length / sizeof(T)];
        Bytes.CopyTo(bytes, values);
        return values;
    }
}
