using System.Globalization;

namespace Rl.Distributed.Processes.Tests;

/// <summary>A run of A3C whose learners are all in other processes.</summary>
public sealed class GradientTests
{
    private const long Endless = 1_000_000_000_000, FramesPerGradient = 5, Credits = 2;

    [Fact]
    public async Task A2c_waits_for_the_learners_of_other_processes_and_goes_on_without_one_that_dies()
    {
        await using var cluster = new TestCluster();
        var learner = await cluster.StartLearnerAsync("a2c-cartpole", Endless, "--set", "learner.leastLearners=2");
        var victim = await cluster.StartActorAsync("victim");
        await cluster.StartActorAsync("other");
        using var pages = await learner.PagesAsync();
        await pages.SeesAsync("frames of both", now => now.Frames > 2000 && now.Workers.Count == 2);
        victim.Kill();
        var view = await pages.SeesAsync("the dead node removed", now => now.Workers.Count == 1);
        await pages.SeesAsync("frames of the other", now => now.Frames > view.Frames + 2000);
        learner.Signal(RlProcess.SigTerm);
        await learner.EndAsync();
        var ledger = Ledger.Parse(learner.Find("sent = ")!);
        ledger.AddsUp();
        Assert.Equal(0, ledger.Lost);
    }

    [Fact]
    public async Task Gradients_come_from_other_processes_which_may_die_and_be_replaced()
    {
        await using var cluster = new TestCluster();
        var learner = await cluster.StartLearnerAsync("a3c-cartpole", Endless, "--set", "parameterServer.publishMilliseconds=5");
        var victim = await cluster.StartActorAsync("victim");
        using var pages = await learner.PagesAsync();
        await pages.SeesAsync("frames", now => now.Frames > 5000 && now.Workers.Count == 1);
        await pages.MetricAboveAsync("rl_bytes_total", "direction=\"received\",kind=\"gradients\"", 0);

        victim.Kill();
        var view = await pages.SeesAsync("the dead node removed", now => now.Workers.Count == 0);
        var next = await cluster.StartActorAsync("next");
        await pages.SeesAsync("frames of the next", now => now.Frames > view.Frames + 5000);

        // The run dies too, and its node finds it again.
        await learner.SaysAsync("Saved checkpoint");
        learner.Kill();
        await learner.EndAsync();
        var resumed = await cluster.ResumeLearnerAsync(Endless);
        using var again = await resumed.PagesAsync();
        var begun = await again.SeesAsync("the same node at work", now => now.Workers.Count == 1 && now.Frames > 0);
        await again.SeesAsync("more frames", now => now.Frames > begun.Frames + 5000);
        Assert.False(next.HasExited);
        resumed.Signal(RlProcess.SigTerm);
        await resumed.EndAsync();
        var ledger = Ledger.Parse(resumed.Find("sent = ")!);
        ledger.AddsUp();
        Assert.InRange(ledger.Discarded, 0, Credits);
        Assert.Equal((0, 0), (ledger.Refused, ledger.Lost));
        var rows = File.ReadAllLines(Path.Combine(cluster.RunFolder, "metrics.csv"));
        double Last(string column) => double.Parse(rows[^1].Split(',')[Array.IndexOf(rows[0].Split(','), column)], CultureInfo.InvariantCulture);
        Assert.Equal(Last("frames"), Last("unrolls_consumed") * FramesPerGradient);
    }
}
