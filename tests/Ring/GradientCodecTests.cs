using System.Buffers;
using MessagePack;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Runtime.Tests;

namespace Rl.Distributed.Ring.Tests;

public sealed class GradientCodecTests
{
    private const int Worker = 0, Sequence = 2, Total = 5, Offset = 6, Encoding = 7, Scale = 8, Values = 9, Frames = 10, Returns = 11, Lengths = 12;

    [Fact]
    public void A_sound_tree_is_read() => Assert.Equal(2, Read(_ => { }).Count);

    [Theory]
    [InlineData(Worker, -1)]
    [InlineData(Sequence, -1)]
    [InlineData(Total, 0)]
    [InlineData(Total, 2)]
    [InlineData(Offset, -1)]
    [InlineData(Offset, 3)]
    [InlineData(Offset, int.MaxValue)]
    [InlineData(Encoding, 2)]
    [InlineData(Encoding, -1)]
    [InlineData(Frames, 0)]
    public void A_number_that_cannot_be_is_refused(int field, int value) => Refused(tree => tree[field] = (long)value);

    [Fact]
    public void Values_and_episodes_that_do_not_fit_are_refused()
    {
        Refused(tree => tree[Values] = Array.Empty<byte>());
        Refused(tree => tree[Values] = new byte[7]);
        Refused(tree => tree[Values] = new byte[16]);
        Refused(tree => tree[Values] = null);
        Refused(tree => tree[Returns] = new byte[8]);
        Refused(tree => tree[Returns] = BitConverter.GetBytes(float.NaN));
        Refused(tree => (tree[Returns], tree[Lengths]) = (new byte[(GradientCodecs.MaxEpisodes + 1) * 4], new byte[(GradientCodecs.MaxEpisodes + 1) * 4]));
        foreach (var scale in (float[])[0, -1, float.NaN, float.PositiveInfinity, float.Epsilon]) Refused(tree => tree[Scale] = scale);
    }

    [Fact]
    public void Counts_whose_sums_would_overflow_and_lengths_below_zero_are_refused()
    {
        var sound = Push().Segment;
        Assert.Equal(sound, Read(sound) with { EpisodeReturns = sound.EpisodeReturns, EpisodeLengths = sound.EpisodeLengths });
        var most = sound with { EpisodesLost = GradientCodecs.MaxEpisodes, Skew = 1L << 40 };
        Assert.Equal((most.EpisodesLost, most.Skew), (Read(most).EpisodesLost, Read(most).Skew));
        SegmentReport[] bad =
        [
            sound with { EpisodesLost = most.EpisodesLost + 1 }, sound with { EpisodesLost = long.MaxValue }, sound with { Skew = most.Skew + 1 },
            sound with { Loss = new ActorCriticLossValues(1L << 31, 0, 0, 0) }, sound with { EpisodeLengths = [-1] }, sound with { GradientNorm = -1 },
        ];
        foreach (var segment in bad) Assert.Throws<MessagePackSerializationException>(() => Read(segment));
        // That is for the server to see, and to count.
        Assert.True(double.IsNaN(Read(sound with { Loss = new ActorCriticLossValues(5, double.NaN, 0, 0), GradientNorm = float.NaN }).Loss.PolicyGradient));

        static SegmentReport Read(SegmentReport segment) => GradientCodecTests.Read(_ => { }, Push() with { Segment = segment }).Segment;
    }

