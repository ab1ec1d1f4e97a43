using Rl.Distributed.Runtime.Engine;

namespace Akka.Actor;

/// <summary>Something that messages can be told to.</summary>
public interface ICanTell
{
    void Tell(object message, IActorRef sender);
}

/// <summary>The handle of an actor. Messages of one sender to one receiver arrive in order, each at most once.</summary>
public interface IActorRef : ICanTell, IComparable, IComparable<IActorRef>, IEquatable<IActorRef>
{
    ActorPath Path { get; }
}

/// <summary>Telling without naming the sender.</summary>
public static class ActorRefImplicitSenderExtensions
{
    /// <summary>Within a handler the sender is the actor itself; elsewhere there is none.</summary>
    public static void Tell(this IActorRef receiver, object message) => receiver.Tell(message, ActorCell.Current?.SelfRef);

    /// <summary>Passes a message on with the sender of the message being handled.</summary>
    public static void Forward(this IActorRef receiver, object message) => receiver.Tell(message, ActorCell.Active.Sender);
}

/// <summary>References that stand for no actor.</summary>
public static class ActorRefs
{
    /// <summary>null: nobody is to answer.</summary>
    public static readonly IActorRef NoSender = null;

    public static readonly Nobody Nobody = Nobody.Instance;
}
