using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Environments.Wrappers;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Gymnasium.Tests;

/// <summary>What is done around copies in their Python process, instead of around a batch of one.</summary>
public sealed class AroundTests
{
    [Fact]
    public void Copies_with_a_time_limit_and_repeated_actions_share_a_process_and_play_as_the_wrappers_say()
    {
        const int copies = 3;
        using var play = new Play("Walk-v0", copies, new EnvironmentOptions { ActionRepeat = 3, TimeLimit = 4 });
        Assert.Single(play.Batch.ProcessIds);
        using var plain = new Play("Walk-v0", copies);
        var wrapped = new SideBySide(copies, RandomStream.Create(1, StreamRole.Environment), luck =>
            new TimeLimit(new ActionRepeat(plain.Registry.Create(new EnvironmentOptions { Name = "gym:Walk-v0" }, 1, luck), 3), 4));
        using var disposed = wrapped;
        var (rewards, terminated, truncated) = (new float[copies], new bool[copies], new bool[copies]);
        var (observations, finals) = (new byte[play.Observations.Length], new byte[play.Observations.Length]);
        wrapped.Reset(observations);
        var ends = (Terminated: 0, Truncated: 0);
        for (var step = 0; step < 60; step++)
        {
            int[] actions = [step % 2, step / 3 % 2, 1];
            play.Step(actions);
            wrapped.Step(actions, new StepResults
            {
                Observations = observations, FinalObservations = finals, Rewards = rewards, Terminated = terminated, Truncated = truncated,
            });
            Assert.Equal(rewards, play.Rewards);
            Assert.Equal(terminated, play.Terminated);
            Assert.Equal(truncated, play.Truncated);
            for (var copy = 0; copy < copies; copy++)
            {
                // The first number is the position; the others tell seed and episode, which are each batch's own.
                Assert.Equal(BitConverter.ToSingle(observations, 12 * copy), play.Seen(copy)[0]);
                if (terminated[copy] | truncated[copy]) Assert.Equal(BitConverter.ToSingle(finals, 12 * copy), play.Final(copy)[0]);
                if (terminated[copy]) ends.Terminated++;
                if (truncated[copy]) ends.Truncated++;
            }
        }
        Assert.True(ends is { Terminated: > 10, Truncated: > 10 }, ends.ToString());
    }

    [Fact]
    public void Each_repetition_of_an_action_may_stick()
    {
        using var play = new Play("Keeps-v0", options: new EnvironmentOptions { ActionRepeat = 4, StickyActions = 0.5 });
        var (old, mixed) = (0, 0);
        for (var step = 0; step < 200; step++)
        {
            var action = 1 + step % 2;
            play.Step(action);
            var seen = (int)play.Seen(0)[0];
            if (play.Truncated[0]) seen = (int)play.Final(0)[0];
            var played = Enumerable.Range(0, 4).Select(i => (seen >> (2 * (3 - i)) & 3) - 1).Where(each => each >= 0).ToArray();
            // Once the new action is played, it is the one that sticks.
            Assert.Equal(played, played.OrderBy(each => each == action ? 1 : 0));
            if (played.Length < 4) continue;
            if (played[^1] != action) old++;
            else if (played[0] != action) mixed++;
        }
        // One of 16 actions is not played at all, seven of 16 begin late.
        Assert.InRange(old, 2, 30);
        Assert.InRange(mixed, 50, 120);
    }

    [Fact]
    public void An_Atari_game_of_repeated_actions_tells_the_lives_that_are_left_after_them()
    {
        using var play = new Play("ALE/Game-v5", options: new EnvironmentOptions { NoOpStarts = 0, ActionRepeat = 2, TimeLimit = 10 });
        var lives = new List<int>();
        for (var step = 1; step <= 10; step++)
        {
            play.Step(0);
            Assert.Equal(8, play.Rewards[0]);
            Assert.Equal(step == 10, play.Truncated[0]);
            lives.Add(play.Batch.Lives[0]);
        }
        // Life by life 30 frames, 8 a step; the last number is the next game's.
        Assert.Equal([3, 3, 3, 2, 2, 2, 2, 1, 1, 3], lives);
    }

    [Fact]
    public void A_lost_episode_starts_the_count_again()
    {
        using var play = new Play("Raises-v0", options: new EnvironmentOptions { TimeLimit = 7 });
        for (var step = 1; step <= 5; step++) play.Step(1);
        Assert.Equal(StepNotes.EpisodeLost, play.Notes[0]);
        for (var step = 1; step <= 7; step++)
        {
            play.Step(0);
            Assert.Equal((false, step == 7), (play.Terminated[0], play.Truncated[0]));
        }
    }

    [Fact]
    public void The_registry_puts_nothing_around_them()
    {
        using var play = new Play("Walk-v0");
        var options = new EnvironmentOptions { Name = "gym:Walk-v0", ActionRepeat = 2, TimeLimit = 5, StickyActions = 0.1 };
        using var batch = Assert.IsType<GymnasiumBatch>(play.Registry.Create(options, 4, RandomStream.Create(1, StreamRole.Environment)));
    }
}
