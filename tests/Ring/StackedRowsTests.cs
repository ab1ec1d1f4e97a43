using System.Buffers;
using FsCheck;
using FsCheck.Fluent;
using MessagePack;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Wrappers;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Replay;
using Rl.Distributed.Runtime.Tests;
using Rl.Distributed.Tests;

namespace Rl.Distributed.Ring.Tests;

public sealed class StackedRowsTests
{
    private const int Observations = 3;

    private static readonly UnrollShape Small = new(3, 2, FrameStacking.Stacked(new ObservationSpec(ElementType.UInt8, 5, 2, 1), 4), 4);

    private readonly UnrollPool _pool = new();

    [Fact]
    public void An_unroll_comes_back_whatever_its_stacks_and_resets_are() => Check.QuickThrowOnFailure(Prop.ForAll(Cases(), test =>
    {
        var (shape, resets, faults, seed) = test;
        var unroll = Stacked(shape, new Random(seed), resets / 100.0, faults / 100.0);
        var bytes = Written(unroll);
        SampleUnrolls.AssertSame(unroll, Read(new ReadOnlySequence<byte>(bytes)));
        SampleUnrolls.AssertSame(unroll, Read(Sequences.Of([.. bytes.Chunk(1 + seed % 500)])));
    }));

    [Fact]
    public void Each_frame_goes_once_beside_the_stacks_at_the_start()
    {
        var shape = new UnrollShape(20, 3, FrameStacking.Stacked(new ObservationSpec(ElementType.UInt8, 84, 84, 1), 4), 6);
        var (steady, ending) = (Stacked(shape, new Random(1), 0, 0), Stacked(shape, new Random(1), 0.3, 0));
        const int frame = 84 * 84;
        Assert.Equal(3 * 4 * frame + 20 * 3 * frame, Part(steady).Data.Length);
        // An episode that starts with the unroll is one frame there too.
        var atStart = ending.Reset[..3].Count(reset => reset);
        Assert.InRange(atStart, 1, 2);
        Assert.Equal((3 - atStart) * 4 * frame + (20 * 3 + atStart) * frame, Part(ending).Data.Length);
    }

    [Fact]
    public void A_row_that_is_no_such_stack_goes_whole_and_only_that_one()
    {
        var unroll = Stacked(Small, new Random(1), 0, 0);
        unroll.ObservationAt(5)[2] ^= 1;
        var whole = Part(unroll).Whole;
        // What comes after it does not follow either, but in the newest frame.
        Assert.Equal([0b1010_0011], whole);
    }

    [Fact]
    public void What_real_environments_show_is_sent_so_with_lives_lost_within()
    {
        var batch = new FrameStack(new LifeLossWrapper(new ScriptedLives(2), LifeLoss.Reset), 3);
        var unroll = new Unroll(new UnrollShape(10, 2, batch.Spec.Observation, 2));
        batch.Reset(unroll.ObservationsAt(0));
        unroll.Reset.AsSpan(0, 2).Fill(true);
        for (var t = 0; t < 10; t++)
        {
            batch.Step([0, 0], new StepResults
            {
                Observations = unroll.ObservationsAt(t + 1), FinalObservations = new byte[72], Rewards = new float[2],
                Terminated = unroll.Reset.AsSpan((t + 1) * 2, 2), Truncated = new bool[2],
            });
        }
        Assert.All(Part(unroll).Whole, bits => Assert.Equal(0, bits));
        SampleUnrolls.AssertSame(unroll, Read(new ReadOnlySequence<byte>(Written(unroll))));
    }

    [Fact]
    public void Parts_of_other_lengths_and_flags_that_cannot_be_are_refused_and_nothing_is_taken()
    {
        _pool.Return(Read(new ReadOnlySequence<byte>(Tree(_ => { }))));
        Refused(parts => parts[0] = ((byte[])parts[0]!)[1..]);
        Refused(parts => parts[0] = new byte[2]);
        Refused(parts => parts[0] = null);
        Refused(parts => parts[1] = ((byte[])parts[1]!)[1..]);
        Refused(parts => parts[1] = new byte[((byte[])parts[1]!).Length + 1]);
        Refused(parts => parts[1] = null);
        Refused(parts => parts[0] = new byte[] { 0xFF });
        Refused(parts => parts[0] = new byte[] { 0 });
        Assert.Equal(1, _pool.Created);
        // As many flags, so the lengths are right: but the first stacks are missing.
        Refused(parts => parts[0] = new byte[] { 0b1100_0000 });
        _pool.Rent(Small);
        Refused(parts => parts[0] = new byte[] { 0b1100_0000 });
        Assert.Equal(1, _pool.Created);
        Read(new ReadOnlySequence<byte>(Tree(_ => { })));
        Assert.Equal(2, _pool.Created);
    }

