using System.Diagnostics;
using Akka.Actor;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Serilog.Core;

namespace Rl.Distributed.Node.Tests.Engines;

/// <summary>Real Akka.NET nodes of this process, over loopback.</summary>
public sealed class ClusterTests
{
    private const int Fits = AkkaConfig.MaxFrameBytes / sizeof(float) - 1000;

    [Fact]
    public async Task Nodes_join_talk_by_the_table_and_watch_each_other()
    {
        await using var learner = new TestNode(["learner"]);
        await using var actor = await Joined(learner);
        var keeper = await actor.Find(learner);
        var reply = await keeper.Ask<ParametersChunk>(Chunk(3), TimeSpan.FromSeconds(10));
        Assert.Equal([0, 1, 2], reply.Values.ToArray());

        actor.Keeper.Tell(keeper);
        learner.System.Stop(learner.Keeper);
        await TestNode.Until(() => actor.Received.Any(message => message is Terminated), "the death of the watched actor");
    }

    [Fact]
    public async Task Messages_up_to_the_frame_size_arrive_and_larger_ones_are_logged()
    {
        await using var learner = new TestNode(["learner"]);
        await using var actor = await Joined(learner);
        var keeper = await actor.Find(learner);
        var reply = await keeper.Ask<ParametersChunk>(Chunk(Fits), TimeSpan.FromSeconds(10));
        Assert.Equal(Fits, reply.Values.Length);
        keeper.Tell(Chunk(AkkaConfig.MaxFrameBytes / sizeof(float)));
        await TestNode.Until(() => actor.Log.Any(line => line.Contains("oversized", StringComparison.OrdinalIgnoreCase)), "a line on the oversized message");
        reply = await keeper.Ask<ParametersChunk>(Chunk(4), TimeSpan.FromSeconds(10));
        Assert.Equal(4, reply.Values.Length);
    }

    [Fact]
    public async Task A_message_without_a_codec_does_not_leave_its_process()
    {
        await using var learner = new TestNode(["learner"]);
        await using var actor = await Joined(learner);
        (await actor.Find(learner)).Tell(new Uri("http://localhost"));
        await TestNode.Until(() => actor.Log.Any(line => line.Contains("Serialization failed", StringComparison.Ordinal)), "a line on the refused message");
        Assert.Empty(learner.Received);
    }

    [Fact]
    public async Task A_node_whose_connection_breaks_is_removed_within_seconds_and_another_takes_its_port()
    {
        await using var learner = new TestNode(["learner"]);
        var lost = await Joined(learner);
        learner.Keeper.Tell(await learner.Find(lost));
        var port = lost.Cluster.SelfAddress.Port!.Value;
        var begun = Stopwatch.GetTimestamp();
        await lost.DisposeAsync();
        await TestNode.Until(() => learner.Received.Any(message => message is Terminated), "the death of the lost node's actor");
        await TestNode.Until(() => learner.Cluster.State.Members.Count == 1, "the removal of the lost node");
        var took = Stopwatch.GetElapsedTime(begun);
        Assert.True(took < TimeSpan.FromSeconds(4), $"it took {took}");
        TestContext.Current.TestOutputHelper?.WriteLine($"removed after {took.TotalMilliseconds:0} ms");

        begun = Stopwatch.GetTimestamp();
        await using var replacement = await Joined(learner, port);
        TestContext.Current.TestOutputHelper?.WriteLine($"replaced after {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:0} ms");
    }

    [Fact]
    public async Task A_node_that_ends_leaves_first_and_is_not_taken_for_lost()
    {
        await using var learner = new TestNode(["learner"]);
        await using var actor = await Joined(learner);
        await actor.System.Terminate();
        await TestNode.Until(() => learner.Cluster.State.Members.Count == 1, "the removal of the node that left");
        Assert.DoesNotContain(learner.Log, line => line.Contains("Lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_of_another_cluster_cannot_join_and_both_are_named()
    {
        await using var learner = new TestNode(["learner"]);
        await learner.Cluster.JoinAsync(learner.Cluster.SelfAddress);
        await using var stranger = new TestNode(["actor"], "other");
        stranger.Cluster.JoinSeedNodes([learner.Cluster.SelfAddress]);
        await TestNode.Until(
            () => learner.Log.Any(line => line.Contains("'other:", StringComparison.Ordinal) && line.Contains("'test:", StringComparison.Ordinal)),
            "a line that names both");
        Assert.Equal((1, 0), (learner.Cluster.State.Members.Count, stranger.Members));
    }

    [Fact]
    public void A_secret_is_refused_with_the_reason()
    {
        var error = Assert.Throws<ConfigException>(() => EngineHost.Create(Logger.None, TestNode.Endpoint with { Secret = new byte[32] }));
        Assert.Contains("no shared secret", error.Message);
    }

    private static ParametersChunk Chunk(int count) =>
        new(new ParameterVersion(1, 2), count, 0, Enumerable.Range(0, count).Select(i => (float)i).ToArray());

    private static async Task<TestNode> Joined(TestNode seed, int port = 0)
    {
        if (seed.Members == 0) await seed.Cluster.JoinAsync(seed.Cluster.SelfAddress);
        var node = new TestNode(["actor"], port: port);
        node.Cluster.JoinSeedNodes([seed.Cluster.SelfAddress]);
        await TestNode.Until(() => node.Members == 2 && seed.Members == 2, "both nodes up");
        return node;
    }
}
