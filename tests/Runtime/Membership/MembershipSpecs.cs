using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using static Akka.Cluster.ClusterEvent;
using static Rl.Distributed.Runtime.Tests.Membership.ClusterWorld;

namespace Rl.Distributed.Runtime.Tests.Membership;

/// <summary>Coming and going while all is well, and the API.</summary>
public sealed class MembershipSpecs
{
    [Fact]
    public void A_first_seed_alone_founds_a_cluster()
    {
        using var world = new ClusterWorld(1);
        var node = world.Start(1, "learner");
        Assert.False(node.Cluster.IsUp);
        Assert.Equal(MemberStatus.Removed, node.Cluster.SelfMember.Status);
        world.AssertWithin(1600, () => node.Cluster.IsUp);
        Assert.Equal(node.Address, node.Cluster.State.Leader);
        Assert.Equal(node.Address, node.Cluster.State.RoleLeader("learner"));
        Assert.True(node.Cluster.SelfMember.HasRole("learner"));
        Assert.IsType<CurrentClusterState>(node.Events[0]);
        Assert.IsType<MemberJoined>(node.Events[1]);
        Assert.IsType<MemberUp>(node.Events[2]);
    }

    [Fact]
    public void To_join_oneself_founds_at_once()
    {
        using var world = new ClusterWorld(1);
        var node = world.Add(1);
        node.Start(join: false);
        var up = 0;
        node.Cluster.RegisterOnMemberUp(() => up++);
        node.Cluster.Join(node.Cluster.SelfAddress);
        world.Advance(1);
        Assert.Equal(1, up);
        node.Cluster.RegisterOnMemberUp(() => up++);
        Assert.Equal(2, up);
    }

    [Theory, InlineData(1), InlineData(2)]
    public void Many_nodes_join_in_any_order_also_before_the_seed_is_up(ulong seed)
    {
        using var world = new ClusterWorld(seed);
        var random = new Random((int)seed);
        var nodes = Enumerable.Range(1, 25).Select(port => world.Add(port, port == 7 ? "learner" : "actor")).ToArray();
        random.Shuffle(nodes);
        foreach (var node in nodes)
        {
            node.Start();
            world.Advance(random.Next(200));
        }
        world.AssertWithin(6000, () => AllAgree(nodes));
        world.AssertWithin(1000, () => nodes.All(node => node.Cluster.State.Leader == AddressOf(7)));
        Assert.All(nodes, node => Assert.Equal(1, node.Starts));
        Assert.All(nodes, node => Assert.Equal(AddressOf(7), node.Cluster.State.RoleLeader("learner")));
    }

    [Fact]
    public void A_node_joins_through_any_member_and_within_a_moment()
    {
        using var world = new ClusterWorld(2);
        var nodes = world.StartCluster(2);
        var late = world.Start(9, "actor", 8, 3);
        world.AssertWithin(50, () => AllAgree([.. nodes, late]));
    }

    [Fact]
    public void A_subscriber_gets_a_snapshot_then_events_or_events_alone()
    {
        using var world = new ClusterWorld(3);
        var nodes = world.StartCluster(1);
        var (snapshot, replay, some) = (new List<object>(), new List<object>(), new List<object>());
        nodes[0].Cluster.Subscribe(Recorder(snapshot), typeof(IMemberEvent), typeof(MemberUp));
        nodes[0].Cluster.Subscribe(Recorder(replay), ClusterEvent.InitialStateAsEvents, typeof(IMemberEvent), typeof(LeaderChanged));
        var third = Recorder(some);
        nodes[0].Cluster.Subscribe(third, ClusterEvent.InitialStateAsEvents, typeof(MemberUp));
        nodes[0].Cluster.Subscribe(third, ClusterEvent.InitialStateAsEvents, typeof(MemberJoined));
        nodes[0].Cluster.Unsubscribe(third, typeof(MemberJoined));
        world.Advance(10);
        var late = world.Start(3);
        world.AssertWithin(100, () => AllAgree([.. nodes, late]));
        Assert.Equal(nodes.Select(node => node.Address),
            Assert.IsType<CurrentClusterState>(snapshot[0]).Members.Select(member => member.Address));
        Assert.Equal(["MemberJoined 3", "MemberUp 3"], snapshot.Skip(1).Select(Name));
        Assert.Equal(["MemberUp 1", "MemberUp 2", "LeaderChanged 1", "MemberJoined 3", "MemberUp 3"], replay.Select(Name));
        Assert.Equal(["MemberUp 1", "MemberUp 2", "MemberUp 3"], some.Select(Name));
        nodes[0].Cluster.Unsubscribe(third);
        nodes[0].Cluster.SendCurrentClusterState(third);
        world.Start(4);
        world.Advance(500);
        Assert.IsType<CurrentClusterState>(some[^1]);

        IActorRef Recorder(List<object> into) => nodes[0].System.ActorOf(Act.Of(act => act.OnAny(into.Add)));

        static string Name(object told) => told switch
        {
            IMemberEvent member => $"{told.GetType().Name} {member.Member.Address.Port}",
            LeaderChanged leader => $"LeaderChanged {leader.Leader.Port}",
            _ => told.ToString(),
        };
    }

    [Fact]
    public void Subscriptions_are_for_events_of_the_cluster()
    {
        using var world = new ClusterWorld(3);
        var node = world.Start(1);
        Assert.Throws<ArgumentException>(() => node.Cluster.Subscribe(ActorRefs.Nobody));
        Assert.Throws<ArgumentException>(() => node.Cluster.Subscribe(ActorRefs.Nobody, typeof(string)));
    }

