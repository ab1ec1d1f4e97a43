using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Akka.Remote;
using Rl.Distributed.Node.Clustering;
using static Akka.Cluster.ClusterEvent;

namespace Rl.Distributed.Node.Engines;

/// <summary>
/// Is responsible for a lost node's leaving the cluster soon: a peer whose connection broke and did not come back within the
/// grace, or that fell silent, is downed. Only the oldest learner does that, so that a split has one winner. And for the end of a system that
/// was given up.
/// </summary>
internal sealed class NodeLoss : ReceiveActor, IWithTimers
{
    // A connection may break without its node: it has this long to come back.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(300);

    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);

    public NodeLoss()
    {
        Receive<DisassociatedEvent>(message => Timers.StartSingleTimer(message.RemoteAddress, new Lost(message.RemoteAddress), Grace));
        Receive<AssociatedEvent>(message => Timers.Cancel(message.RemoteAddress));
        Receive<Lost>(message => Down(message.Address));
        Receive<UnreachableMember>(message => Down(message.Member.Address));
        Receive<ThisActorSystemQuarantinedEvent>(message => Leave(message.RemoteAddress));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(DisassociatedEvent));
        Context.System.EventStream.Subscribe(Self, typeof(AssociatedEvent));
        Context.System.EventStream.Subscribe(Self, typeof(ThisActorSystemQuarantinedEvent));
        _cluster.Subscribe(Self, SubscriptionInitialStateMode.InitialStateAsEvents, typeof(UnreachableMember));
    }

    // A member that is down is removed once it is known to be dead too: the quarantine says so, and keeps it from coming back.
    private void Down(Address address)
    {
        var members = _cluster.State.Members;
        var lost = members.FirstOrDefault(member => member.Address == address);
        if (lost is null or { Status: MemberStatus.Down } || !Decides(members)) return;
        Context.GetLogger().Warning("Lost {0}", address);
        _cluster.Down(address);
        ((IRemoteActorRefProvider)((ExtendedActorSystem)Context.System).Provider).Quarantine(address, lost.UniqueAddress.Uid);
    }

    // A node that was frozen does not know that it was given up; the learner's node refuses it for good. Its host starts a new system.
    private void Leave(Address by)
    {
        if (!_cluster.State.Members.Any(member => member.Address == by && member.HasRole(NodeRoles.Learner))) return;
        Context.GetLogger().Warning("{0} gave this node up", by);
        Context.System.Terminate();
    }

    private bool Decides(IEnumerable<Member> members)
    {
        var oldest = members.Where(member => member.HasRole(NodeRoles.Learner)).Aggregate(
            (Member?)null, (oldest, member) => oldest is null || member.IsOlderThan(oldest) ? member : oldest);
        return oldest?.UniqueAddress.Equals(_cluster.SelfUniqueAddress) ?? false;
    }

    private sealed record Lost(Address Address);
}
