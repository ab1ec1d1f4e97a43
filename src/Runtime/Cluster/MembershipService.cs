using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Rl.Distributed.Runtime.Engine;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>Between a <see cref="Participant"/> and its system: the hub below, <see cref="Cluster"/> and its subscribers above.</summary>
/// <remarks>Of the membership actor alone, except what the hub calls.</remarks>
internal sealed class MembershipService : IOutside, IPeerObserver
{
    /// <summary>Where membership is found on every node.</summary>
    private const string Path = "/system/cluster";

    private readonly Cluster _cluster;
    private readonly EmbeddedSystem _system;
    private readonly Participant _participant;
    private readonly Subscribers _subscribers;
    private readonly EngineLog _log;
    private readonly List<Action> _onUp = [];
    private readonly List<Action> _onRemoved = [];
    private IActorRef _actor;
    private volatile View _view;

    public MembershipService(Cluster cluster, EmbeddedSystem system, MembershipOptions options)
    {
        (_cluster, _system) = (cluster, system);
        _log = new EngineLog(system, cluster.SelfAddress.ToString(), typeof(Cluster), null);
        _subscribers = new Subscribers();
        _participant = new Participant(cluster.SelfUniqueAddress, options, this);
    }

    public long WallClock => _system.Timers.Now.ToUnixTimeMilliseconds();

    /// <summary>Null unless this node is a member; for any thread.</summary>
    public View View => _view;

    private TimeSpan Now => _system.Timers.Monotonic;

    /// <summary>From now on the hub's reports come in.</summary>
    public void Begin(IActorRef actor)
    {
        _actor = actor;
        _system.Hub.Observer = this;
    }

    public void Do(MembershipCommand command)
    {
        switch (command)
        {
            case MembershipCommand.Tick:
                _participant.Tick(Now);
                return;
            case MembershipCommand.Connected connected:
                _participant.Connected(Now, connected.Peer, connected.Uid);
                return;
            case MembershipCommand.Disconnected disconnected:
                _participant.Disconnected(Now, disconnected.Peer, disconnected.Uid);
                return;
            case MembershipCommand.Join join:
                _participant.JoinTo(Now, join.Address);
                return;
            case MembershipCommand.JoinSeeds join:
                _participant.JoinSeeds(Now, join.Seeds);
                return;
            case MembershipCommand.Leave leave:
                _participant.Leave(Now, leave.Address);
                return;
            case MembershipCommand.Down down:
                _participant.Down(Now, down.Address);
                return;
            case MembershipCommand.SendState send:
                send.Receiver.Tell(_cluster.State, _actor);
                return;
            case MembershipCommand.OnUp up when _cluster.IsUp:
                Run([up.Callback]);
                return;
            case MembershipCommand.OnUp up:
                _onUp.Add(up.Callback);
                return;
            case MembershipCommand.OnRemoved removed when _participant.IsEnded:
                Run([removed.Callback]);
                return;
            case MembershipCommand.OnRemoved removed:
                _onRemoved.Add(removed.Callback);
                return;
        }
    }

    public void Receive(Address from, object message) => _participant.Receive(Now, from, message);

    public void Subscribe(MembershipCommand.Subscribe subscribe)
    {
        if (subscribe.Mode == ClusterEvent.SubscriptionInitialStateMode.InitialStateAsSnapshot)
            subscribe.Subscriber.Tell(_cluster.State, _actor);
        else
            Subscribers.Tell(subscribe.Subscriber, subscribe.To, ViewEvents.Replay(_view), _actor);
        _subscribers.Add(subscribe.Subscriber, subscribe.To);
    }

    /// <param name="subscriber">Who does not want to hear more.</param>
    /// <param name="to">Of this type; null: of anything.</param>
    /// <returns>Whether it still hears something.</returns>
    public bool Unsubscribe(IActorRef subscriber, Type to) => _subscribers.Remove(subscriber, to);

    public void Stop() => _participant.Stop(Now);

    public void Send(Address peer, object message) =>
        _system.Hub.Transport.Send(peer, new Outbound(Path, Path, message, IsSystem: true));

    public void Keep(Address peer) => _system.Hub.Keep(peer);

    public void Release(Address peer) => _system.Hub.Release(peer);

    public void Gone(UniqueAddress node) => _system.Hub.AddressTerminated(node.Address, node.Uid);

    public void Changed(View before, View after)
    {
        _view = after;
        var self = after.Find(_participant.Self);
        _cluster.Show(ViewEvents.ToState(after), self);
        _subscribers.Publish(ViewEvents.Between(before, after), _actor);
        if (self.Status == MemberStatus.Up) RunOnce(_onUp);
    }

    public void Ended(View last, MemberStatus goneAs)
    {
        _view = null;
        Log(LogLevel.InfoLevel, goneAs == MemberStatus.Down ? "This node is removed from its cluster." : "This node has left its cluster.");
        var self = last?.Find(_participant.Self) ?? _cluster.SelfMember;
        _cluster.BeginToEnd();
        _cluster.Show(new ClusterEvent.CurrentClusterState(), self.With(MemberStatus.Removed));
        _subscribers.Publish(ViewEvents.End(last, _participant.Self, goneAs), _actor);
        RunOnce(_onRemoved);
        _cluster.End();
    }

    public void Log(LogLevel level, string text) => _log.Log(level, null, text);

    void IPeerObserver.Connected(Address peer, int uid) => _actor.Tell(new MembershipCommand.Connected(peer, uid), ActorRefs.NoSender);

    void IPeerObserver.Disconnected(Address peer, int uid, string reason) =>
        _actor.Tell(new MembershipCommand.Disconnected(peer, uid), ActorRefs.NoSender);

    bool IPeerObserver.IsMember(Address peer) => _view?.Find(peer) is not null;

    private void RunOnce(List<Action> callbacks)
    {
        var all = callbacks.ToArray();
        callbacks.Clear();
        Run(all);
    }

    private void Run(IEnumerable<Action> callbacks)
    {
        foreach (var callback in callbacks)
        {
            try
            {
                callback();
            }
            catch (Exception e)
            {
                _log.Log(LogLevel.ErrorLevel, e, "A callback of the cluster failed: " + e.Message);
            }
        }
    }
}