    [Fact]
    public void A_system_without_remoting_has_no_cluster()
    {
        var system = EmbeddedEngine.Simulate(1).CreateSystem("alone");
        Assert.Throws<ConfigurationException>(() => Cluster.Get(system));
    }

    [Fact]
    public void A_node_that_leaves_is_removed_and_its_system_ends_within_a_moment()
    {
        using var world = new ClusterWorld(4);
        var nodes = world.StartCluster(2);
        nodes[2].Restarts = false;
        var removed = 0;
        nodes[2].Cluster.RegisterOnMemberRemoved(() => removed++);
        var left = nodes[2].Cluster.LeaveAsync();
        var leaver = nodes[2].Cluster;
        Assert.InRange(world.AssertWithin(500, () => left.IsCompleted && AllAgree(nodes[0], nodes[1])), 0, 20);
        Assert.True(leaver.IsTerminated);
        Assert.Equal(1, removed);
        world.AssertWithin(500, () => !nodes[2].IsRunning);
        foreach (var node in nodes)
            Assert.Equal(MemberStatus.Exiting,
                node.Events.OfType<MemberRemoved>().Single(each => each.Member.Address == nodes[2].Address).PreviousStatus);
        Assert.Equal(ClusterShuttingDown.Instance, nodes[2].Events[^2]);
        Assert.False(nodes[0].Saw<UnreachableMember>(nodes[2]));
        leaver.RegisterOnMemberRemoved(() => removed++);
        Assert.Equal(2, removed);
        Assert.True(leaver.LeaveAsync().IsCompleted);
    }

    [Fact]
    public void A_member_can_send_another_away()
    {
        using var world = new ClusterWorld(4);
        var nodes = world.StartCluster(2);
        nodes[1].Restarts = nodes[2].Restarts = false;
        nodes[1].Cluster.Leave(nodes[2].Address);
        world.AssertWithin(100, () => AllAgree(nodes[0], nodes[1]));
        world.AssertWithin(100, () => !nodes[2].IsRunning);
        nodes[1].Cluster.Down(nodes[1].Address);
        world.AssertWithin(100, () => AllAgree(nodes[0]));
        world.AssertWithin(100, () => !nodes[1].IsRunning);
        Assert.Equal(MemberStatus.Down, ((MemberRemoved)nodes[1].Events[^1]).PreviousStatus);
    }

    [Fact]
    public void A_system_that_is_terminated_leaves_on_its_way_out()
    {
        using var world = new ClusterWorld(5);
        var nodes = world.StartCluster(2);
        nodes[1].Restarts = false;
        nodes[1].System.Terminate();
        world.AssertWithin(50, () => AllAgree(nodes[0], nodes[2]));
        Assert.True(nodes[0].Saw<MemberExited>(nodes[1]));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void An_authority_that_leaves_hands_over_first(bool byTermination)
    {
        using var world = new ClusterWorld(6);
        var nodes = world.StartCluster(3);
        nodes[0].Restarts = false;
        if (byTermination) nodes[0].System.Terminate();
        else nodes[0].Cluster.LeaveAsync();
        world.AssertWithin(300, () => AllAgree(nodes[1..]));
        Assert.Contains(nodes[1].Cluster.State.Leader.Port!.Value, new[] { 2, 3, 4 });
        Assert.True(nodes[2].Saw<MemberExited>(nodes[0]));
        world.Advance(10_000);
        Assert.True(AllAgree(nodes[1..]));
        Assert.All(nodes, node => Assert.Equal(1, node.Starts));
        nodes[0].Restarts = true;
        nodes[0].Start(); // finds the others, which call the absent seed; takes the authority back
        world.AssertWithin(2500, () => AllAgree(nodes) && nodes.All(node => node.Cluster.State.Leader == nodes[0].Address));
        Assert.All(nodes[1..], node => Assert.Equal(1, node.Starts));
    }

    [Fact]
    public void A_lone_authority_just_ends()
    {
        using var world = new ClusterWorld(7);
        var node = world.StartCluster(0)[0];
        node.Restarts = false;
        var left = node.Cluster.LeaveAsync();
        world.AssertWithin(50, () => left.IsCompleted && !node.IsRunning);
    }

    [Fact]
    public void Who_left_does_not_join_again()
    {
        using var world = new ClusterWorld(8);
        var nodes = world.StartCluster(1);
        nodes[1].Restarts = false;
        var cluster = nodes[1].Cluster;
        nodes[1].Cluster.LeaveAsync().ContinueWith(_ => cluster.Join(AddressOf(1)), TaskContinuationOptions.ExecuteSynchronously);
        world.Advance(5000);
        Assert.True(AllAgree(nodes[0]));
        Assert.False(nodes[1].IsRunning);
        Assert.Contains(nodes[1].Log, entry => entry.ToString().Contains("does not join again", StringComparison.Ordinal));
    }

    [Fact]
    public void Authority_passes_to_a_learner_that_joins_a_cluster_founded_by_another()
    {
        using var world = new ClusterWorld(9);
        var nodes = world.StartCluster(2, firstRole: "actor");
        Assert.All(nodes, node => Assert.Equal(AddressOf(1), node.Cluster.State.Leader));
        var learner = world.Start(5, "learner");
        world.AssertWithin(300, () => AllAgree([.. nodes, learner]) && nodes.All(node => node.Cluster.State.Leader == learner.Address));
        Assert.Equal(learner.Address, nodes[1].Events.OfType<LeaderChanged>().Last().Leader);
        var second = world.Start(6, "learner");
        world.AssertWithin(300, () => AllAgree([.. nodes, learner, second]));
        world.Advance(2000);
        Assert.All(world.Nodes, node => Assert.Equal(learner.Address, node.Cluster.State.Leader));
    }
}
