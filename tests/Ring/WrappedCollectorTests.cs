using System.Runtime.InteropServices;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Wrappers;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Ring.Tests;

/// <summary>What a learner gets of environments with something around them.</summary>
public sealed class WrappedCollectorTests
{
    private const int Steps = 18, Count = 2;
    private const float Discount = 0.9f;

    private readonly EnvironmentRegistry _registry = new(new EnvironmentEntry
    {
        Name = "lives",
        Description = "",
        Spec = _ => new ScriptedLives(1).Spec,
        Create = (_, count, _) => new ScriptedLives(count),
        HasLives = true,
    });

    [Theory]
    [InlineData(LifeLoss.None)]
    [InlineData(LifeLoss.Reset)]
    [InlineData(LifeLoss.Roll)]
    public void A_lost_life_is_what_the_option_says_and_returns_are_those_of_whole_games(LifeLoss lifeLoss)
    {
        var unroll = Collect(new EnvironmentOptions { Name = "lives", LifeLoss = lifeLoss });
        for (var t = 0; t < Steps; t++)
        for (var b = 0; b < Count; b++)
        {
            var (lost, ended) = ((t + 1) % (b + 2) == 0, (t + 1) % (3 * (b + 2)) == 0);
            Assert.Equal(ended || (lost && lifeLoss != LifeLoss.None) ? 0 : Discount, unroll.Discounts[t * Count + b]);
            Assert.Equal(ended || (lost && lifeLoss == LifeLoss.Reset), unroll.Reset[(t + 1) * Count + b]);
            // A lost life changes nothing of the game.
            Assert.Equal((t + 1) % (3 * (b + 2)), Observation(unroll, t + 1, b)[1]);
            Assert.Equal(1, unroll.Rewards[t * Count + b]);
        }
        Assert.Equal([6, 9, 6, 6, 9], unroll.EpisodeLengths[..unroll.EpisodeCount]);
        Assert.Equal([6f, 9, 6, 6, 9], unroll.EpisodeReturns[..unroll.EpisodeCount]);
        Assert.Equal(0, unroll.EpisodesLost);
    }

    [Fact]
    public void A_lost_life_is_an_end_with_a_final_observation_and_a_fresh_stack()
    {
        using var batch = (EnvironmentWrapper)_registry.Create(
            new EnvironmentOptions { Name = "lives", LifeLoss = LifeLoss.Reset, FrameStack = 2 }, 1, default);
        var (shown, final, terminated, notes) = (new float[6], new float[6], new bool[1], new StepNotes[1]);
        batch.Reset(MemoryMarshal.AsBytes(shown.AsSpan()));
        for (var step = 1; step <= 2; step++)
            batch.Step([0], new StepResults
            {
                Observations = MemoryMarshal.AsBytes(shown.AsSpan()), FinalObservations = MemoryMarshal.AsBytes(final.AsSpan()),
                Rewards = new float[1], Terminated = terminated, Truncated = new bool[1], Notes = notes,
            });
        Assert.Equal((true, StepNotes.GameGoesOn), (terminated[0], notes[0]));
        Assert.Equal([0, 1, 0, 0, 2, 0], final);
        Assert.Equal([0, 2, 0, 0, 2, 0], shown);
        Assert.Equal(2, batch.Lives[0]);
    }

    [Fact]
    public void Lives_are_counted_anew_after_a_reset_and_none_left_is_left_to_the_games_end()
    {
        var lives = new GivenLives([3, 2, 0, 0, 3, 3]);
        var batch = new LifeLossWrapper(lives, LifeLoss.Roll);
        batch.Reset([]);
        var notes = new StepNotes[1];
        foreach (var expected in (StepNotes[])[StepNotes.NoBootstrap, StepNotes.None, StepNotes.None, StepNotes.None])
        {
            notes[0] = StepNotes.None;
            batch.Step([0], new StepResults
            {
                Observations = [], FinalObservations = [], Rewards = [0], Terminated = [false], Truncated = [false], Notes = notes,
            });
            Assert.Equal(expected, notes[0]);
        }
        lives.Now = [2, 2];
        batch.Reset([]);
        notes[0] = StepNotes.None;
        batch.Step([0], new StepResults
        {
            Observations = [], FinalObservations = [], Rewards = [0], Terminated = [false], Truncated = [false], Notes = notes,
        });
        Assert.Equal(StepNotes.None, notes[0]);
    }

    [Fact]
    public void Lengths_of_episodes_are_steps_of_the_agent_and_returns_are_complete()
    {
        var unroll = Collect(new EnvironmentOptions { Name = "lives", ActionRepeat = 2, TimeLimit = 4 });
        // Copy 0 alone: each stands for itself here, and ends after 6 steps: 3 of the agent's.
        Assert.Equal(12, unroll.EpisodeCount);
        Assert.All(unroll.EpisodeLengths[..12], length => Assert.Equal(3, length));
        Assert.All(unroll.EpisodeReturns[..12], total => Assert.Equal(6, total));
        unroll = Collect(new EnvironmentOptions { Name = "lives", ActionRepeat = 4, TimeLimit = 1, LifeLoss = LifeLoss.Reset });
        Assert.All(unroll.EpisodeLengths[..unroll.EpisodeCount], length => Assert.Equal(1, length));
        Assert.All(unroll.EpisodeReturns[..unroll.EpisodeCount], total => Assert.Equal(4, total));
        Assert.Equal(Steps * Count, unroll.EpisodeCount);
    }

    private static ReadOnlySpan<float> Observation(Unroll unroll, int t, int b) =>
        MemoryMarshal.Cast<byte, float>(unroll.ObservationsAt(t)).Slice(b * 3, 3);

    private Unroll Collect(EnvironmentOptions options)
    {
        var environments = _registry.Create(options, Count, default);
        var shape = new UnrollShape(Steps, Count, environments.Spec.Observation, 2);
        var network = PolicyValueNetwork.Create(new NetworkOptions { Hidden = [8] }, shape.Observation, 2);
        var collector = new UnrollCollector(
            environments, new LocalPolicy(network, Count, RandomStream.Create(1, StreamRole.Policy)), shape, Discount, rewardClip: 0);
        var (unroll, parameters) = (new Unroll(shape), new float[network.Layout.Count]);
        collector.Begin(unroll);
        while (!collector.Step(parameters)) { }
        return unroll;
    }

    /// <summary>One copy that shows nothing and has the lives that the test says, one number a reset or step.</summary>
    private sealed class GivenLives(int[] lives) : IEnvironmentBatch, IHasLives
    {
        private int _at;

        public EnvironmentSpec Spec { get; } = new("given", new ObservationSpec(ElementType.UInt8, 1), new DiscreteActionSpec(2));

        public int[] Now
        {
            set => (lives, _at) = (value, 0);
        }

        public int Count => 1;

        public ReadOnlySpan<int> Lives => lives.AsSpan(Math.Max(0, _at - 1), 1);

        public void Reset(Span<byte> observations) => _at++;

        public void Step(ReadOnlySpan<int> actions, in StepResults results) => _at++;

        public void Step(ReadOnlySpan<float> actions, in StepResults results) => throw new NotSupportedException();

        public void Render(int index, TextCanvas canvas) => canvas.Clear(1, 1);
    }
}
