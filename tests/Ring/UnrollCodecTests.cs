using System.Buffers;
using MessagePack;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Replay;
using Rl.Distributed.Runtime.Tests;
using Rl.Distributed.Tests;

namespace Rl.Distributed.Ring.Tests;

public sealed class UnrollCodecTests
{
    private const int Shape = 0, Id = 1, Version = 2, Observations = 3, Actions = 4, Logits = 5, Reset = 8, Returns = 9, Lengths = 10;

    private static readonly UnrollShape Small = new(2, 3, new ObservationSpec(ElementType.Bit, 5, 2), 4);

    private readonly UnrollPool _pool = new();

    [Theory]
    [InlineData(ElementType.Float32, 20, 32)]
    [InlineData(ElementType.UInt8, 5, 7)]
    [InlineData(ElementType.Bit, 1, 1)]
    public void All_of_an_unroll_comes_back_however_it_is_cut(ElementType type, int steps, int environments)
    {
        var unroll = SampleUnrolls.Filled(new UnrollShape(steps, environments, new ObservationSpec(type, 10, 10, 4), 6), seed: 3);
        var bytes = Bytes((ref MessagePackWriter writer) => UnrollCodec.Write(ref writer, unroll));
        SampleUnrolls.AssertSame(unroll, Read(new ReadOnlySequence<byte>(bytes)));
        SampleUnrolls.AssertSame(unroll, Read(Sequences.Of([.. bytes.Chunk(1000)])));
    }

    [Fact]
    public void What_is_left_of_an_earlier_unroll_in_the_buffers_does_not_show()
    {
        var (first, second) = (SampleUnrolls.Filled(Small, seed: 1), SampleUnrolls.Filled(Small, seed: 2));
        var bytes = Bytes((ref MessagePackWriter writer) => UnrollCodec.Write(ref writer, first));
        var read = Read(new ReadOnlySequence<byte>(bytes));
        _pool.Return(read);
        bytes = Bytes((ref MessagePackWriter writer) => UnrollCodec.Write(ref writer, second));
        var again = Read(new ReadOnlySequence<byte>(bytes));
        Assert.Same(read, again);
        SampleUnrolls.AssertSame(second, again);
    }