    [Fact]
    public void Flags_behind_the_last_row_are_refused()
    {
        var shape = Small with { Steps = 2 };
        Refused(parts => parts[0] = new byte[] { 0b0100_0001 }, shape);
        Refused(parts => parts[0] = new byte[] { 0b1000_0010 }, shape);
        Refused(parts => parts[0] = new byte[] { 0b1100_0011 }, shape);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(8)]
    public void Frames_that_do_not_fit_the_observation_are_refused(int frames) => Assert.Throws<MessagePackSerializationException>(
        () => Read(new ReadOnlySequence<byte>(Tree(tree => ((object?[])tree[0]!)[5] = (long)frames))));

    [Fact]
    public void Steady_reading_and_writing_of_stacks_allocates_nothing()
    {
        var shape = new UnrollShape(5, 4, FrameStacking.Stacked(new ObservationSpec(ElementType.Bit, 10, 10, 4), 4), 6);
        var unroll = Stacked(shape, new Random(1), 0.1, 0.1);
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

    private static Arbitrary<(UnrollShape Shape, int Resets, int Faults, int Seed)> Cases() => (
        from type in Gen.Elements(ElementType.Float32, ElementType.UInt8, ElementType.Bit)
        from size in Gen.OneOf(Gen.Choose(1, 40).Select(n => new[] { n }), Gen.Choose(1, 7).Select(n => new[] { n, 3, 2 }), Gen.Constant(new[] { 9, 5 }))
        from frames in Gen.Choose(2, 5)
        from steps in Gen.Choose(1, 8)
        from environments in Gen.Choose(1, 5)
        from resets in Gen.Elements(0, 20, 100)
        from faults in Gen.Elements(0, 10, 100)
        from seed in Gen.Choose(0, int.MaxValue)
        select (new UnrollShape(steps, environments, FrameStacking.Stacked(new ObservationSpec(type, size), frames), 3), resets, faults, seed)).ToArbitrary();

    /// <summary>An unroll as <see cref="FrameStack"/> fills it, with rows that are something else.</summary>
    private static Unroll Stacked(UnrollShape shape, Random random, double resets, double faults)
    {
        var unroll = SampleUnrolls.Filled(shape, random.Next());
        var stacking = unroll.Stacking!;
        var frame = new byte[stacking.FrameBytes];
        var elements = shape.Observation.ElementCount / shape.Observation.StackedFrames;
        for (var row = 0; row < unroll.Reset.Length; row++)
        {
            unroll.Reset[row] = random.NextDouble() < resets;
            if (random.NextDouble() < faults) continue;
            random.NextBytes(frame);
            if (shape.Observation.Type == ElementType.Bit && elements % 8 is > 0 and var used) frame[^1] &= (byte)((1 << used) - 1);
            if (unroll.Reset[row]) stacking.Fill(frame, unroll.ObservationAt(row));
            else if (row >= shape.Environments)
                stacking.Push(unroll.ObservationAt(row - shape.Environments), frame, unroll.ObservationAt(row));
        }
        return unroll;
    }

    private static byte[] Written(Unroll unroll) => MessagePackValues.Bytes((ref MessagePackWriter writer) => UnrollCodec.Write(ref writer, unroll));

    private static (byte[] Whole, byte[] Data) Part(Unroll unroll)
    {
        var reader = new MessagePackReader(Written(unroll));
        var parts = (object?[])((object?[])MessagePackValues.Read(ref reader)!)[Observations]!;
        return ((byte[])parts[0]!, (byte[])parts[1]!);
    }

    private void Refused(Action<object?[]> change, UnrollShape? shape = null)
    {
        Assert.Throws<MessagePackSerializationException>(
            () => Read(new ReadOnlySequence<byte>(Tree(tree => change((object?[])tree[Observations]!), shape))));
    }

    private static byte[] Tree(Action<object?[]> change, UnrollShape? shape = null)
    {
        var reader = new MessagePackReader(Written(Stacked(shape ?? Small, new Random(1), 0, 0)));
        var tree = (object?[])MessagePackValues.Read(ref reader)!;
        change(tree);
        return MessagePackValues.Bytes((ref MessagePackWriter writer) => MessagePackValues.Write(ref writer, tree));
    }

    private Unroll Read(in ReadOnlySequence<byte> bytes)
    {
        var reader = new MessagePackReader(bytes);
        var unroll = UnrollCodec.Read(ref reader, _pool);
        Assert.True(reader.End);
        return unroll;
    }
}
