using System.Diagnostics;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Gymnasium.Tests;

/// <summary>What goes wrong at play: it costs the episodes that it broke off, up to a limit, and hangs nobody.</summary>
public sealed class FailureTests
{
    [Fact]
    public void An_exception_costs_the_episode_of_its_copy_alone()
    {
        using var play = new Play("Raises-v0", count: 3);
        for (var step = 0; step < 4; step++) play.Step(1, 0, 0);
        var processes = play.Batch.ProcessIds.ToArray();
        var (before, other) = (play.Seen(0), play.Seen(1));
        play.Step(1, 0, 0);
        Assert.Equal([true, false, false], play.Truncated);
        Assert.Equal([false, false, false], play.Terminated);
        Assert.Equal([StepNotes.EpisodeLost, StepNotes.None, StepNotes.None], play.Notes);
        Assert.Equal([0, 0.5f, 0.5f], play.Rewards);
        Assert.Equal(before, play.Final(0));
        Assert.Equal(0, play.Seen(0)[0]);
        Assert.Equal(other[0] + 0.01f, play.Seen(1)[0], 1e-5f);
        var failure = Assert.Single(play.Failures);
        Assert.Contains("ValueError: step 5 is too much", failure);
        Assert.Contains("in act", failure);
        Assert.Equal(processes, play.Batch.ProcessIds);
        play.Step(1, 0, 0);
        Assert.Equal([false, false, false], play.Truncated);
    }

    [Fact]
    public void A_message_that_is_no_text_is_told_as_far_as_it_is_one()
    {
        using var play = new Play("SaysNoText-v0");
        play.Step(1);
        Assert.Equal(StepNotes.EpisodeLost, play.Notes[0]);
        Assert.Contains("no file ? here", Assert.Single(play.Failures));
    }

    [Fact]
    public void A_copy_that_cannot_be_reset_is_made_anew()
    {
        using var play = new Play("Breaks-v0", count: 2);
        play.Step(1, 0);
        Assert.Equal([StepNotes.EpisodeLost, StepNotes.None], play.Notes);
        play.Step(0, 0);
        Assert.Equal([StepNotes.None, StepNotes.None], play.Notes);
        Assert.Single(play.Failures);
    }

    [Fact]
    public void Failures_beyond_the_limit_end_the_batch_with_the_traceback()
    {
        using var play = new Play("Raises-v0", options: new EnvironmentOptions { Restarts = 2 });
        var error = Assert.Throws<EnvironmentException>(() =>
        {
            for (var step = 0; step < 100; step++) play.Step(1);
        });
        Assert.True(error.IsFinal);
        Assert.StartsWith("gym:Raises-v0: failed 3 times within 10 minutes, more than environment.restarts (2).", error.Message);
        Assert.Contains("ValueError: step 5 is too much", error.Message);
        Assert.Contains("in act", error.Message);
        Assert.Equal(2, play.Failures.Count);
        Assert.Throws<ObjectDisposedException>(() => play.Step(0));
    }

    [Theory]
    [InlineData(1, "observation")]
    [InlineData(2, "reward")]
    public void What_is_not_finite_costs_the_episode(int action, string what)
    {
        using var play = new Play("NotFinite-v0", count: 2);
        play.Step(0, 0);
        play.Step(0, action);
        Assert.Equal([StepNotes.None, StepNotes.EpisodeLost], play.Notes);
        Assert.Equal(0.125f, play.Final(1)[0]);
        Assert.All(play.Seen(1), number => Assert.True(float.IsFinite(number)));
        Assert.Equal(0, play.Rewards[1]);
        Assert.Contains(what, Assert.Single(play.Failures));
    }

    [Fact]
    public void A_process_that_is_killed_costs_its_own_copies_episodes_and_is_started_again()
    {
        using var play = new Play("Walk-v0", count: 4, new EnvironmentOptions { Subprocesses = 2 });
        play.Step(1, 1, 1, 1);
        var (before, seed) = (play.Seen(0), play.Seen(0)[1]);
        var processes = play.Batch.ProcessIds.ToArray();
        using (var victim = Process.GetProcessById(processes[0])) victim.Kill();
        play.Step(1, 1, 1, 1);
        Assert.Equal([true, true, false, false], play.Truncated);
        Assert.Equal([StepNotes.EpisodeLost, StepNotes.EpisodeLost, StepNotes.None, StepNotes.None], play.Notes);
        Assert.Equal(before, play.Final(0));
        Assert.Equal(0, play.Seen(0)[0]);
        Assert.NotEqual(seed, play.Seen(0)[1]);
        Assert.Equal(0.5f, play.Seen(3)[0]);
        Assert.NotEqual(processes[0], play.Batch.ProcessIds.First());
        Assert.Equal(processes[1], play.Batch.ProcessIds.Last());
        Assert.Contains("killed by signal 9", Assert.Single(play.Failures));
        play.Step(1, 1, 1, 1);
        Assert.Equal([0.25f, 0.25f, 0.75f, 0.75f], Enumerable.Range(0, 4).Select(copy => play.Seen(copy)[0]));
    }

    [Fact]
    public void A_process_that_keeps_dying_ends_the_batch()
    {
        using var play = new Play("Dies-v0", options: new EnvironmentOptions { Restarts = 1 });
        play.Step(1);
        Assert.Equal(StepNotes.EpisodeLost, play.Notes[0]);
        var error = Assert.Throws<EnvironmentException>(() => play.Step(1));
        Assert.Contains("killed by signal 9", error.Message);
    }

    [Fact]
    public void A_reset_outlives_a_killed_process()
    {
        using var play = new Play("Walk-v0", count: 2);
        using (var victim = Process.GetProcessById(play.Batch.ProcessIds.Single())) victim.Kill();
        play.Batch.Reset(play.Observations);
        Assert.Equal(0, play.Seen(1)[0]);
        Assert.Single(play.Failures);
    }

    [Fact]
    public void A_step_that_hangs_is_given_up_at_the_deadline_and_says_where_it_hung()
    {
        using var play = new Play("Hangs-v0", options: new EnvironmentOptions { TimeoutSeconds = 4, Restarts = 1 });
        play.Step(1);
        Assert.Equal(StepNotes.EpisodeLost, play.Notes[0]);
        var failure = Assert.Single(play.Failures);
        Assert.Contains("no answer within 4 s", failure);
        Assert.Contains("wait_for_ever", failure);
        play.Step(0);
        Assert.Equal(StepNotes.None, play.Notes[0]);
    }

    [Fact]
    public void What_an_environment_prints_disturbs_nothing_and_is_kept()
    {
        using var play = new Play("Prints-v0");
        for (var step = 0; step < 4; step++) play.Step(0);
        Assert.Empty(play.Failures);
        Assert.Equal(-1, play.Seen(0)[0]);
        play.Step(0);
        var failure = Assert.Single(play.Failures);
        Assert.Contains("ended with exit code 7", failure);
        foreach (var printed in (string[])["garbage on standard output", "more of it", "and from a child"]) Assert.Contains(printed, failure);
    }

    [Fact]
    public void Failures_are_forgotten_after_ten_minutes()
    {
        var clock = new ManualClock();
        var book = new FailureBook(2, clock);
        Assert.True(book.Bears());
        clock.Advance(TimeSpan.FromMinutes(6));
        Assert.True(book.Bears());
        clock.Advance(TimeSpan.FromMinutes(6));
        Assert.True(book.Bears());
        Assert.Equal(2, book.Count);
        Assert.False(book.Bears());
    }

    private sealed class ManualClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }
}
