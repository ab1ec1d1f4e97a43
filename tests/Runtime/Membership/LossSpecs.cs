using Akka.Actor;
using Akka.Cluster;
using static Akka.Cluster.ClusterEvent;
using static Rl.Distributed.Runtime.Tests.Membership.ClusterWorld;

namespace Rl.Distributed.Runtime.Tests.Membership;

/// <summary>Crashes and partitions. The learner, at port 1, is the authority.</summary>
public sealed class LossSpecs
{
    [Fact]
    public void A_member_that_crashes_is_unreachable_then_removed_within_a_second()
    {
        using var world = new ClusterWorld(1);
        var nodes = world.StartCluster(3);
        var watched = new List<Terminated>();
        var victim = nodes[3].System.ActorOf(Act.Of(_ => { }), "victim");
        nodes[1].System.ActorSelection(nodes[3].Address + "/user/victim").Tell(new Identify(null), nodes[1].System.ActorOf(Act.Of(act =>
        {
            act.On<ActorIdentity>(found => act.Ctx.Watch(found.Subject));
            act.On<Terminated>(watched.Add);
        })));
        world.Advance(100);
        nodes[3].Crash();
        Assert.InRange(world.AssertWithin(1000, () => AllAgree(nodes[..3])), 500, 800);
        foreach (var node in nodes[..3])
        {
            Assert.True(node.Saw<UnreachableMember>(nodes[3]));
            Assert.Equal(MemberStatus.Down, node.Events.OfType<MemberRemoved>().Single().PreviousStatus);
        }
        world.AssertWithin(100, () => watched.Count == 1);
        Assert.True(watched[0].AddressTerminated);
        Assert.Equal(victim.Path.Uid, watched[0].ActorRef.Path.Uid);
    }

    [Fact]
    public void A_member_that_falls_silent_is_removed_within_five_seconds()
    {
        using var world = new ClusterWorld(2);
        var nodes = world.StartCluster(2);
        nodes[2].Crash(silent: true);
        Assert.InRange(world.AssertWithin(5000, () => AllAgree(nodes[..2])), 3000, 4000);
    }

    [Fact]
    public void A_connection_that_breaks_and_comes_back_changes_nothing()
    {
        using var world = new ClusterWorld(3);
        var nodes = world.StartCluster(2);
        var before = nodes.Select(node => node.Events.Count).ToArray();
        world.Network.Break(nodes[0].System, nodes[1].System);
        world.Advance(5000);
        Assert.Equal(before, nodes.Select(node => node.Events.Count));
        Assert.True(AllAgree(nodes));
    }

    [Fact]
    public void A_partition_that_heals_before_its_silence_is_noticed_changes_nothing()
    {
        using var world = new ClusterWorld(4);
        var nodes = world.StartCluster(2);
        world.Partition([nodes[0], nodes[1]], [nodes[2]]);
        world.Advance(2500);
        world.Network.Heal();
        world.Advance(10_000);
        Assert.True(AllAgree(nodes));
        Assert.All(nodes, node => Assert.Equal(1, node.Starts));
    }

    [Fact]
    public void An_unreachable_member_that_comes_back_in_time_is_reachable_again()
    {
        using var world = new ClusterWorld(5);
        world.Network.MinLatency = world.Network.MaxLatency = TimeSpan.FromMilliseconds(1);
        var nodes = world.StartCluster(2);
        world.Partition([nodes[0], nodes[1]], [nodes[2]]);
        world.AssertWithin(4000, () => nodes[0].Saw<UnreachableMember>(nodes[2]));
        world.Network.Heal();
        world.AssertWithin(1000, () => nodes[0].Saw<ReachableMember>(nodes[2]) && AllAgree(nodes));
        world.AssertWithin(1000, () => nodes[1].Saw<ReachableMember>(nodes[2]));
        Assert.All(nodes, node => Assert.Equal(1, node.Starts));
    }

    [Fact]
    public void Of_a_split_cluster_the_learners_side_stays_however_small_and_the_other_comes_back_anew()
    {
        using var world = new ClusterWorld(6);
        var nodes = world.StartCluster(4);
        var (staying, leaving) = (nodes[..2], nodes[2..]);
        var uids = leaving.Select(node => node.Self).ToArray();
        world.Partition(staying, leaving);
        var decided = world.AssertWithin(5000, () => AllAgree(staying));
        Assert.All(leaving, node => Assert.Equal(1, node.Starts)); // they still wait
        world.AssertWithin(6000 - decided, () => leaving.All(node => node.Starts == 2));
        foreach (var node in leaving)
        {
            var last = (MemberRemoved)node.EventsOf(0)[^1];
            Assert.Equal((node.Address, MemberStatus.Down), (last.Member.Address, last.PreviousStatus));
            Assert.Equal(ClusterShuttingDown.Instance, node.EventsOf(0)[^2]);
        }
        world.Advance(20_000);
        Assert.True(AllAgree(staying));
        Assert.All(leaving, node => Assert.True(node.Starts == 2 && node.Cluster.State.Members.IsEmpty));
        world.Network.Heal();
        world.AssertWithin(3000, () => AllAgree(nodes));
        Assert.Empty(uids.Intersect(leaving.Select(node => node.Self)));
    }

