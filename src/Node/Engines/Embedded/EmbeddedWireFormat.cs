using System.Buffers;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Node.Clustering;

/// <summary>The table of messages, as the embedded engine takes it.</summary>
internal sealed class EmbeddedWireFormat(WireTable table) : EmbeddedEngine.IWireFormat
{
    public int Version => WireTable.Version;

    public bool TryGetId(object message, out int id) => table.TryGetId(message, out id);

    public void Write(int id, object message, IBufferWriter<byte> output) => table.Write(id, message, output);

    public object Read(int id, in ReadOnlySequence<byte> body) => table.Read(id, body);
}
