namespace Akka.Actor;

/// <summary>Handles a message; false if it was none of its messages.</summary>
public delegate bool Receive(object message);

/// <summary>Handles every message.</summary>
public delegate void UntypedReceive(object message);

/// <summary>Something below which actors are made.</summary>
public interface IActorRefFactory
{
    /// <summary>Makes a child. Its constructor runs later, on its own dispatcher.</summary>
    /// <param name="props">How to make it, at every restart too.</param>
    /// <param name="name">Unique among the living children; null for a made-up one.</param>
    /// <exception cref="InvalidActorNameException">The name is taken or not valid.</exception>
    /// <exception cref="Akka.Configuration.ConfigurationException">The props name an unknown dispatcher.</exception>
    IActorRef ActorOf(Props props, string name = null);

    ActorSelection ActorSelection(ActorPath actorPath);

    ActorSelection ActorSelection(string actorPath);
}

public static class ActorRefFactoryExtensions
{
    /// <summary>Makes a child of a type that has a constructor without parameters.</summary>
    public static IActorRef ActorOf<TActor>(this IActorRefFactory factory, string name = null)
        where TActor : ActorBase, new() => factory.ActorOf(Props.Create<TActor>(), name);
}

/// <summary>Watching the death of other actors.</summary>
public interface ICanWatch
{
    /// <summary>Asks for one <see cref="Terminated"/> when the subject has stopped, at once if it already has.</summary>
    IActorRef Watch(IActorRef subject);

    /// <summary>As <see cref="Watch"/>, with a message in place of <see cref="Terminated"/>.</summary>
    IActorRef WatchWith(IActorRef subject, object message);

    /// <summary>No more of that, not even for a death that is already reported but not handled.</summary>
    IActorRef Unwatch(IActorRef subject);
}

/// <summary>An actor's view of its surroundings. Valid only within a handler of that actor.</summary>
public interface IActorContext : IActorRefFactory, ICanWatch
{
    IActorRef Self { get; }

    Props Props { get; }

    /// <summary>Who told the message being handled; the dead letters if nobody said.</summary>
    IActorRef Sender { get; }

    ActorSystem System { get; }

    IActorRef Parent { get; }

    TimeSpan? ReceiveTimeout { get; }

    /// <summary>The living child of that name, or <see cref="Nobody"/>.</summary>
    IActorRef Child(string name);

    IEnumerable<IActorRef> GetChildren();

    /// <summary>Replaces the behaviour.</summary>
    void Become(Receive receive);

    /// <summary>Puts a behaviour on top of the present one.</summary>
    void BecomeStacked(Receive receive);

    /// <summary>Goes back to the behaviour below.</summary>
    void UnbecomeStacked();

    /// <summary>Stops an actor after its present message; the rest goes to the dead letters.</summary>
    void Stop(IActorRef child);

    /// <summary>Sends <see cref="Actor.ReceiveTimeout"/> whenever no message came for so long; null switches it off.</summary>
    void SetReceiveTimeout(TimeSpan? timeout);
}

public interface IUntypedActorContext : IActorContext, IActorRefFactory, ICanWatch
{
    void Become(UntypedReceive receive);

    void BecomeStacked(UntypedReceive receive);
}
