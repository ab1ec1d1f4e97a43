using MessagePack;

namespace Rl.Distributed.ParameterServer;

/// <summary>The parameter server's messages as MessagePack.</summary>
public static class ParameterCodecs
{
    public static void Write(ref MessagePackWriter writer, SubscribeParameters message) => writer.WriteArrayHeader(0);

    /// <exception cref="MessagePackSerializationException">The bytes are no such message.</exception>
    public static SubscribeParameters ReadSubscribeParameters(ref MessagePackReader reader) =>
        reader.ReadArrayHeader() == 0 ? SubscribeParameters.Instance
            : throw new MessagePackSerializationException($"{nameof(SubscribeParameters)} has no fields.");
}
