using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Rl.Distributed.Processes.Tests;

/// <summary>One run whose processes are killed one after the other.</summary>
public sealed partial class FaultTests
{
    private const long Endless = 1_000_000_000_000, MoreFrames = 500_000, FramesPerUnroll = 20 * 32, Credits = 2;

    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(5), Used = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_run_outlives_the_death_of_actors_and_of_its_learner()
    {
        await using var cluster = new TestCluster();
        var learner = await cluster.StartLearnerAsync("impala-catch", Endless);
        var actors = new List<RlProcess>();
        for (var i = 1; i <= 3; i++) actors.Add(await cluster.StartActorAsync($"actor {i}"));
        using var pages = await learner.PagesAsync();
        var view = await pages.SeesAsync("three nodes at work", now => now.Workers.Count == 3 && now.Members.Count == 4 && now.Frames > 0);

        // An actor dies.
        var victim = await AddressOfAsync(actors[0]);
        var at = Stopwatch.GetTimestamp();
        actors[0].Kill();
        view = await pages.SeesAsync("the dead actor removed", now => !now.Members.Contains(victim) && !now.Workers.ContainsKey(victim));
        Assert.True(Stopwatch.GetElapsedTime(at) < Noticed, $"It took {Stopwatch.GetElapsedTime(at)}.");
        TestCluster.Show("from SIGKILL of an actor to its removal", at);
        Assert.Equal(2, view.Workers.Count);
        view = await pages.SeesAsync("frames of the others", now => now.Frames > view.Frames + 10_000);

        // Another one comes.
        actors[0] = await cluster.StartActorAsync("actor 4");
        var joining = await AddressOfAsync(actors[0]);
        at = Stopwatch.GetTimestamp();
        await pages.SeesAsync("the new actor at work", now => now.Workers.ContainsKey(joining));
        using (var joined = await actors[0].PagesAsync()) await joined.MetricAboveAsync("rl_bytes_total", "direction=\"sent\",kind=\"experience\"", 0);
        Assert.True(Stopwatch.GetElapsedTime(at) < Used, $"It took {Stopwatch.GetElapsedTime(at)}.");
        TestCluster.Show("from the start of an actor to its first unroll", actors[0].StartedAt);

        // The learner dies, some time after its last checkpoint.
        await learner.SaysAsync("Saved checkpoint");
        view = await pages.SeesAsync("frames after a checkpoint", now => now.Frames > SavedAt(learner) + 50_000);
        learner.Kill();
        await learner.EndAsync();
        var ids = actors.Select(actor => actor.Id).ToList();
        var resumed = await cluster.ResumeLearnerAsync(Endless);
        using var again = await resumed.PagesAsync();
        await again.SeesAsync("the same nodes at work", now => now.Workers.Count == 3);
        TestCluster.Show("from the learner's restart to its actors' work", resumed.StartedAt);
        Assert.All(actors, actor => Assert.False(actor.HasExited));
        Assert.Equal(ids, actors.Select(actor => actor.Id));
        var resumedAt = long.Parse(Resumption().Match(resumed.Find("continues impala-catch")!).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

        // Training reaches its goal, and the ledger adds up.
        await again.SeesAsync("the goal", now => now.Frames > view.Frames + MoreFrames && now.MeanReturn >= 0.95);
        resumed.Signal(RlProcess.SigTerm);
        await resumed.EndAsync();
        var ledger = Ledger.Parse(resumed.Find("sent = ")!);
        ledger.AddsUp();
        // No node was lost since: only what was on its way when the learner stopped is discarded.
        Assert.InRange(ledger.Discarded, 0, actors.Count * Credits);
        Assert.Equal((0, 0), (ledger.Refused, ledger.Lost));
        var last = LastMetrics(cluster);
        // What the killed learner had learned after its checkpoint is rolled back. Its last receipts may have died with it.
        var forgotten = (view.Frames - resumedAt) / FramesPerUnroll;
        Assert.True(last["unrolls_rolled_back"] > 0);
        Assert.True(last["unrolls_rolled_back"] >= forgotten - (actors.Count * Credits), $"{last["unrolls_rolled_back"]} of {forgotten}");
        Assert.Equal(last["frames"], last["unrolls_consumed"] * FramesPerUnroll);
        Assert.Equal((0, 0), (last["unrolls_rejected"], last["unrolls_lost"]));
        Assert.All(actors, actor => Assert.False(actor.HasExited));
    }

    [Fact]
    public async Task An_actor_that_is_told_to_stop_leaves_at_once()
    {
        await using var cluster = new TestCluster();
        var learner = await cluster.StartLearningNodeAsync("impala-catch", Endless);
        var (stays, leaves) = (await cluster.StartActorAsync("stays"), await cluster.StartActorAsync("leaves"));
        using var pages = await learner.PagesAsync();
        await pages.SeesAsync("two nodes at work", now => now.Workers.Count == 2 && now.Frames > 0);
        var address = await AddressOfAsync(leaves);
        var at = Stopwatch.GetTimestamp();
        leaves.Signal(RlProcess.SigTerm);
        var view = await pages.SeesAsync("the actor gone", now => !now.Members.Contains(address) && !now.Workers.ContainsKey(address));
        TestCluster.Show("from SIGTERM of an actor to its removal", at);
        Assert.Equal(0, await leaves.EndAsync());
        await pages.SeesAsync("frames of the other", now => now.Frames > view.Frames);
        Assert.Null(learner.Find("cannot be reached"));

        // The learner ends in order too: with a checkpoint.
        learner.Signal(RlProcess.SigTerm);
        await learner.EndAsync();
        Assert.NotNull(learner.Find("Saved checkpoint"));
        Ledger.Parse(learner.Find("sent = ")!).AddsUp();
        Assert.False(stays.HasExited);
    }

    private static async Task<string> AddressOfAsync(RlProcess actor)
    {
        using var pages = await actor.PagesAsync();
        return (await pages.SeesAsync("its cluster", now => now.Members.Contains(now.Self))).Self;
    }

    private static long SavedAt(RlProcess learner) =>
        long.Parse(Checkpoint().Match(learner.Find("Saved checkpoint")!).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    /// <summary>The last whole row of metrics.csv.</summary>
    private static Dictionary<string, double> LastMetrics(TestCluster cluster)
    {
        var rows = File.ReadAllLines(Path.Combine(cluster.RunFolder, "metrics.csv"));
        return rows[0].Split(',').Zip(rows[^1].Split(',')).Where(pair => pair.Second.Length > 0)
            .ToDictionary(pair => pair.First, pair => double.Parse(pair.Second, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex("(\\d+)\\.safetensors")]
    private static partial Regex Checkpoint();

    [GeneratedRegex(" from (\\d+) to ")]
    private static partial Regex Resumption();
}
