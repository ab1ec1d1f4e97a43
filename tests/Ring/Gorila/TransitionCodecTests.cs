using System.Buffers;
using MessagePack;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Ring.Tests;

public sealed class TransitionCodecTests
{
    [Fact]
    public void Minibatches_whose_parts_do_not_fit_together_are_refused_and_an_empty_one_is_not()
    {
        Assert.Equal(3, Read(Drawn(steps: 3, bytes: 3 * 2 * 5)).Actions.Length);
        Assert.Empty(Read(Drawn(steps: 0, bytes: 0)).Actions);
        Refused(Drawn(steps: 3, bytes: 29));
        Refused(Drawn(steps: 0, bytes: 1));
        Refused(Drawn(steps: 3, bytes: 30) with { Rewards = new float[2] });
        Refused(Drawn(steps: 3, bytes: 30) with { Discounts = new float[4] });
        Refused(Drawn(steps: 3, bytes: 30) with { Number = -1 });
        Refused(Drawn(steps: 3, bytes: 30) with { Worker = -1 });
    }

    [Fact]
    public void A_minibatch_that_ends_early_is_refused()
    {
        var bytes = Written(Drawn(steps: 2, bytes: 40));
        for (var length = 0; length < bytes.Length; length++)
        {
            var part = bytes.AsMemory(0, length);
            Assert.ThrowsAny<Exception>(() => Read(part));
        }
    }

    private static TransitionsDrawn Drawn(int steps, int bytes) =>
        new(1, 2, 3, new byte[bytes], new int[steps], new float[steps], new float[steps]);

    private static void Refused(TransitionsDrawn message) => Assert.Throws<MessagePackSerializationException>(() => Read(message));

    private static TransitionsDrawn Read(TransitionsDrawn message) => Read(Written(message));

    private static TransitionsDrawn Read(ReadOnlyMemory<byte> bytes)
    {
        var reader = new MessagePackReader(new ReadOnlySequence<byte>(bytes));
        return TransitionCodecs.ReadTransitionsDrawn(ref reader);
    }

    private static byte[] Written(TransitionsDrawn message)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        TransitionCodecs.Write(ref writer, message);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }
}
