using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;

namespace Rl.Distributed.Node.Engines;

/// <summary>Sits on the number of a serializer whose bytes choose types to load, and refuses both ways.</summary>
internal sealed class RefusingSerializer(ExtendedActorSystem system, string what, int identifier) : SerializerWithStringManifest(system)
{
    public override int Identifier => identifier;

    /// <exception cref="SerializationException">Always.</exception>
    public override string Manifest(object o) => throw Refused();

    /// <exception cref="SerializationException">Always.</exception>
    public override byte[] ToBinary(object obj) => throw Refused();

    /// <exception cref="SerializationException">Always.</exception>
    public override object FromBinary(byte[] bytes, string manifest) => throw Refused();

    private SerializationException Refused() => new($"{what} is refused between nodes: what is received must not choose types to load.");
}
