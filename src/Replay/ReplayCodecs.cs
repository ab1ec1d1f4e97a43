using MessagePack;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Replay;

/// <summary>The replay actor's messages as MessagePack: each an array of its fields, in order.</summary>
/// <remarks>Reading throws MessagePackSerializationException, EndOfStreamException or OverflowException: each is a rejected message.</remarks>
public static class ReplayCodecs
{
    /// <summary>Unrolls of one batch, at most.</summary>
    public const int MaxBatch = 1 << 16;

    public static void Write(ref MessagePackWriter writer, RegisterWorker message)
    {
        writer.WriteArrayHeader(3);
        writer.Write(message.Worker);
        writer.Write(message.Incarnation);
        writer.Write(message.UnrollBytes);
    }

    public static RegisterWorker ReadRegisterWorker(ref MessagePackReader reader)
    {
        WireReading.ReadFields(ref reader, 3, nameof(RegisterWorker));
        return new RegisterWorker(
            WireReading.ReadIndex(ref reader, "worker"),
            WireReading.ReadIndex(ref reader, "incarnation"),
            WireReading.ReadCount(ref reader, "bytes of an unroll"));
    }

    public static void Write(ref MessagePackWriter writer, InsertUnroll message) => UnrollCodec.Write(ref writer, message.Unroll);

    public static InsertUnroll ReadInsertUnroll(ref MessagePackReader reader, UnrollPool pool) => new(UnrollCodec.Read(ref reader, pool));

    public static void Write(ref MessagePackWriter writer, CreditsGranted message)
    {
        writer.WriteArrayHeader(3);
        writer.Write(message.Worker);
        writer.Write(message.Incarnation);
        writer.Write(message.Count);
    }

    public static CreditsGranted ReadCreditsGranted(ref MessagePackReader reader)
    {
        WireReading.ReadFields(ref reader, 3, nameof(CreditsGranted));
        return new CreditsGranted(
            WireReading.ReadIndex(ref reader, "worker"),
            WireReading.ReadIndex(ref reader, "incarnation"),
            WireReading.ReadInt32(ref reader, 0, MaxBatch, "credits"));
    }

    public static void Write(ref MessagePackWriter writer, CreditReturned message)
    {
        writer.WriteArrayHeader(2);
        Write(ref writer, message.Id);
        writer.Write((int)message.Outcome);
    }

    public static CreditReturned ReadCreditReturned(ref MessagePackReader reader)
    {
        WireReading.ReadFields(ref reader, 2, nameof(CreditReturned));
        return new CreditReturned(
            ReadUnrollId(ref reader),
            (UnrollOutcome)WireReading.ReadInt32(ref reader, 0, (int)UnrollOutcome.NotFinite, "outcome"));
    }

    public static void Write(ref MessagePackWriter writer, UnrollId id)
    {
        writer.WriteArrayHeader(3);
        writer.Write(id.Worker);
        writer.Write(id.Incarnation);
        writer.Write(id.Sequence);
    }

    public static UnrollId ReadUnrollId(ref MessagePackReader reader)
    {
        WireReading.ReadFields(ref reader, 3, nameof(UnrollId));
        return new UnrollId(
            WireReading.ReadIndex(ref reader, "worker"),
            WireReading.ReadIndex(ref reader, "incarnation"),
            WireReading.ReadCount(ref reader, "sequence number"));
    }
}
