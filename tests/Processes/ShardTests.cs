using System.Globalization;

namespace Rl.Distributed.Processes.Tests;

/// <summary>A run whose parameters are in two other processes.</summary>
public sealed class ShardTests
{
    private const int Bound = 200;

    [Fact]
    public async Task A_shards_process_may_be_killed_and_replaced_and_the_run_goes_on_to_its_end()
    {
        await using var cluster = new TestCluster();
        var learner = await cluster.StartLearnerAsync(
            "a3c-cartpole", 1_000_000_000, "--set", "parameterServer.publishMilliseconds=5", "--set", "parameterServer.shards=2",
            "--set", $"parameterServer.maxRolledBackUpdates={Bound}", "--set", "workers.creditTimeoutSeconds=5");
        await cluster.StartShardAsync("first");
        var victim = await cluster.StartShardAsync("victim");
        await cluster.StartActorAsync("learning");
        using var pages = await learner.PagesAsync();
        await pages.SeesAsync("frames", now => now.Frames > 5000);
        await pages.MetricAboveAsync("rl_shard_skew", "", -1);

        victim.Kill();
        await learner.SaysAsync("is lost (it does not answer any more): it goes back to");
        var spare = await cluster.StartShardAsync("spare");
        await spare.SaysAsync("begins with");
        var begun = await pages.SeesAsync("the run going on", now => now.Frames > 0);
        await pages.SeesAsync("more frames", now => now.Frames > begun.Frames + 5000);
        learner.Signal(RlProcess.SigTerm);
        await learner.EndAsync();
        Assert.False(spare.HasExited);
        Ledger.Parse(learner.Find("sent = ")!).AddsUp();
        Assert.NotNull(learner.Find("Skew of the shards"));
        var rows = File.ReadAllLines(Path.Combine(cluster.RunFolder, "metrics.csv"));
        double Last(string column) => double.Parse(rows[^1].Split(',')[Array.IndexOf(rows[0].Split(','), column)], CultureInfo.InvariantCulture);
        Assert.InRange(Last("unrolls_rolled_back"), 1, Bound);
        Assert.Equal(Last("frames"), 5 * Last("updates"));
        Assert.True(Last("shard_skew_max") > 0, "no skew");
    }
}
