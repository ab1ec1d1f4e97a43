using System.Diagnostics;

namespace Rl.Distributed.Processes.Tests;

/// <summary>Nodes behind slow links that break and are mended.</summary>
public sealed class PartitionTests
{
    private const int LinkMegabits = 100;
    // Longer than silence is borne.
    private const double SaturatedBytes = 50e6;
    private const string Bytes = "rl_bytes_total", Sent = "direction=\"sent\"";

    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_slow_network_and_a_partition_stop_nothing()
    {
        var (networks, reason) = await NetworkNamespaces.CreateAsync(nodes: 2, LinkMegabits);
        Assert.SkipWhen(networks is null, $"Network namespaces with limited links cannot be made here: {reason}");
        await using var _ = networks;
        await using var cluster = new TestCluster { Seed = $"{NetworkNamespaces.HubAddress}:4053" };
        // Large weights, which the server sends each worker as fast as the link takes them.
        var learner = await cluster.StartAsync(
            "learner", Path.Combine(cluster.RunFolder, "log.txt"), NetworkNamespaces.In(networks!.Hub),
            "train", "impala-catch", "--frames", "1000000000000", "--run-dir", cluster.RunFolder, "--listen", cluster.Seed, "--workers", "0",
            "--http", "127.0.0.1:0", "--insecure", "--set", "network.hidden=[512, 512]", "--set", "run.metricsSeconds=0.1");
        var nodes = new List<RlProcess>();
        for (var i = 0; i < 2; i++)
        {
            nodes.Add(await cluster.StartAsync(
                $"node {i}", null, NetworkNamespaces.In(networks.Node(i)),
                "node", "--join", cluster.Seed, "--listen", $"{NetworkNamespaces.Address(i)}:4053", "--workers", "1", "--insecure"));
        }
        using var pages = await learner.PagesAsync(networks.Hub);
        var view = await pages.SeesAsync("both nodes at work", now => now.Workers.Count == 2 && now.Frames > 0);

        // Heartbeats get through while the links are full.
        var (at, before) = (Stopwatch.GetTimestamp(), await SentAsync(pages));
        await pages.MetricAboveAsync(Bytes, Sent, before + (2 * SaturatedBytes));
        var rate = (await SentAsync(pages) - before) / Stopwatch.GetElapsedTime(at).TotalSeconds / 2;
        TestContext.Current.TestOutputHelper?.WriteLine($"each link carried {rate * 8 / 1e6:0} of {LinkMegabits} Mbit/s to the nodes");
        view = await pages.SeesAsync("frames while the links are full", now => now.Frames > view.Frames);
        Assert.Null(learner.Find("cannot be reached"));
        Assert.All(nodes, node => Assert.Null(node.Find("cannot be reached")));

        // A link breaks for longer than the limit: the learner's side goes on, the other one ends its membership by itself.
        var isolated = $"akka.tcp://rl@{NetworkNamespaces.Address(0)}:4053";
        Assert.Contains(isolated, view.Members);
        at = Stopwatch.GetTimestamp();
        await networks.SetLinkAsync(0, isUp: false);
        view = await pages.SeesAsync("the isolated node removed", now => !now.Members.Contains(isolated) && !now.Workers.ContainsKey(isolated));
        Assert.True(Stopwatch.GetElapsedTime(at) < Noticed, $"It took {Stopwatch.GetElapsedTime(at)}.");
        TestCluster.Show("from the partition to the removal", at);
        await pages.SeesAsync("frames of the other node", now => now.Frames > view.Frames);
        await nodes[0].SaysAsync("begins anew");

        // It is mended: the same process comes back by itself.
        at = Stopwatch.GetTimestamp();
        await networks.SetLinkAsync(0, isUp: true);
        view = await pages.SeesAsync("both nodes at work again", now => now.Members.Contains(isolated) && now.Workers.Count == 2);
        TestCluster.Show("from the mending to work", at);
        await pages.SeesAsync("more frames", now => now.Frames > view.Frames);
        Assert.All(nodes, node => Assert.False(node.HasExited));

        learner.Signal(RlProcess.SigTerm);
        await learner.EndAsync();
        Ledger.Parse(learner.Find("sent = ")!).AddsUp();
    }

    private static Task<double> SentAsync(NodePagesClient pages) => pages.MetricAsync(Bytes, Sent);
}
