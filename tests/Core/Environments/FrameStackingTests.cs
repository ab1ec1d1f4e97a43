using FsCheck;
using FsCheck.Fluent;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Wrappers;

namespace Rl.Distributed.Core.Tests.Environments;

public class FrameStackingTests
{
    [Theory]
    [InlineData(ElementType.Float32, "4", 3, "12")]
    [InlineData(ElementType.UInt8, "84,84,1", 4, "84,84,4")]
    [InlineData(ElementType.UInt8, "84,84,3", 4, "84,84,12")]
    [InlineData(ElementType.Bit, "10,5", 2, "10,5,2")]
    public void The_last_dimension_grows_and_a_plain_picture_gets_one(ElementType type, string frame, int frames, string stack)
    {
        var stacked = FrameStacking.Stacked(new ObservationSpec(type, Numbers(frame)), frames);
        Assert.Equal(Numbers(stack), stacked.Shape);
        Assert.Equal(frames, stacked.StackedFrames);
        Assert.NotEqual(new ObservationSpec(type, Numbers(stack)), stacked);
        Assert.Throws<ArgumentException>(() => stacked with { StackedFrames = 5 });
        Assert.Throws<ArgumentOutOfRangeException>(() => FrameStacking.Stacked(stacked, 1));
    }

    [Fact]
    public void A_stack_is_what_its_definition_says_element_by_element() => Check.QuickThrowOnFailure(Prop.ForAll(Cases(), test =>
    {
        var (frame, frames, seed) = test;
        var spec = FrameStacking.Stacked(frame, frames);
        var stacking = new FrameStacking(spec);
        var random = new Random(seed);
        var (unit, cells) = (spec.Shape[^1] / frames, spec.ElementCount / spec.Shape[^1]);
        var shown = Enumerable.Range(0, frames + 2).Select(_ => Frame(frame, random)).ToArray();
        var stack = new byte[spec.ByteCount];
        random.NextBytes(stack);
        stacking.Fill(shown[0], stack);
        Assert.True(stacking.Follows(stack, stack));
        for (var last = 0; last < shown.Length; last++)
        {
            if (last > 0) stacking.Push(stack, shown[last], stack);
            for (var c = 0; c < cells; c++)
                for (var j = 0; j < frames; j++)
                    for (var u = 0; u < unit; u++)
                        Assert.Equal(
                            Element(frame, shown[Math.Max(0, last - frames + 1 + j)], c * unit + u),
                            Element(spec, stack, (c * frames + j) * unit + u));
            var newest = Enumerable.Repeat((byte)0xAA, stacking.FrameBytes).ToArray();
            stacking.Newest(stack, newest);
            Assert.Equal(shown[last], newest);
        }
    }));

    [Fact]
    public void One_stack_follows_another_only_if_no_bit_says_otherwise() => Check.QuickThrowOnFailure(Prop.ForAll(Cases(), test =>
    {
        var (frame, frames, seed) = test;
        var stacking = new FrameStacking(FrameStacking.Stacked(frame, frames));
        var random = new Random(seed);
        var stack = Frame(FrameStacking.Stacked(frame, frames), random);
        var (next, again, newest) = (new byte[stack.Length], new byte[stack.Length], new byte[stacking.FrameBytes]);
        stacking.Push(stack, Frame(frame, random), next);
        Assert.True(stacking.Follows(stack, next));
        // Whatever is changed: it follows exactly if what a reader would rebuild is the same.
        next[random.Next(next.Length)] ^= (byte)(1 << random.Next(8));
        stacking.Newest(next, newest);
        stacking.Push(stack, newest, again);
        Assert.Equal(next.AsSpan().SequenceEqual(again), stacking.Follows(stack, next));
    }));

    private static Arbitrary<(ObservationSpec Frame, int Frames, int Seed)> Cases() => (
        from type in Gen.Elements(ElementType.Float32, ElementType.UInt8, ElementType.Bit)
        from shape in Gen.OneOf(
            Gen.Choose(1, 150).Select(n => new[] { n }),
            from h in Gen.Choose(1, 12) from w in Gen.Choose(1, 12) select new[] { h, w },
            from h in Gen.Choose(1, 12) from w in Gen.Choose(1, 12) from c in Gen.Choose(1, 7) select new[] { h, w, c })
        from frames in Gen.OneOf(Gen.Constant(4), Gen.Choose(2, 9))
        from seed in Gen.Choose(0, int.MaxValue)
        select (new ObservationSpec(type, shape), frames, seed)).ToArbitrary();

    private static byte[] Frame(ObservationSpec spec, Random random)
    {
        var frame = new byte[spec.ByteCount];
        random.NextBytes(frame);
        if (spec.Type == ElementType.Bit && spec.ElementCount % 8 is > 0 and var used) frame[^1] &= (byte)((1 << used) - 1);
        return frame;
    }

    private static int Element(ObservationSpec spec, byte[] bytes, int index) => spec.Type switch
    {
        ElementType.Float32 => BitConverter.ToInt32(bytes, index * sizeof(float)),
        ElementType.UInt8 => bytes[index],
        _ => bytes[index / 8] >> (index % 8) & 1,
    };

    private static int[] Numbers(string text) => [.. text.Split(',').Select(int.Parse)];
}
