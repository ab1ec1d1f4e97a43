using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Numerics;

public sealed class RandomStreamTests
{
    /// <summary>The known-answer vectors of Random123, kat_vectors, philox4x32 with 10 rounds.</summary>
    [Theory]
    [InlineData(0, 0, 0, 0, 0, 0, 0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)]
    [InlineData(0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0, 0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)]
    public void Philox_gives_the_published_words(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint w0, uint w1, uint w2, uint w3)
    {
        RandomStream.Philox(c0, c1, c2, c3, k0, k1, out var r0, out var r1, out var r2, out var r3);
        Assert.Equal((w0, w1, w2, w3), (r0, r1, r2, r3));
    }

    [Fact]
    public void Streams_of_different_names_share_no_words()
    {
        var seen = new HashSet<ulong>();
        var streams = 0;
        foreach (var role in Enum.GetValues<StreamRole>())
        for (var index = 0u; index < 8; index++)
        for (var incarnation = 0u; incarnation < 4; incarnation++, streams++)
        {
            var stream = RandomStream.Create(11, role, index, incarnation);
            for (var i = 0; i < 50; i++) seen.Add(stream.NextUInt64());
        }
        Assert.Equal(streams * 50, seen.Count);
    }

    [Fact]
    public void Another_seed_gives_other_words()
        => Assert.NotEqual(
            RandomStream.Create(1, StreamRole.Policy).NextUInt64Twice(), RandomStream.Create(1UL << 32, StreamRole.Policy).NextUInt64Twice());

    [Fact]
    public void Seeking_continues_where_a_position_was_taken()
    {
        var stream = RandomStream.Create(5, StreamRole.Environment, 7, 2);
        for (var drawn = 0; drawn < 30; drawn++)
        {
            Assert.Equal((ulong)drawn, stream.Position);
            var other = RandomStream.Create(5, StreamRole.Environment, 7, 2);
            other.Seek(stream.Position);
            Assert.Equal(stream.Position, other.Position);
            var copy = stream;
            for (var i = 0; i < 9; i++) Assert.Equal(copy.NextUInt32(), other.NextUInt32());
            stream.NextUInt32();
        }
    }

    [Fact]
    public void Filling_draws_the_same_numbers_as_one_by_one()
    {
        foreach (var size in (int[])[0, 1, 3, 4, 7, 15, 16, 17, 63, 64, 65, 127, 128, 129, 200, 1000])
        {
            for (var skipped = 0; skipped < 6; skipped++)
            {
                var one = RandomStream.Create(9, StreamRole.Policy, 3, 1);
                // The block counter's low half overflows within the larger sizes.
                one.Seek(4 * ((1UL << 32) - 20) + (ulong)skipped);
                var many = one;
                var filled = new float[size];
                many.FillSingle(filled);
                foreach (var x in filled) Assert.Equal(one.NextSingle(), x);
                Assert.Equal(one.Position, many.Position);
                Assert.Equal(one.NextUInt32(), many.NextUInt32());
            }
        }
    }

    [Fact]
    public void Uniform_numbers_have_the_moments_of_a_uniform_distribution()
    {
        const int Count = 200_000;
        var stream = RandomStream.Create(1, StreamRole.Policy);
        var (sum, squares, lag, last) = (0.0, 0.0, 0.0, 0.5);
        for (var i = 0; i < Count; i++)
        {
            double x = stream.NextSingle();
            Assert.InRange(x, 0, 1 - 1.0 / (1 << 24));
            (sum, squares, lag, last) = (sum + x, squares + x * x, lag + (x - 0.5) * (last - 0.5), x);
        }
        // Five standard deviations of each mean.
        Assert.Equal(0.5, sum / Count, 5 * Math.Sqrt(1.0 / 12 / Count));
        Assert.Equal(1.0 / 3, squares / Count, 5 * Math.Sqrt(4.0 / 45 / Count));
        Assert.Equal(0, lag / Count, 5.0 / 12 / Math.Sqrt(Count));
    }

    [Fact]
    public void Integers_are_drawn_without_bias()
    {
        const int Count = 120_000;
        // A multiplication without rejection would draw every third number twice as often as the others.
        const int Range = 3 << 29;
        var stream = RandomStream.Create(2, StreamRole.Policy);
        var counts = new int[3];
        for (var i = 0; i < Count; i++)
        {
            var x = stream.NextInt32(Range);
            Assert.InRange(x, 0, Range - 1);
            counts[x % 3]++;
        }
        Assert.All(counts, count => Assert.Equal(Count / 3.0, count, 5 * Math.Sqrt(Count * 2.0 / 9)));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.NextInt32(0));
    }

    [Fact]
    public void Gaussian_numbers_have_mean_0_and_variance_1()
    {
        const int Count = 100_000;
        var stream = RandomStream.Create(4, StreamRole.Initialization);
        var (sum, squares) = (0.0, 0.0);
        for (var i = 0; i < Count; i++)
        {
            double x = stream.NextGaussian();
            (sum, squares) = (sum + x, squares + x * x);
        }
        Assert.Equal(0, sum / Count, 5 / Math.Sqrt(Count));
        Assert.Equal(1, squares / Count, 5 * Math.Sqrt(2.0 / Count));
    }
}

file static class RandomStreamExtensions
{
    public static (ulong, ulong) NextUInt64Twice(this RandomStream stream) => (stream.NextUInt64(), stream.NextUInt64());
}
