using MessagePack;
using Rl.Distributed.Actors;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Clustering;

/// <summary>The messages between a run's coordinator and worker hosts as MessagePack: each an array of its fields, in order.</summary>
/// <remarks>Reading throws MessagePackSerializationException, EndOfStreamException or OverflowException: each is a rejected message.</remarks>
internal static class ClusterCodecs
{
    private const int MaxWorkers = WorkerOptions.MaxCount, MaxReports = 1 << 16;

    public static void Write(ref MessagePackWriter writer, OfferWorkers message)
    {
        writer.WriteArrayHeader(3);
        writer.Write(message.Workers);
        writer.Write(message.Run);
        writer.WriteArrayHeader(message.History.Length);
        foreach (var report in message.History) WorkerCodecs.Write(ref writer, report);
    }

    public static OfferWorkers ReadOfferWorkers(ref MessagePackReader reader)
    {
        WireReading.ReadFields(ref reader, 3, nameof(OfferWorkers));
        var (workers, run, count) = (ReadWorkers(ref reader), ReadText(ref reader, "run"), reader.ReadArrayHeader());
        if (count > MaxReports) throw new MessagePackSerializationException($"{count} reports, at most {MaxReports} expected.");
        var history = new WorkerReport[count];
        for (var i = 0; i < history.Length; i++) history[i] = WorkerCodecs.ReadWorkerReport(ref reader);
        return new OfferWorkers(workers, run, history);
    }

    public static void Write(ref MessagePackWriter writer, WorkAssigned message)
    {
        writer.WriteArrayHeader(9);
        writer.Write(message.Run);
        writer.Write(message.Configuration);
        writer.Write(message.Build.Version);
        writer.Write(message.Build.Parameters);
        writer.Write(message.Build.UnrollBytes);
        writer.Write(message.Build.Environment);
        writer.Write(message.Epoch);
        writer.Write(message.FirstWorker);
        writer.Write(message.Workers);
    }

    public static WorkAssigned ReadWorkAssigned(ref MessagePackReader reader)
    {
        WireReading.ReadFields(ref reader, 9, nameof(WorkAssigned));
        return new WorkAssigned(
            ReadText(ref reader, "run"), ReadText(ref reader, "configuration"),
            new BuildFacts(ReadText(ref reader, "version"), reader.ReadInt32(), reader.ReadInt64(), ReadText(ref reader, "environment")),
            WireReading.ReadInt32(ref reader, 0, WorkerIdentity.MaxEpoch, "epoch"),
            WireReading.ReadInt32(ref reader, 0, int.MaxValue - MaxWorkers, "first worker"), ReadWorkers(ref reader));
    }

    public static void Write(ref MessagePackWriter writer, WorkFailed message) => writer.Write(message.Reason);

    public static WorkFailed ReadWorkFailed(ref MessagePackReader reader) => new(ReadText(ref reader, "reason"));

    public static void Write(ref MessagePackWriter writer, StopWork message) => writer.WriteArrayHeader(0);

    public static StopWork ReadStopWork(ref MessagePackReader reader)
    {
        WireReading.ReadFields(ref reader, 0, nameof(StopWork));
        return StopWork.Instance;
    }

    public static void Write(ref MessagePackWriter writer, WorkStopped message) => writer.WriteArrayHeader(0);

    public static WorkStopped ReadWorkStopped(ref MessagePackReader reader)
    {
        WireReading.ReadFields(ref reader, 0, nameof(WorkStopped));
        return WorkStopped.Instance;
    }

    private static int ReadWorkers(ref MessagePackReader reader) => WireReading.ReadInt32(ref reader, 1, MaxWorkers, "workers");

    private static string ReadText(ref MessagePackReader reader, string what) =>
        reader.ReadString() ?? throw new MessagePackSerializationException($"The {what} is missing.");
}
