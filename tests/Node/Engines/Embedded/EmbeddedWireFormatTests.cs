using System.Buffers;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Tests.Clustering;

public sealed class EmbeddedWireFormatTests
{
    [Fact]
    public void The_embedded_engine_gets_the_same_table()
    {
        var format = new EmbeddedWireFormat(new WireTable(new UnrollPool()));
        Assert.Equal(WireTable.Version, format.Version);
        Assert.True(format.TryGetId(new WorkFailed("why"), out var id));
        var output = new ArrayBufferWriter<byte>();
        format.Write(id, new WorkFailed("why"), output);
        Assert.Equal(new WorkFailed("why"), format.Read(id, new ReadOnlySequence<byte>(output.WrittenMemory)));
    }
}
