using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Gymnasium.Tests;

/// <summary>What crosses between Python and here, both ways.</summary>
public sealed class StepTests
{
    [Fact]
    public void Copies_in_two_processes_step_as_the_environment_says()
    {
        using var play = new Play("Walk-v0", count: 5, new EnvironmentOptions { Subprocesses = 2 });
        var (position, steps, episode) = (new float[5], new int[5], new int[5]);
        Array.Fill(episode, 1);
        var seeds = Enumerable.Range(0, 5).Select(copy => play.Seen(copy)[1]).ToArray();
        Assert.Equal(5, seeds.Distinct().Count());
        Assert.Equal(2, play.Batch.ProcessIds.Distinct().Count());
        for (var step = 0; step < 100; step++)
        {
            var actions = Enumerable.Range(0, 5).Select(copy => (step * 7 + copy * copy) % 5 < 2 + copy % 2 ? 1 : 0).ToArray();
            play.Step(actions);
            for (var copy = 0; copy < 5; copy++)
            {
                position[copy] += actions[copy] == 1 ? 0.25f : -0.25f;
                steps[copy]++;
                Assert.Equal(actions[copy] + 0.5f, play.Rewards[copy]);
                Assert.Equal(MathF.Abs(position[copy]) >= 1, play.Terminated[copy]);
                Assert.Equal(steps[copy] == 20, play.Truncated[copy]);
                if (play.Terminated[copy] || play.Truncated[copy])
                {
                    Assert.Equal([position[copy], seeds[copy], episode[copy]], play.Final(copy));
                    (position[copy], steps[copy]) = (0, 0);
                    episode[copy]++;
                }
                Assert.Equal([position[copy], seeds[copy], episode[copy]], play.Seen(copy));
            }
        }
        Assert.Empty(play.Failures);
    }

    [Fact]
    public void The_contract_holds()
    {
        using var play = new Play("Walk-v0");
        var checks = EnvironmentContract.Check(new EnvironmentOptions { Name = "gym:Walk-v0" }, play.Registry, steps: 40);
        Assert.All(checks, check => Assert.True(check.Passed, check.ToString()));
    }

    [Fact]
    public void Numbers_of_discrete_spaces_need_not_begin_at_0()
    {
        using var play = new Play("Numbers-v0");
        Assert.Equal(new ObservationSpec(ElementType.Bit, 5), play.Batch.Spec.Observation);
        Assert.Equal(3, play.Batch.Spec.DiscreteActions);
        Assert.Equal([0b00001], play.Observations);
        play.Step(2);
        Assert.Equal([0b01000], play.Observations);
        Assert.Equal(4.5f, play.Rewards[0]);
    }

    [Fact]
    public void Binary_observations_become_bits()
    {
        using var play = new Play("Bits-v0", count: 2);
        Assert.Equal(new ObservationSpec(ElementType.Bit, 10), play.Batch.Spec.Observation);
        Assert.Equal([0b00001001, 0b10, 0b00001001, 0b10], play.Observations);
        play.Step(1, 1);
        Assert.Equal([0b00001001, 0b11, 0b00001001, 0b11], play.Observations);
    }

    [Fact]
    public void Pictures_stay_bytes_and_have_a_channel()
    {
        using var play = new Play("Picture-v0", count: 2);
        Assert.Equal(new ObservationSpec(ElementType.UInt8, 4, 5, 1), play.Batch.Spec.Observation);
        play.Step(0, 0);
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (byte)i), play.Observations[20..]);
    }

    [Fact]
    public void Forces_are_held_within_their_bounds()
    {
        using var play = new Play("Push-v0", count: 2);
        var spec = Assert.IsType<ContinuousActionSpec>(play.Batch.Spec.Action);
        Assert.Equal([-2, -2], spec.Low);
        play.Push(0.5f, 1, -7, 7);
        Assert.Equal([10.5f, 18], play.Rewards);
        Assert.Equal(0.5f, MemoryMarshal.Read<float>(play.Observations.AsSpan(4)));
    }

    [Fact]
    public void A_batch_of_one_draws_the_environments_own_picture()
    {
        var canvas = new TextCanvas();
        using var alone = new Play("Picture-v0");
        alone.Batch.Render(0, canvas);
        Assert.True(canvas.Width > 30 && canvas.Height > 20, $"{canvas.Width} × {canvas.Height}");
        Assert.Equal(FramePicture.Nearest(255, 0, 0), canvas.ColorAt(0, 0));
        Assert.Equal(FramePicture.Nearest(0, 0, 0), canvas.ColorAt(canvas.Width - 1, 0));
    }

    [Fact]
    public void Others_show_their_numbers()
    {
        var canvas = new TextCanvas();
        using var play = new Play("Walk-v0", count: 2);
        play.Step(1, 0);
        play.Batch.Render(1, canvas);
        var text = string.Concat(Enumerable.Range(0, canvas.Width).Select(x => canvas.CharacterAt(x, 0)));
        Assert.Contains("-0.25", text);
    }
}
