using Akka.Event;
using static Rl.Distributed.Runtime.Tests.Membership.ClusterWorld;

namespace Rl.Distributed.Runtime.Tests.Membership;

/// <summary>A cluster must not become two; where two came about, they must become one.</summary>
public sealed class TwoClustersSpecs
{
    [Theory, InlineData(false), InlineData(true)]
    public void A_restarted_sole_seed_finds_the_cluster_that_lives_on(bool leftBefore)
    {
        using var world = new ClusterWorld(1);
        var seed = world.Start(1);
        var learner = world.Start(2, "learner");
        var other = world.Start(3);
        world.AssertWithin(4000, () => AllAgree(seed, learner, other));
        world.Advance(5000);
        if (leftBefore)
        {
            seed.Restarts = false;
            seed.Cluster.LeaveAsync();
        }
        else
        {
            seed.Crash();
        }
        world.AssertWithin(1000, () => AllAgree(learner, other));
        world.Advance(20_000);
        seed.Start();
        world.AssertWithin(1500, () => AllAgree(seed, learner, other));
        world.Advance(5000);
        Assert.True(AllAgree(seed, learner, other));
        Assert.Equal((1, 1), (learner.Starts, other.Starts));
    }

    [Fact]
    public void A_seed_restarted_at_once_rejoins_too()
    {
        using var world = new ClusterWorld(2);
        var seed = world.Start(1);
        var learner = world.Start(2, "learner");
        world.AssertWithin(4000, () => AllAgree(seed, learner));
        seed.Crash();
        seed.Start();
        world.AssertWithin(1500, () => AllAgree(seed, learner));
        Assert.Equal(learner.Address, seed.Cluster.State.Leader);
        Assert.Equal(1, learner.Starts);
    }

    [Fact]
    public void A_second_cluster_founded_during_a_partition_gives_way_to_the_learners()
    {
        using var world = new ClusterWorld(3);
        var seed = world.Start(1);
        var learner = world.Start(2, "learner");
        var other = world.Start(3);
        world.AssertWithin(4000, () => AllAgree(seed, learner, other));
        world.Partition([seed], [learner, other]);
        world.AssertWithin(12_000, () => seed.Starts == 2 && seed.Cluster.IsUp); // it founded another
        var late = world.Start(4);
        world.AssertWithin(4000, () => AllAgree(seed, late));
        world.Network.Heal();
        world.AssertWithin(6000, () => AllAgree(seed, learner, other, late));
        Assert.Equal((1, 1), (learner.Starts, other.Starts));
    }

    [Fact]
    public void Of_two_clusters_without_a_learner_the_older_stays()
    {
        using var world = new ClusterWorld(4);
        var nodes = world.StartCluster(2, firstRole: "actor");
        nodes[0].Restarts = false;
        nodes[0].Cluster.LeaveAsync();
        world.AssertWithin(500, () => AllAgree(nodes[1..]));
        world.Advance(1000);
        nodes[0].Restarts = true;
        nodes[0].Start(join: false);
        nodes[0].Cluster.Join(nodes[0].Address); // founds without looking
        world.Advance(10);
        Assert.True(AllAgree(nodes[0]) && AllAgree(nodes[1..]));
        world.AssertWithin(4000, () => AllAgree(nodes));
        Assert.Equal(3, nodes[0].Starts);
        Assert.All(nodes[1..], node => Assert.Equal(1, node.Starts));
    }

    [Fact]
    public void Of_two_clusters_with_a_learner_each_neither_is_destroyed_and_both_complain()
    {
        using var world = new ClusterWorld(5);
        var nodes = world.StartCluster(1);
        var second = world.Add(5, "learner", 5, 1);
        second.Start(join: false);
        second.Cluster.Join(second.Address);
        var third = world.Start(6, "actor", 5, 1);
        world.AssertWithin(1000, () => third.Cluster.IsUp);
        world.Advance(25_000);
        Assert.All(world.Nodes, node => Assert.Equal(1, node.Starts));
        foreach (var learner in new[] { nodes[0], second })
        {
            var errors = learner.Log.OfType<Error>().Select(error => error.ToString())
                .Where(text => text.Contains("Neither gives way", StringComparison.Ordinal)).ToArray();
            Assert.InRange(errors.Length, 2, 3);
            Assert.All(errors, text =>
                Assert.True(text.Contains(":1#", StringComparison.Ordinal) && text.Contains(":5#", StringComparison.Ordinal), text));
        }
    }

    [Fact]
    public void Two_seeds_that_start_together_found_one_cluster()
    {
        using var world = new ClusterWorld(6);
        var second = world.Start(2, "actor", 1, 2);
        var first = world.Start(1, "learner", 1, 2);
        world.AssertWithin(3000, () => AllAgree(first, second));
        first.Crash();
        world.Advance(100);
        first.Start();
        world.AssertWithin(3000, () => AllAgree(first, second));
    }
}
