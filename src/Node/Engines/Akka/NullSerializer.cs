using Akka.Actor;
using Akka.Serialization;

namespace Rl.Distributed.Node.Engines;

/// <summary>Null, which is a part of some of Akka.NET's own messages. Unlike the packages' own it looks up no name.</summary>
internal sealed class NullSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 0;

    public override string Manifest(object o) => "";

    public override byte[] ToBinary(object obj) => [];

    public override object FromBinary(byte[] bytes, string manifest) => null!;
}