    [Fact]
    public void A_shards_report_whose_sums_would_overflow_is_refused()
    {
        var sound = new LearnerLog().Take() with { EpisodeReturns = [1], EpisodeLengths = [2] };
        Assert.Equal(2, Read(sound).EpisodeLengths[0]);
        LearnerProgress[] bad =
        [
            sound with { Frames = long.MaxValue }, sound with { KeptBack = long.MaxValue }, sound with { EpisodesLost = long.MaxValue },
            sound with { SkewSum = long.MaxValue }, sound with { StalenessSum = long.MaxValue }, sound with { SkewMax = long.MaxValue },
            sound with { EpisodeLengths = [-1] }, sound with { EpisodeReturns = [float.NaN] }, sound with { GradientNormSum = double.NaN },
            sound with { Loss = new ActorCriticLossValues(1, 0, double.PositiveInfinity, 0) }, sound with { Loss = new ActorCriticLossValues(1, 0, 0, double.NaN) },
        ];
        foreach (var progress in bad) Assert.Throws<MessagePackSerializationException>(() => Read(progress));

        static LearnerProgress Read(LearnerProgress progress)
        {
            var report = new ShardReport(1, 2, 3, 4, 5, progress);
            var reader = new MessagePackReader(MessagePackValues.Bytes((ref MessagePackWriter writer) => ShardCodecs.Write(ref writer, report)));
            return ShardCodecs.ReadShardReport(ref reader).Progress;
        }
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(1e-30f)]
    [InlineData(3e38f)]
    [InlineData(float.Epsilon)]
    public void Half_precision_keeps_each_number_to_a_2048th_and_overflows_nowhere(float magnitude)
    {
        var random = RandomStream.Create(3, StreamRole.Initialization);
        var gradient = new float[10_000];
        for (var i = 0; i < gradient.Length; i++) gradient[i] = magnitude * (2 * random.NextSingle() - 1) * MathF.ScaleB(1, -random.NextInt32(40));
        var (bytes, back) = (new byte[2 * gradient.Length], new float[gradient.Length]);
        var scale = GradientEncodings.Encode(gradient, 1, GradientEncoding.Float16, bytes);
        GradientEncodings.Decode(bytes, GradientEncoding.Float16, scale, back);
        var (max, worst) = ((double)gradient.Max(MathF.Abs), 0.0);
        for (var i = 0; i < gradient.Length; i++)
        {
            var error = Math.Abs((double)back[i] - gradient[i]);
            // Numbers too small for single precision have no relative error to speak of.
            if (Math.Abs(gradient[i]) >= max * Math.Pow(2, -28) && Math.Abs(gradient[i]) > 1e-37f) worst = Math.Max(worst, error / Math.Abs(gradient[i]));
            Assert.True(error <= Math.Max(Math.Max(Math.Abs(gradient[i]) / 2048.0, max * Math.Pow(2, -39)), 1.5e-45), $"{gradient[i]} became {back[i]}.");
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"max |g| {max}: the worst relative error is 1/{1 / worst:0}");
    }

    [Theory]
    [InlineData(GradientEncoding.Float32)]
    [InlineData(GradientEncoding.Float16)]
    public void What_is_not_finite_stays_so_for_the_receiver_to_refuse(GradientEncoding encoding)
    {
        foreach (var value in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            float[] gradient = [1, value, 2];
            var bytes = new byte[3 * GradientEncodings.BytesPerValue(encoding)];
            var scale = GradientEncodings.Encode(gradient, 0.5f, encoding, bytes);
            GradientEncodings.Decode(bytes, encoding, scale, gradient);
            Assert.False(float.IsFinite(gradient[1]));
            Assert.Equal((0.5f, 1f), (gradient[0], gradient[2]));
        }
        var none = new byte[2 * GradientEncodings.BytesPerValue(encoding)];
        Assert.Equal(1, GradientEncodings.Encode(new float[2], 1, encoding, none));
    }

    private static void Refused(Action<object?[]> change) => Assert.Throws<MessagePackSerializationException>(() => Read(change));

    private static PushGradient Push() => new(
        new UnrollId(1, 2, 3), new ParameterVersion(0, 4), 4, 1, GradientEncoding.Float32, 1, new byte[8],
        new SegmentReport(5, [1], [6], 0, new ActorCriticLossValues(5, 1, 2, 3), 4));

    /// <summary>A small gradient, changed on its way.</summary>
    private static PushGradient Read(Action<object?[]> change, PushGradient? given = null)
    {
        var push = given ?? Push();
        var written = new MessagePackReader(MessagePackValues.Bytes((ref MessagePackWriter writer) => GradientCodecs.Write(ref writer, push)));
        var tree = (object?[])MessagePackValues.Read(ref written)!;
        change(tree);
        var bytes = MessagePackValues.Bytes((ref MessagePackWriter writer) => MessagePackValues.Write(ref writer, tree));
        var reader = new MessagePackReader(new ReadOnlySequence<byte>(bytes));
        return GradientCodecs.ReadPushGradient(ref reader);
    }
}
