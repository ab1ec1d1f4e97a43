using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Gymnasium.Tests;

/// <summary>The preprocessing of Atari, on a stand-in whose frames are known.</summary>
public sealed class AtariTests
{
    [Fact]
    public void An_action_holds_for_four_frames_and_the_last_two_are_one_picture()
    {
        using var play = new Play("ALE/Game-v5", options: new EnvironmentOptions { NoOpStarts = 0 });
        Assert.Equal(new ObservationSpec(ElementType.UInt8, 84, 84, 1), play.Batch.Spec.Observation);
        Assert.Equal(4, play.Batch.Spec.DiscreteActions);
        Assert.All(play.Observations, pixel => Assert.Equal(1, pixel));
        play.Step(2);
        // Frame 4 is grey 5; frame 3, below it, is grey 4 in the lower half.
        Assert.All(play.Observations, pixel => Assert.Equal(5, pixel));
        Assert.Equal(4, play.Rewards[0]);
    }

    [Fact]
    public void The_maximum_shows_what_flickers()
    {
        using var play = new Play("ALE/Game-v5", options: new EnvironmentOptions { NoOpStarts = 0, FrameSkip = 3 });
        play.Step(0);
        // Frame 3 is black above, where frame 2 is grey 3; below it is grey 4.
        Assert.Equal(3, play.Observations[0]);
        Assert.Equal(4, play.Observations[^1]);
    }

    [Fact]
    public void Lives_are_told_and_a_game_ends_with_the_last_one()
    {
        using var play = new Play("ALE/Game-v5", options: new EnvironmentOptions { NoOpStarts = 0 });
        var seen = new List<int>();
        var steps = 0;
        do
        {
            play.Step(0);
            seen.Add(play.Batch.Lives[0]);
        }
        while (!play.Terminated[0] && ++steps < 100);
        Assert.Equal(23, seen.Count);
        Assert.Equal((3, 2, 2, 1), (seen[6], seen[7], seen[13], seen[14]));
        Assert.Equal(3, seen[^1]);
        Assert.Equal(2, play.Rewards[0]);
    }

    [Fact]
    public void Four_frames_are_stacked_and_a_lost_life_may_end_an_episode()
    {
        using var play = new Play("ALE/Game-v5", options: new EnvironmentOptions { NoOpStarts = 0 });
        var options = new EnvironmentOptions { Name = "gym:ALE/Game-v5", NoOpStarts = 0, LifeLoss = LifeLoss.Reset };
        Assert.Equal([84, 84, 4], play.Registry.Spec(options).Observation.Shape);
        var batch = play.Registry.Create(options, 1, RandomStream.Create(1, StreamRole.Environment));
        using var disposed = (IDisposable)batch;
        var (observations, finals, ended) = (new byte[84 * 84 * 4], new byte[84 * 84 * 4], new bool[1]);
        batch.Reset(observations);
        for (var step = 1; step <= 8; step++)
        {
            batch.Step([0], new StepResults
            {
                Observations = observations, FinalObservations = finals, Rewards = new float[1], Terminated = ended, Truncated = new bool[1],
                Notes = new StepNotes[1],
            });
            if (step == 3) Assert.Equal([1, 5, 9, 13], observations[..4]);
            Assert.Equal(step == 8, ended[0]);
        }
    }

    [Fact]
    public void Episodes_begin_with_one_to_thirty_frames_of_doing_nothing()
    {
        using var play = new Play("ALE/Game-v5", count: 24);
        var frames = Enumerable.Range(0, 24).Select(copy => play.Observations[(copy + 1) * 84 * 84 - 1] - 1).ToList();
        Assert.All(frames, frame => Assert.InRange(frame, 1, 30));
        Assert.True(frames.Distinct().Count() > 6, string.Join(' ', frames));
    }

    [Fact]
    public void Sticky_actions_and_all_actions_are_the_emulators()
    {
        using var play = new Play("ALE/Game-v5", options: new EnvironmentOptions { StickyActions = 0.5, MinimalActions = false });
        Assert.Equal(18, play.Batch.Spec.DiscreteActions);
        play.Step(17);
        Assert.Equal(2, play.Rewards[0]);
    }

    [Theory]
    [InlineData(210, 160, 84, 84)]
    [InlineData(84, 84, 84, 84)]
    [InlineData(7, 5, 3, 2)]
    [InlineData(9, 9, 1, 1)]
    public void A_smaller_picture_is_the_mean_over_areas(int height, int width, int toHeight, int toWidth)
    {
        var random = RandomStream.Create(3, StreamRole.Environment);
        var from = new byte[height * width];
        foreach (ref var pixel in from.AsSpan()) pixel = (byte)random.NextInt32(256);
        var to = new byte[toHeight * toWidth];
        new AreaResize(height, width, toHeight, toWidth).Resize(from, to);
        for (var y = 0; y < toHeight; y++)
            for (var x = 0; x < toWidth; x++)
            {
                double sum = 0;
                for (var i = 0; i < height; i++)
                    for (var j = 0; j < width; j++)
                        sum += from[i * width + j] * Overlap(i, y, height, toHeight) * Overlap(j, x, width, toWidth);
                Assert.True(Math.Abs(to[y * toWidth + x] - sum) < 0.5001, $"({y}, {x}): {to[y * toWidth + x]}, not {sum}");
            }

        // Of old pixel i's length in new pixel k, as a share of the new one's.
        static double Overlap(int i, int k, int from, int to)
        {
            var size = (double)from / to;
            return Math.Max(0, Math.Min(i + 1, (k + 1) * size) - Math.Max(i, k * size)) / size;
        }
    }
}
