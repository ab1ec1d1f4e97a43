using System.Collections.Frozen;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;

namespace Rl.Distributed.Node.Engines;

/// <summary>One of Akka.NET's own serializers, for those of its messages that a cluster needs, and for no others.</summary>
/// <remarks>Messages go under short names of our own, so no name that came from the network is looked up as a type.</remarks>
internal sealed class GuardedSerializer : SerializerWithStringManifest
{
    private readonly Serializer _inner;
    private readonly string _prefix;
    private readonly FrozenDictionary<string, Type>? _types;
    private readonly FrozenSet<string>? _manifests;

    /// <summary>Around a serializer that reads by type.</summary>
    /// <param name="system">The system.</param>
    /// <param name="inner">Akka.NET's own.</param>
    /// <param name="types">What may pass, under the types' names.</param>
    public GuardedSerializer(ExtendedActorSystem system, Serializer inner, params ReadOnlySpan<Type> types)
        : base(system)
    {
        (_inner, _prefix) = (inner, "");
        _types = types.ToArray().ToFrozenDictionary(type => type.Name);
    }

    /// <summary>Around a serializer that reads by manifest.</summary>
    /// <param name="system">The system.</param>
    /// <param name="inner">Akka.NET's own.</param>
    /// <param name="prefix">What the manifests between these nodes begin with; others are refused.</param>
    /// <param name="manifests">What may pass.</param>
    public GuardedSerializer(ExtendedActorSystem system, SerializerWithStringManifest inner, string prefix, params ReadOnlySpan<string> manifests)
        : base(system)
    {
        (_inner, _prefix) = (inner, prefix);
        _manifests = manifests.ToArray().ToFrozenSet();
    }

    public override int Identifier => _inner.Identifier;

    /// <exception cref="SerializationException">It must not pass.</exception>
    public override string Manifest(object o)
    {
        var manifest = _inner is SerializerWithStringManifest named ? named.Manifest(o) : o.GetType().Name;
        Check(manifest);
        return _prefix + manifest;
    }

    /// <exception cref="SerializationException">It must not pass.</exception>
    public override byte[] ToBinary(object obj)
    {
        _ = Manifest(obj);
        return _inner.ToBinary(obj);
    }

    /// <exception cref="SerializationException">It must not pass.</exception>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        if (!manifest.StartsWith(_prefix, StringComparison.Ordinal))
            throw new SerializationException($"A message of '{manifest}' is refused: this node's begin with '{_prefix}'.");
        manifest = manifest[_prefix.Length..];
        Check(manifest);
        return _inner is SerializerWithStringManifest named ? named.FromBinary(bytes, manifest) : _inner.FromBinary(bytes, _types![manifest]);
    }

    private void Check(string manifest)
    {
        if (_types?.ContainsKey(manifest) ?? _manifests!.Contains(manifest)) return;
        throw new SerializationException($"Akka.NET's message '{manifest}' is refused between nodes.");
    }
}
