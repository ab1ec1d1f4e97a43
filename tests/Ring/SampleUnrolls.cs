using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Tests;

/// <summary>Unrolls full of numbers that mean nothing.</summary>
public static class SampleUnrolls
{
    public static Unroll Filled(UnrollShape shape, int seed)
    {
        var random = new Random(seed);
        var unroll = new Unroll(shape)
        {
            Id = new UnrollId(random.Next(), random.Next(), random.NextInt64()),
            Version = new ParameterVersion(random.Next(), random.NextInt64()),
            EpisodeCount = random.Next(shape.Frames + 1),
        };
        random.NextBytes(unroll.Observations);
        foreach (var array in new[] { unroll.BehaviourLogits, unroll.Rewards, unroll.Discounts, unroll.EpisodeReturns })
            for (var i = 0; i < array.Length; i++) array[i] = random.NextSingle() - 0.5f;
        for (var i = 0; i < unroll.Actions.Length; i++) unroll.Actions[i] = random.Next(shape.Actions);
        for (var i = 0; i < unroll.EpisodeLengths.Length; i++) unroll.EpisodeLengths[i] = random.Next();
        for (var i = 0; i < unroll.Reset.Length; i++) unroll.Reset[i] = random.Next(2) == 1;
        return unroll;
    }

    public static void AssertSame(Unroll expected, Unroll actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.Equal(expected.Id, actual.Id);
        Assert.Equal(expected.Version, actual.Version);
        Assert.Equal(expected.Observations, actual.Observations);
        Assert.Equal(expected.Actions, actual.Actions);
        Assert.Equal(expected.BehaviourLogits, actual.BehaviourLogits);
        Assert.Equal(expected.Rewards, actual.Rewards);
        Assert.Equal(expected.Discounts, actual.Discounts);
        Assert.Equal(expected.Reset, actual.Reset);
        Assert.Equal(expected.EpisodeCount, actual.EpisodeCount);
        Assert.Equal(expected.EpisodeReturns[..expected.EpisodeCount], actual.EpisodeReturns[..actual.EpisodeCount]);
        Assert.Equal(expected.EpisodeLengths[..expected.EpisodeCount], actual.EpisodeLengths[..actual.EpisodeCount]);
    }
}
