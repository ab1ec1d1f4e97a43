using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>What this system asks of its membership actor.</summary>
internal abstract record MembershipCommand
{
    public sealed record Join(Address Address) : MembershipCommand;

    public sealed record JoinSeeds(ImmutableArray<Address> Seeds) : MembershipCommand;

    public sealed record Leave(Address Address) : MembershipCommand;

    public sealed record Down(Address Address) : MembershipCommand;

    public sealed record Subscribe(
        IActorRef Subscriber, ClusterEvent.SubscriptionInitialStateMode Mode, ImmutableArray<Type> To) : MembershipCommand;

    public sealed record Unsubscribe(IActorRef Subscriber, Type To) : MembershipCommand;

    public sealed record SendState(IActorRef Receiver) : MembershipCommand;

    public sealed record OnUp(Action Callback) : MembershipCommand;

    public sealed record OnRemoved(Action Callback) : MembershipCommand;

    public sealed record Connected(Address Peer, int Uid) : MembershipCommand;

    public sealed record Disconnected(Address Peer, int Uid) : MembershipCommand;

    public sealed record Tick : MembershipCommand
    {
        public static readonly Tick Instance = new();
    }
}

/// <summary>The actor /system/cluster: the one thread of a <see cref="MembershipService"/>, which outlives its restarts.</summary>
internal sealed class MembershipActor(MembershipService service) : UntypedActor, IWithTimers
{
    public ITimerScheduler Timers { get; set; }

    protected override void PreStart() =>
        Timers.StartPeriodicTimer("tick", MembershipCommand.Tick.Instance, MembershipOptions.TickInterval);

    protected override void PreRestart(Exception reason, object message)
    {
    }

    protected override void PostStop() => service.Stop();

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case MembershipCommand.Subscribe subscribe:
                Context.Watch(subscribe.Subscriber);
                service.Subscribe(subscribe);
                return;
            case MembershipCommand.Unsubscribe unsubscribe:
                if (!service.Unsubscribe(unsubscribe.Subscriber, unsubscribe.To)) Context.Unwatch(unsubscribe.Subscriber);
                return;
            case Terminated terminated:
                service.Unsubscribe(terminated.ActorRef, null);
                return;
            case MembershipCommand command:
                service.Do(command);
                return;
            default:
                service.Receive(Sender.Path.Address, message);
                return;
        }
    }
}
