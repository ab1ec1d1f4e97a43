using Akka.Actor;
using Akka.Cluster;
using Rl.Distributed.Node.Training;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Node.Clustering;

/// <summary>Is responsible for a node's room for shards: offers it to each run that the cluster leads, again and again, since between nodes every
/// word may get lost. The shards themselves are the host's, which it starts.</summary>
internal sealed class ShardOffers : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly OfferShards _offer;
    private readonly KnownLeaders _leaders;
    private readonly Action _seedsLost;
    private IActorRef _host = ActorRefs.Nobody;

    /// <param name="slots">How many shards this node has room for.</param>
    /// <param name="seeds">Where this node asks for a cluster.</param>
    /// <param name="seedsLost">Called when neither a seed nor a leading node is left.</param>
    public ShardOffers(int slots, IReadOnlyList<Address> seeds, Action seedsLost)
    {
        (_offer, _leaders, _seedsLost) = (new OfferShards(slots), new KnownLeaders(seeds), seedsLost);
        Receive<ClusterEvent.MemberUp>(message => OnUp(message.Member));
        Receive<ClusterEvent.MemberRemoved>(message => OnRemoved(message.Member));
        Receive<ClusterEvent.IMemberEvent>(_ => { });
        Receive<Tick>(_ => OnTick());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _host = Context.ActorOf(Props.Create(() => new ShardHostActor(RunCoordinator.LearnerDispatcher, _offer.Slots)), "host");
        Cluster.Get(Context.System).Subscribe(Self, ClusterEvent.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent));
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, Interval);
    }

    protected override void PostStop() => Cluster.Get(Context.System).Unsubscribe(Self);

    private void OnUp(Member member)
    {
        if (_leaders.OnUp(member)) Offer(member.Address);
    }

    private void OnRemoved(Member member)
    {
        if (_leaders.OnRemoved(member)) _seedsLost();
    }

    private void OnTick()
    {
        foreach (var leader in _leaders.Addresses) Offer(leader);
    }

    private void Offer(Address leader) => Context.ActorSelection(new RootActorPath(leader) / "user" / RunCoordinator.Name).Tell(_offer, _host);

    private sealed record Tick
    {
        public static readonly Tick Instance = new();
    }
}
