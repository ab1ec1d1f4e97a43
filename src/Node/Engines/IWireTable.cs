using System.Buffers;

namespace Rl.Distributed.Node.Engines;

/// <summary>The program's messages as bytes: a fixed table from id to codec. Nothing that is received names a type.</summary>
/// <remarks>Thread-safe. Ids are above zero and mean the same on all nodes of one <see cref="Version"/>.</remarks>
internal interface IWireTable
{
    /// <summary>Nodes of different versions refuse each other.</summary>
    int Version { get; }

    /// <summary>False where the message has no codec: it must not leave its process.</summary>
    bool TryGetId(object message, out int id);

    /// <summary>Appends the message.</summary>
    void Write(int id, object message, IBufferWriter<byte> output);

    /// <summary>The message of these bytes, all of them.</summary>
    /// <exception cref="Exception">They are no such message.</exception>
    object Read(int id, in ReadOnlySequence<byte> body);
}
