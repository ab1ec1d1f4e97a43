using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Rl.Distributed.Runtime.Engine;
using Rl.Distributed.Runtime.Membership;

namespace Akka.Cluster;

/// <summary>A system's part in a cluster. docs/membership.md says how it works.</summary>
/// <remarks>Thread-safe; nothing blocks. What is asked for happens a little later; events tell.</remarks>
public class Cluster
{
    /// <summary>Subscribers may hear of the end before their system ends.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(10);

    private readonly EmbeddedSystem _system;
    private readonly IActorRef _actor;
    private readonly TaskCompletionSource _left;
    private volatile ClusterEvent.CurrentClusterState _state = new();
    private volatile Member _selfMember;
    private volatile bool _isTerminated;

    internal Cluster(EmbeddedSystem system)
    {
        var options = MembershipOptions.Of(system.Hub.Options);
        (_system, _left) = (system, new TaskCompletionSource(system.TaskOptions));
        (SelfUniqueAddress, SelfRoles) = (new UniqueAddress(system.Hub.Address, system.Hub.Transport.Uid), options.Roles);
        _selfMember = new Member(SelfUniqueAddress, int.MaxValue, MemberStatus.Removed, SelfRoles);
        var service = Membership = new MembershipService(this, system, options);
        _actor = system.SystemActorOf(Props.Create(() => new MembershipActor(service)), "cluster");
        service.Begin(_actor);
    }

    public Address SelfAddress => SelfUniqueAddress.Address;

    public UniqueAddress SelfUniqueAddress { get; }

    public ImmutableHashSet<string> SelfRoles { get; }

    /// <summary>Removed before it has joined, and when it has ended.</summary>
    public Member SelfMember => _selfMember;

    /// <summary>As this node sees it now; empty unless it is a member.</summary>
    public ClusterEvent.CurrentClusterState State => _state;

    public bool IsUp => SelfMember.Status is MemberStatus.Up or MemberStatus.WeaklyUp;

    /// <summary>It has left, was removed or is ending. A system never joins a second time: start a new one.</summary>
    public bool IsTerminated => _isTerminated;

    /// <exception cref="ConfigurationException">The system cannot be reached by others.</exception>
    public static Cluster Get(ActorSystem system) => ((EmbeddedSystem)system).Cluster ?? throw new ConfigurationException(
        $"ActorSystem {system.Name} has no cluster: it was started without Options.Remote.");

    /// <summary>As the other overload, with a snapshot first.</summary>
    public void Subscribe(IActorRef subscriber, params Type[] to) => Subscribe(subscriber, ClusterEvent.InitialStateAsSnapshot, to);

    /// <summary>From now on the subscriber is told events of these types, each once. It ends with the subscriber.</summary>
    /// <exception cref="ArgumentException">No type, or one that is no <see cref="ClusterEvent.IClusterDomainEvent"/>.</exception>
    public void Subscribe(IActorRef subscriber, ClusterEvent.SubscriptionInitialStateMode initialStateMode, params Type[] to)
    {
        if (to.Length == 0) throw new ArgumentException("At least one IClusterDomainEvent class is required", nameof(to));
        if (Array.Find(to, type => !typeof(ClusterEvent.IClusterDomainEvent).IsAssignableFrom(type)) is { } wrong)
            throw new ArgumentException($"Subscribe to IClusterDomainEvent or subclasses, was [{wrong.Name}]", nameof(to));
        _actor.Tell(new MembershipCommand.Subscribe(subscriber, initialStateMode, [.. to]));
    }

    public void Unsubscribe(IActorRef subscriber) => Unsubscribe(subscriber, null);

    public void Unsubscribe(IActorRef subscriber, Type to) => _actor.Tell(new MembershipCommand.Unsubscribe(subscriber, to));

    public void SendCurrentClusterState(IActorRef receiver) => _actor.Tell(new MembershipCommand.SendState(receiver));

    /// <summary>Joins the cluster of the node there; founds one if that is this node.</summary>
    public void Join(Address address) => _actor.Tell(new MembershipCommand.Join(WithHost(address)));

    /// <summary>Joins the cluster that any of the seeds is in. If the first is this node and there is none, it founds one.</summary>
    public void JoinSeedNodes(IEnumerable<Address> seedNodes) =>
        _actor.Tell(new MembershipCommand.JoinSeeds([.. seedNodes.Select(WithHost)]));

    /// <summary>The node leaves in good order; its system then terminates.</summary>
    public void Leave(Address address) => _actor.Tell(new MembershipCommand.Leave(WithHost(address)));

    /// <summary>This node leaves.</summary>
    /// <returns>Ends when it is removed.</returns>
    public Task LeaveAsync()
    {
        Leave(SelfAddress);
        return _left.Task;
    }

    /// <param name="cancellationToken">Ends the waiting, not the leaving.</param>
    public Task LeaveAsync(CancellationToken cancellationToken) => LeaveAsync().WaitAsync(cancellationToken);

    /// <summary>The node is thrown out; its system terminates as soon as it hears of it.</summary>
    public void Down(Address address) => _actor.Tell(new MembershipCommand.Down(WithHost(address)));

    /// <summary>Runs the callback when this node is up, or now if it is.</summary>
    public void RegisterOnMemberUp(Action callback)
    {
        if (IsUp) callback();
        else _actor.Tell(new MembershipCommand.OnUp(callback));
    }

    /// <summary>Runs the callback when this node is removed, or now if it is.</summary>
    public void RegisterOnMemberRemoved(Action callback)
    {
        if (IsTerminated) callback();
        else _actor.Tell(new MembershipCommand.OnRemoved(callback));
    }

    /// <summary>The path under which others know an actor of this system.</summary>
    public ActorPath RemotePathOf(IActorRef actorRef)
    {
        if (actorRef.Path.Address.HasGlobalScope) return actorRef.Path;
        ActorPath path = new RootActorPath(SelfAddress);
        var elements = actorRef.Path.Elements;
        for (var i = 0; i < elements.Count; i++)
            path = new ChildActorPath(path, elements[i], i == elements.Count - 1 ? actorRef.Path.Uid : 0);
        return path;
    }

    internal MembershipService Membership { get; }

    /// <summary>Called by the membership actor only.</summary>
    internal void Show(ClusterEvent.CurrentClusterState state, Member selfMember) => (_state, _selfMember) = (state, selfMember);

    /// <summary>Called by the membership actor only, when all that belongs to the end has been done.</summary>
    internal void End()
    {
        var cell = ActorCell.Current;
        ActorCell.Current = null; // what awaits the task runs in no actor
        _left.TrySetResult();
        ActorCell.Current = cell;
        _system.Timers.Start(LastWords, TimeSpan.Zero, _system.Scheduler, () => _system.Terminate());
    }

    internal void BeginToEnd() => _isTerminated = true;

    private Address WithHost(Address address) => address.HasLocalScope && address.System == SelfAddress.System ? SelfAddress : address;
}
