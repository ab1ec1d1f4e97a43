using System.Runtime.InteropServices;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Ring.Tests;

public sealed class UnrollCollectorTests
{
    private const int Steps = 7, Environments = 4;
    private const float Discount = 0.9f;

    private static readonly UnrollShape Shape = new(Steps, Environments, ScriptedEnvironments.SharedSpec.Observation, 2);

    private readonly PolicyValueNetwork _network = PolicyValueNetwork.Create(
        new NetworkOptions { Torso = "mlp", Hidden = [8] }, ScriptedEnvironments.SharedSpec.Observation, 2);
    private readonly float[] _parameters;

    public UnrollCollectorTests()
    {
        _parameters = new float[_network.Layout.Count];
        var random = RandomStream.Create(1, StreamRole.Initialization);
        _network.Initialize(_parameters, ref random);
    }

    [Fact]
    public void The_last_observation_of_an_unroll_is_the_first_of_the_next()
    {
        var collector = Collector();
        var (first, second) = (Collect(collector), Collect(collector));
        Assert.True(first.ObservationsAt(Steps).SequenceEqual(second.ObservationsAt(0)));
        Assert.Equal(first.Reset.AsSpan(Steps * Environments).ToArray(), second.Reset.AsSpan(0, Environments).ToArray());
    }

    [Fact]
    public void Resets_mark_the_observations_that_start_an_episode()
    {
        var unroll = Collect(Collector());
        for (var t = 0; t <= Steps; t++)
        for (var b = 0; b < Environments; b++)
            Assert.Equal(t % (b + 2) == 0, unroll.Reset[t * Environments + b]);
    }

    [Fact]
    public void A_terminated_episode_has_discount_zero_and_its_plain_reward()
    {
        var unroll = Collect(Collector());
        const int b = 0;
        for (var t = 0; t < Steps; t++)
        {
            Assert.Equal(t % 2 == 1 ? 0 : Discount, unroll.Discounts[t * Environments + b]);
            Assert.Equal(t % 2 + 1, unroll.Rewards[t * Environments + b]);
        }
    }

    [Fact]
    public void A_truncated_episode_has_discount_zero_and_the_value_of_its_final_observation_in_the_reward()
    {
        var unroll = Collect(Collector());
        const int b = 1, length = 3;
        var value = Value([b, length, 0]);
        Assert.NotEqual(0, value);
        Assert.Equal(0, unroll.Discounts[(length - 1) * Environments + b]);
        Assert.Equal(10 * b + length + Discount * value, unroll.Rewards[(length - 1) * Environments + b], 1e-5f);
        Assert.Equal(10 * b + 1, unroll.Rewards[b]);
    }

    [Fact]
    public void Episode_returns_count_what_the_environment_paid_not_what_was_clipped()
    {
        var unroll = Collect(Collector(rewardClip: 1));
        Assert.Equal(1, unroll.Rewards[0]);
        Assert.Equal(3 + 2 + 1 + 1, unroll.EpisodeCount);
        Assert.Equal(1 + 2, unroll.EpisodeReturns[0]);
        Assert.Equal(2, unroll.EpisodeLengths[0]);
    }

    [Fact]
    public void Rewards_are_scaled_before_they_are_clipped_and_returns_are_neither()
    {
        var unroll = Collect(Collector(rewardScale: 0.25f, rewardClip: 0.4f));
        Assert.Equal((0.25f, 0.4f), (unroll.Rewards[0], unroll.Rewards[Environments]));
        Assert.Equal(1 + 2, unroll.EpisodeReturns[0]);
    }

    [Fact]
    public void Behaviour_logits_are_those_of_the_weights_that_acted()
    {
        var unroll = Collect(Collector());
        var workspace = _network.CreateWorkspace(Environments, training: false);
        for (var t = 0; t < Steps; t++)
        {
            _network.Forward(_parameters, unroll.ObservationsAt(t), Environments, workspace);
            Assert.True(workspace.Logits.SequenceEqual(unroll.BehaviourLogitsAt(t)));
        }
    }

    [Fact]
    public void Stepping_allocates_nothing()
    {
        var collector = Collector();
        var unroll = Collect(collector);
        var before = GC.GetAllocatedBytesForCurrentThread();
        collector.Begin(unroll);
        while (!collector.Step(_parameters)) { }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void The_same_stream_draws_the_same_actions_and_another_incarnation_draws_others()
    {
        var first = Collect(Collector()).Actions;
        Assert.Equal(first, Collect(Collector()).Actions);
        Assert.NotEqual(first, Collect(Collector(incarnation: 1)).Actions);
    }

    private float Value(float[] observation)
    {
        var workspace = _network.CreateWorkspace(1, training: false);
        _network.Forward(_parameters, MemoryMarshal.AsBytes(observation.AsSpan()), 1, workspace);
        return workspace.Values[0];
    }

    private UnrollCollector Collector(float rewardClip = 0, uint incarnation = 0, float rewardScale = 1) => new(
        new ScriptedEnvironments(Environments),
        new LocalPolicy(_network, Environments, RandomStream.Create(1, StreamRole.Policy, 0, incarnation)),
        Shape, Discount, rewardClip, rewardScale);

    private Unroll Collect(UnrollCollector collector)
    {
        var unroll = new Unroll(Shape);
        collector.Begin(unroll);
        while (!collector.Step(_parameters)) { }
        return unroll;
    }
}