    [Fact]
    public void A_member_that_was_removed_while_apart_is_not_let_in_when_the_partition_heals()
    {
        using var world = new ClusterWorld(7);
        var nodes = world.StartCluster(2);
        var old = nodes[2].Self;
        world.Partition([nodes[0], nodes[1]], [nodes[2]]);
        world.AssertWithin(5000, () => AllAgree(nodes[0], nodes[1]));
        Assert.Equal(1, nodes[2].Starts);
        world.Network.Heal();
        world.AssertWithin(4000, () => AllAgree(nodes));
        Assert.Equal(2, nodes[2].Starts);
        Assert.NotEqual(old, nodes[2].Self);
    }

    [Fact]
    public void A_cut_of_one_direction_ends_in_one_cluster_too()
    {
        foreach (var inward in new[] { true, false })
        {
            using var world = new ClusterWorld(8);
            var nodes = world.StartCluster(2);
            if (inward) world.Network.Cut(nodes[2].System, nodes[0].System);
            else world.Network.Cut(nodes[0].System, nodes[2].System);
            world.AssertWithin(6000, () => AllAgree(nodes[0], nodes[1]));
            world.Network.Heal();
            world.AssertWithin(4000, () => AllAgree(nodes));
        }
    }

    [Theory, InlineData(10), InlineData(5000)]
    public void When_the_authority_crashes_the_others_end_and_find_its_successor_at_the_same_address(double away)
    {
        using var world = new ClusterWorld(9);
        var nodes = world.StartCluster(3);
        nodes[0].Crash();
        world.Advance(away);
        nodes[0].Start();
        world.AssertWithin(3000, () => AllAgree(nodes));
        Assert.All(nodes, node => Assert.Equal(2, node.Starts));
        world.Advance(10_000);
        Assert.True(AllAgree(nodes));
    }

    [Fact]
    public void Without_an_authority_the_others_end_but_not_before_it_would_have_decided()
    {
        using var world = new ClusterWorld(10);
        var nodes = world.StartCluster(2);
        nodes[0].Crash();
        Assert.InRange(world.AssertWithin(3000, () => nodes[1].Starts == 2 && nodes[2].Starts == 2), 2300, 2800);
    }

    [Fact]
    public void A_replacement_on_the_same_port_is_up_within_a_second_and_the_earlier_one_is_gone_at_once()
    {
        using var world = new ClusterWorld(11);
        var nodes = world.StartCluster(2);
        var old = nodes[2].Self;
        nodes[2].Crash();
        nodes[2].Start();
        Assert.InRange(world.AssertWithin(1000, () => AllAgree(nodes)), 0, 300);
        foreach (var node in nodes[..2])
        {
            var changes = node.Events.OfType<IMemberEvent>().Where(each => each.Member.Address == nodes[2].Address).TakeLast(3).ToArray();
            Assert.Equal((old, nodes[2].Self),
                (Assert.IsType<MemberRemoved>(changes[0]).Member.UniqueAddress, changes[2].Member.UniqueAddress));
        }
    }

    [Fact]
    public void A_replacement_after_a_silent_death_is_up_within_a_second()
    {
        using var world = new ClusterWorld(12);
        var nodes = world.StartCluster(2);
        nodes[2].Crash(silent: true);
        world.Advance(500);
        nodes[2].Start();
        world.AssertWithin(1000, () => AllAgree(nodes));
    }

    [Fact]
    public void Lost_messages_delay_but_do_not_divide()
    {
        using var world = new ClusterWorld(13);
        world.Network.DropProbability = 0.3;
        var nodes = Enumerable.Range(1, 8).Select(port => world.Start(port, port == 1 ? "learner" : "actor")).ToArray();
        world.AssertWithin(10_000, () => AllAgree(nodes));
        nodes[3].Crash();
        world.AssertWithin(3000, () => AllAgree([.. nodes[..3], .. nodes[4..]]));
        nodes[3].Start();
        world.AssertWithin(5000, () => AllAgree(nodes));
        Assert.All(nodes.Where(node => node != nodes[3]), node => Assert.Equal(1, node.Starts));
    }
}