    [Fact]
    public void A_sound_tree_is_read() => Assert.Equal(Small, Read(Tree(_ => { })).Shape);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, -1)]
    [InlineData(0, 3)]
    [InlineData(0, 65537)]
    [InlineData(1, 0)]
    [InlineData(1, 4)]
    [InlineData(1, int.MaxValue)]
    [InlineData(2, 0)]
    [InlineData(2, 5)]
    [InlineData(2, int.MinValue)]
    [InlineData(3, 0)]
    [InlineData(3, 3)]
    public void A_size_that_does_not_fit_is_refused(int field, int value) => Refused(tree => Part(tree, Shape)[field] = (long)value);

    [Fact]
    public void An_observation_that_does_not_fit_is_refused()
    {
        Refused(tree => Part(tree, Shape)[4] = Array.Empty<object>());
        Refused(tree => Part(tree, Shape)[4] = new object[] { 5L, -2L });
        Refused(tree => Part(tree, Shape)[4] = new object[] { 5L, 7L });
        Refused(tree => Part(tree, Shape)[4] = Enumerable.Repeat((object)1L, 9).ToArray());
        Refused(tree => Part(tree, Shape)[4] = Enumerable.Repeat((object)(1L << 28), 8).ToArray());
    }

    [Theory]
    [InlineData(Observations)]
    [InlineData(Actions)]
    [InlineData(Logits)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(Reset)]
    [InlineData(Returns)]
    [InlineData(Lengths)]
    public void A_buffer_of_another_length_is_refused(int field)
    {
        Refused(tree => tree[field] = ((byte[])tree[field]!)[1..]);
        Refused(tree => tree[field] = new byte[((byte[])tree[field]!).Length + 1]);
        Refused(tree => tree[field] = null);
    }

    [Fact]
    public void Actions_counts_and_numbers_that_cannot_be_are_refused()
    {
        Refused(tree => ((byte[])tree[Actions]!)[0] = 4);
        Refused(tree => ((byte[])tree[Actions]!)[3] = 0x80);
        Refused(tree => (tree[Returns], tree[Lengths]) = (new byte[7 * 4], new byte[7 * 4]));
        Refused(tree => Part(tree, Id)[0] = -1L);
        Refused(tree => Part(tree, Id)[1] = -1L);
        Refused(tree => Part(tree, Id)[2] = -1L);
        Refused(tree => tree[Version] = new object[] { 1L });
        Refused(tree => tree[Version] = 1L);
    }

    [Theory]
    [InlineData(Logits), InlineData(6), InlineData(7)]
    public void A_number_that_is_not_finite_is_refused_wherever_it_stands(int field)
    {
        var count = ((byte[])Part(field)).Length / sizeof(float);
        foreach (var value in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
            for (var at = 0; at < count; at++)
                Refused(tree => BitConverter.TryWriteBytes(((byte[])tree[field]!).AsSpan(at * sizeof(float)), value));
        Read(Tree(tree => BitConverter.TryWriteBytes((byte[])tree[field]!, float.MaxValue)));

        static object Part(int field)
        {
            object? part = null;
            Tree(tree => part = tree[field]);
            return part!;
        }
    }

    [Fact]
    public void A_shape_above_the_limit_is_refused_for_its_size()
    {
        var forged = Tree(tree => (Part(tree, Shape)[0], Part(tree, Shape)[1]) = (65536L, 65536L));
        var refusal = Assert.Throws<MessagePackSerializationException>(() => Read(forged));
        Assert.EndsWith($"{UnrollShapeCodec.MaxBytes} at most.", refusal.Message);
    }

    [Fact]
    public void A_pool_of_a_run_takes_no_other_shape_and_keeps_what_it_has()
    {
        var foreign = _pool.Rent(Small with { Steps = 5 });
        var mine = Read(Tree(_ => { }));
        _pool.Shape = Small;
        _pool.Return(mine);
        _pool.Return(foreign);
        var other = Bytes((ref MessagePackWriter writer) => UnrollCodec.Write(ref writer, SampleUnrolls.Filled(Small with { Steps = 5 }, seed: 1)));
        Assert.Throws<MessagePackSerializationException>(() => Read(other));
        Assert.Equal(2, _pool.Created);
        Assert.Same(mine, Read(Tree(_ => { })));
    }

    [Fact]
    public void Nothing_large_is_allocated_for_what_is_refused()
    {
        var tree = Tree(tree => (Part(tree, Shape)[0], Part(tree, Shape)[1]) = (1000L, 1000L));
        Assert.Throws<MessagePackSerializationException>(() => Read(tree));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<MessagePackSerializationException>(() => Read(tree));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);
        Assert.Equal(0, _pool.Created);
    }

    [Fact]
    public void Steady_reading_and_writing_allocates_nothing_of_an_unrolls_size()
    {
        var unroll = SampleUnrolls.Filled(new UnrollShape(20, 32, new ObservationSpec(ElementType.UInt8, 100), 6), seed: 3);
        var output = new ArrayBufferWriter<byte>(1 << 20);
        long Allocated()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            output.ResetWrittenCount();
            var writer = new MessagePackWriter(output);
            UnrollCodec.Write(ref writer, unroll);
            writer.Flush();
            _pool.Return(Read(new ReadOnlySequence<byte>(output.WrittenMemory)));
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Allocated();
        Assert.InRange(Allocated(), 0, 2000);
    }

    private static object?[] Part(object?[] tree, int field) => (object?[])tree[field]!;

    private void Refused(Action<object?[]> change) => Assert.Throws<MessagePackSerializationException>(() => Read(Tree(change)));

    private Unroll Read(byte[] bytes) => Read(new ReadOnlySequence<byte>(bytes));

    private Unroll Read(in ReadOnlySequence<byte> bytes)
    {
        var reader = new MessagePackReader(bytes);
        var unroll = UnrollCodec.Read(ref reader, _pool);
        Assert.True(reader.End);
        return unroll;
    }

    /// <summary>A small unroll, changed on its way.</summary>
    private static byte[] Tree(Action<object?[]> change)
    {
        var reader = new MessagePackReader(Bytes((ref MessagePackWriter writer) => UnrollCodec.Write(ref writer, SampleUnrolls.Filled(Small, seed: 1))));
        var tree = (object?[])MessagePackValues.Read(ref reader)!;
        change(tree);
        return Bytes((ref MessagePackWriter writer) => MessagePackValues.Write(ref writer, tree));
    }

    private static byte[] Bytes(MessagePackValues.Writing write) => MessagePackValues.Bytes(write);
}
