using System.Buffers;
using FsCheck;
using FsCheck.Fluent;
using MessagePack;
using Rl.Distributed.Runtime.Remote;
using Rl.Distributed.Tests;

namespace Rl.Distributed.Runtime.Tests;

public sealed class MessagePackWriterSpecs
{
    [Fact]
    public void The_bytes_do_not_depend_on_the_sizes_of_the_buffers() =>
        Prop.ForAll(MessagePackValues.Arbitrary, value =>
        {
            var expected = MessagePackValues.Bytes((ref MessagePackWriter writer) => MessagePackValues.Write(ref writer, value));
            var output = new Pieces(spare: 0);
            var tight = new MessagePackWriter(output);
            MessagePackValues.Write(ref tight, value);
            tight.Flush();
            Assert.Equal(expected, output.Bytes);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(4095, false)]
    [InlineData(4096, true)]
    [InlineData(100_000, true)]
    public void Large_binaries_go_by_reference_where_that_is_possible(int length, bool byReference)
    {
        var body = new byte[length];
        new Random(1).NextBytes(body);
        var output = new References();
        var writer = new MessagePackWriter(output);
        writer.Write(7);
        writer.Write(new ReadOnlySequence<byte>(body));
        writer.Write(new ReadOnlySequence<byte>(Sequences.Of(body, [1]).ToArray()));
        writer.Write(Sequences.Of(body, [1]));
        writer.Write(body.AsSpan());
        writer.WriteNil();
        writer.Flush();
        Assert.Equal(byReference, output.Appended.Exists(memory => memory.Equals(body)));
        Assert.Equal(length >= 4095 ? byReference ? 2 : 1 : 0, output.Appended.Count);

        var reader = new MessagePackReader(output.Bytes);
        Assert.Equal(7, reader.ReadInt32());
        Assert.Equal(body, reader.ReadBytes()!.Value.ToArray());
        Assert.Equal([.. body, 1], reader.ReadBytes()!.Value.ToArray());
        Assert.Equal([.. body, 1], reader.ReadBytes()!.Value.ToArray());
        Assert.Equal(body, reader.ReadBytes()!.Value.ToArray());
        Assert.True(reader.TryReadNil() && reader.End);
    }

    [Fact]
    public void Room_that_was_asked_for_is_written_as_far_as_it_was_filled()
    {
        var bytes = MessagePackValues.Bytes((ref MessagePackWriter writer) =>
        {
            writer.WriteBinHeader(3);
            var room = writer.GetSpan(100);
            Assert.True(room.Length >= 100);
            room[..3].Fill(9);
            writer.Advance(3);
            writer.WriteRaw([0xc3]);
            writer.WriteRaw(Sequences.Of([0xc2], [], [0xc0]));
        });
        Assert.Equal([0xc4, 3, 9, 9, 9, 0xc3, 0xc2, 0xc0], bytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => MessagePackValues.Bytes((ref MessagePackWriter writer) => writer.Advance(1)));
        Assert.Throws<OverflowException>(() => MessagePackValues.Bytes((ref MessagePackWriter writer) => writer.WriteArrayHeader(-1)));
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        var output = new ArrayBufferWriter<byte>(1 << 16);
        var body = new byte[10_000];
        long Allocated()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            output.ResetWrittenCount();
            var writer = new MessagePackWriter(output);
            writer.WriteArrayHeader(3);
            writer.Write("some text");
            writer.Write(long.MaxValue);
            writer.Write(new ReadOnlySequence<byte>(body));
            writer.Flush();
            var reader = new MessagePackReader(output.WrittenMemory);
            reader.ReadArrayHeader();
            reader.Skip();
            reader.ReadInt64();
            reader.ReadBytes();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Allocated();
        Assert.Equal(0, Allocated());
    }

    /// <summary>Gives exactly the room that is asked for, and a little more where told to.</summary>
    private class Pieces(int spare) : IBufferWriter<byte>
    {
        private readonly List<byte> _bytes = [];
        private byte[] _piece = [];

        public byte[] Bytes => [.. _bytes];

        public void Advance(int count) => _bytes.AddRange(_piece.AsSpan(0, count));

        public Memory<byte> GetMemory(int sizeHint = 0) => _piece = new byte[Math.Max(sizeHint, 1) + spare];

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        protected void Add(ReadOnlySpan<byte> bytes) => _bytes.AddRange(bytes);
    }

    private sealed class References() : Pieces(50), IReferenceWriter
    {
        public List<ReadOnlyMemory<byte>> Appended { get; } = [];

        public void Append(ReadOnlyMemory<byte> memory)
        {
            Appended.Add(memory);
            Add(memory.Span);
        }
    }
}
