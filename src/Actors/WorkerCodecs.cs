using MessagePack;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Actors;

/// <summary>The workers' messages as MessagePack: each an array of its fields, in order.</summary>
public static class WorkerCodecs
{
    public static void Write(ref MessagePackWriter writer, WorkerReport message)
    {
        writer.WriteArrayHeader(10);
        writer.Write(message.Worker);
        writer.Write(message.Incarnation);
        writer.Write(message.Sent);
        writer.Write(message.Consumed);
        writer.Write(message.Lost);
        writer.Write(message.WrongShape);
        writer.Write(message.TableFull);
        writer.Write(message.Duplicate);
        writer.Write(message.StaleIncarnation);
        writer.Write(message.NotFinite);
    }

    /// <exception cref="MessagePackSerializationException">The bytes are no such message.</exception>
    public static WorkerReport ReadWorkerReport(ref MessagePackReader reader)
    {
        WireReading.ReadFields(ref reader, 10, nameof(WorkerReport));
        return new WorkerReport(
            WireReading.ReadIndex(ref reader, "worker"),
            WireReading.ReadIndex(ref reader, "incarnation"),
            WireReading.ReadCount(ref reader, "sent"),
            WireReading.ReadCount(ref reader, "consumed"),
            WireReading.ReadCount(ref reader, "lost"),
            WireReading.ReadCount(ref reader, "wrong shape"),
            WireReading.ReadCount(ref reader, "table full"),
            WireReading.ReadCount(ref reader, "duplicate"),
            WireReading.ReadCount(ref reader, "stale incarnation"),
            WireReading.ReadCount(ref reader, "not finite"));
    }
}
