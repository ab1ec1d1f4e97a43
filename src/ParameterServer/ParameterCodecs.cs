using MessagePack;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>The parameter server's messages as MessagePack: each an array of its fields, in order.</summary>
/// <remarks>Reading throws MessagePackSerializationException, EndOfStreamException or OverflowException: each is a rejected message.</remarks>
public static class ParameterCodecs
{
    public static void Write(ref MessagePackWriter writer, SubscribeParameters message) => writer.WriteArrayHeader(0);

    public static SubscribeParameters ReadSubscribeParameters(ref MessagePackReader reader)
    {
        ReadFields(ref reader, 0, nameof(SubscribeParameters));
        return SubscribeParameters.Instance;
    }

    public static void Write(ref MessagePackWriter writer, ParametersReceived message)
    {
        writer.WriteArrayHeader(3);
        Write(ref writer, message.Version);
        writer.Write(message.Count);
    }

    public static ParametersReceived ReadParametersReceived(ref MessagePackReader reader)
    {
        ReadFields(ref reader, 3, nameof(ParametersReceived));
        return new ParametersReceived(ReadVersion(ref reader), ReadPositive(ref reader, "count"));
    }

    /// <summary>The values leave by reference where the transport takes references.</summary>
    public static void Write(ref MessagePackWriter writer, ParametersChunk message)
    {
        writer.WriteArrayHeader(5);
        Write(ref writer, message.Version);
        writer.Write(message.Total);
        writer.Write(message.Offset);
        writer.Write(Bytes.Of(message.Values));
    }

    public static ParametersChunk ReadParametersChunk(ref MessagePackReader reader)
    {
        ReadFields(ref reader, 5, nameof(ParametersChunk));
        var (version, total, offset) = (ReadVersion(ref reader), ReadPositive(ref reader, "total"), reader.ReadInt32());
        var bytes = reader.ReadBytes() ?? throw new MessagePackSerializationException("The values are missing.");
        var count = bytes.Length / sizeof(float);
        if (bytes.Length % sizeof(float) != 0 || offset < 0 || count == 0 || count > total - offset)
            throw new MessagePackSerializationException($"{bytes.Length} bytes from parameter {offset} on are no part of {total} parameters.");
        var values = new float[count];
        Bytes.CopyTo(bytes, values);
        return new ParametersChunk(version, total, offset, values);
    }

    internal static void Write(ref MessagePackWriter writer, ParameterVersion version)
    {
        writer.Write(version.Epoch);
        writer.Write(version.Counter);
    }

    internal static ParameterVersion ReadVersion(ref MessagePackReader reader) => new(reader.ReadInt32(), reader.ReadInt64());

    private static int ReadPositive(ref MessagePackReader reader, string what)
    {
        var value = reader.ReadInt32();
        return value > 0 ? value : throw new MessagePackSerializationException($"{what} is {value}, a positive number expected.");
    }

    private static void ReadFields(ref MessagePackReader reader, int fields, string what)
    {
        var count = reader.ReadArrayHeader();
        if (count != fields) throw new MessagePackSerializationException($"{what} has {count} fields, {fields} expected.");
    }
}
