using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Core.Tests.Trajectories;

public sealed class ChunkSequenceTests
{
    private readonly ChunkSequence<string> _chunks = new();

    [Fact]
    public void A_payload_is_complete_when_its_last_chunk_has_come()
    {
        var offset = 0;
        while (offset < 10)
        {
            Assert.False(_chunks.IsComplete);
            var length = ChunkSequence<string>.LengthAt(offset, 10, 4);
            Assert.True(_chunks.Accept("a", 10, offset, length));
            offset += length;
        }
        Assert.True(_chunks.IsComplete);
        Assert.Equal(10, _chunks.Received);
    }

    [Fact]
    public void After_a_gap_nothing_is_taken_until_a_payload_begins()
    {
        Assert.True(_chunks.Accept("a", 10, 0, 4));
        Assert.False(_chunks.Accept("a", 10, 8, 2));
        Assert.False(_chunks.Accept("b", 10, 4, 4));
        Assert.Equal(4, _chunks.Received);
        Assert.True(_chunks.Accept("b", 6, 0, 4));
        Assert.False(_chunks.Accept("a", 10, 4, 4));
        Assert.True(_chunks.Accept("b", 6, 4, 2));
        Assert.True(_chunks.IsComplete);
    }

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(10, -1, 1)]
    [InlineData(10, 0, 0)]
    [InlineData(10, 0, 11)]
    [InlineData(10, 0, int.MinValue)]
    [InlineData(int.MaxValue, int.MaxValue, 1)]
    public void A_chunk_outside_its_payload_is_refused(int total, int offset, int length) =>
        Assert.False(_chunks.Accept("a", total, offset, length));
}
