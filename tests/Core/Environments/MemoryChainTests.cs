using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Core.Tests.Environments;

public class MemoryChainTests
{
    private const int Copies = 400;

    [Fact]
    public void An_episode_of_length_3_is_seen_like_this()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "memory-len", Length = 3 }, Copies);
        var context = Enumerable.Range(0, Copies).Select(i => play.Shown(i)[2]).ToArray();
        for (var i = 0; i < Copies; i++) Assert.Equal([1f, 0f, context[i]], play.Shown(i));
        Assert.InRange(context.Count(bit => bit == 1f), 160, 240);
        Assert.All(context, bit => Assert.Equal(1f, Math.Abs(bit)));
        for (var step = 1; step <= 4; step++)
        {
            // Only the last action counts: the even copies say the bit then, the odd ones the other bit.
            for (var i = 0; i < Copies; i++) play.Actions[i] = (step == 4) ^ (i % 2 == 1) ^ (context[i] < 0) ? 1 : 0;
            play.Step();
            for (var i = 0; i < Copies; i++)
            {
                Assert.Equal(step < 4 ? 0f : i % 2 == 0 ? 1f : -1f, play.Rewards[i]);
                Assert.Equal((step == 4, false), (play.Terminated[i], play.Truncated[i]));
                var timeLeft = step switch { 1 => 1f, 2 => 2f / 3, 3 => 1f / 3, _ => 0f };
                Assert.Equal([timeLeft, 0f, step == 1 ? context[i] : 0f], step < 4 ? play.Shown(i) : Final(play, i));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(31)]
    [InlineData(64)]
    public void The_bit_that_the_query_names_pays(int bits)
    {
        var play = Play.Of(new EnvironmentOptions { Name = "memory-size", Bits = bits }, Copies);
        var (ones, queries) = (new int[bits], new int[bits]);
        for (var episode = 0; episode < 10; episode++)
        {
            var contexts = Enumerable.Range(0, Copies).Select(i => play.Shown(i)[2..].ToArray()).ToArray();
            foreach (var context in contexts)
                for (var bit = 0; bit < bits; bit++)
                {
                    Assert.Equal(1f, Math.Abs(context[bit]));
                    if (context[bit] > 0) ones[bit]++;
                }
            // Two steps of remembering: moment 0 again, then moment 1 with the query.
            play.Step();
            for (var i = 0; i < Copies; i++) Assert.Equal([1f, 0f, .. contexts[i]], play.Shown(i));
            play.Step();
            for (var i = 0; i < Copies; i++)
            {
                var shown = play.Shown(i);
                var query = (int)shown[1];
                Assert.Equal([0.5f, query, .. new float[bits]], shown);
                queries[query]++;
                play.Actions[i] = (contexts[i][query] > 0) ^ (i % 3 == 0) ? 1 : 0;
            }
            play.Step();
            for (var i = 0; i < Copies; i++)
            {
                Assert.Equal((i % 3 == 0 ? -1f : 1f, true), (play.Rewards[i], play.Terminated[i]));
                Assert.Equal(new float[bits + 2], Final(play, i));
            }
        }
        // 4,000 fair draws each, five standard deviations.
        Assert.All(ones, count => Assert.InRange(count, 2000 - 158, 2000 + 158));
        var (mean, deviation) = (4000.0 / bits, Math.Sqrt(4000.0 / bits));
        Assert.All(queries, count => Assert.InRange(count, mean - 5 * deviation, mean + 5 * deviation));
    }

    [Fact]
    public void With_length_1_bit_and_decision_are_seen_together()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "memory-len", Length = 1 }, Copies);
        for (var step = 1; step <= 6; step++)
        {
            for (var i = 0; i < Copies; i++) play.Actions[i] = play.Shown(i)[2] > 0 ? 1 : 0;
            play.Step();
            for (var i = 0; i < Copies; i++)
            {
                Assert.Equal((step % 2 == 0 ? 1f : 0f, step % 2 == 0), (play.Rewards[i], play.Terminated[i]));
                Assert.Equal([1f, 0f, Math.Abs(play.Shown(i)[2])], [.. play.Shown(i)[..2], 1f]);
            }
        }
    }

    [Fact]
    public void Without_memory_the_mean_is_0()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "memory-len" }, Copies);
        var (sum, episodes) = (0f, 0);
        for (var step = 0; step < 11 * 10; step++)
        {
            play.Step();
            sum += play.Rewards.Sum();
            episodes += play.Terminated.Count(ended => ended);
        }
        Assert.Equal(10 * Copies, episodes);
        Assert.InRange(sum / episodes, -0.08f, 0.08f);
    }

    [Theory]
    [InlineData("memory-len", 0, null, "Length of 'memory-len' is 1 to 1000, but is 0")]
    [InlineData("memory-size", null, 65, "Bits of 'memory-size' is 1 to 64, but is 65")]
    [InlineData("memory-size", 5, null, "'memory-size' has no option length")]
    [InlineData("memory-len", null, 5, "'memory-len' has no option bits")]
    public void A_setting_that_cannot_be_is_refused_by_name(string name, int? length, int? bits, string message)
    {
        var options = new EnvironmentOptions { Name = name, Length = length, Bits = bits };
        var error = Assert.Throws<ArgumentException>(() => Play.Of(options, 1));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_shows_the_bits_the_query_and_the_time_left()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "memory-size", Bits = 4 }, 1);
        var bits = string.Concat(play.Shown(0)[2..].ToArray().Select(bit => bit > 0 ? '1' : '0'));
        Assert.Equal($"{bits}\n\n====================", play.Picture(0));
        play.Step();
        play.Step();
        Assert.Equal($"{bits}\n{new string(' ', (int)play.Shown(0)[1])}^\n==========..........", play.Picture(0));
    }

    private static float[] Final(Play play, int index)
    {
        var bytes = play.Batch.Spec.Observation.ByteCount;
        return [.. MemoryMarshal.Cast<byte, float>(play.Finals.AsSpan(index * bytes, bytes))];
    }
}
