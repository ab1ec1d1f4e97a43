using Akka.Actor;
using Akka.Cluster;

namespace Rl.Distributed.Runtime.Tests.Membership;

/// <summary>The same over TCP and in real time, once round.</summary>
public sealed class TcpMembershipSpecs
{
    [Fact]
    public void Nodes_join_end_come_back_on_their_port_and_leave_over_tcp()
    {
        using var at = RemoteHarness.StartRemote("tcp");
        var seed = at.NewSystem("node");
        Cluster.Get(seed).Join(Cluster.Get(seed).SelfAddress);
        var (one, two) = (Join("node"), Join("node"));
        Assert.True(at.Eventually(() => Agree(seed, one, two)), "they do not agree");
        var port = Cluster.Get(two).SelfAddress.Port!.Value;
        two.Terminate();
        Assert.True(at.Eventually(() => Agree(seed, one) && two.WhenTerminated.IsCompleted), "the node that ended is not removed");
        var again = Join("node", port);
        Assert.True(at.Eventually(() => Agree(seed, one, again)), "its replacement is not up");
        Assert.True(at.Eventually(() => Cluster.Get(one).LeaveAsync().IsCompleted), "it cannot leave");
        Assert.True(at.Eventually(() => Agree(seed, again) && one.WhenTerminated.IsCompleted), "it has not left");

        ActorSystem Join(string name, int onPort = 0)
        {
            var system = at.NewSystem(name, onPort);
            Cluster.Get(system).JoinSeedNodes([RemoteHarness.AddressOf(seed)]);
            return system;
        }
    }

    private static bool Agree(params ActorSystem[] systems)
    {
        var all = systems.Select(system => Cluster.Get(system).SelfUniqueAddress).ToHashSet();
        return systems.All(system => Cluster.Get(system).State is { Unreachable.IsEmpty: true } state
            && all.SetEquals(state.Members.Select(member => member.UniqueAddress)));
    }
}
