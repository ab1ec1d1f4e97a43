namespace Akka.Actor;

/// <summary>A message that the engine itself knows how to treat.</summary>
public interface IAutoReceivedMessage;

/// <summary>A message that does not put off <see cref="ReceiveTimeout"/>.</summary>
public interface INotInfluenceReceiveTimeout;

/// <summary>A message that should not come from outside.</summary>
public interface IPossiblyHarmful;

/// <summary>To a watcher: the actor has stopped.</summary>
public sealed class Terminated : IAutoReceivedMessage, Akka.Event.IDeadLetterSuppression, IEquatable<Terminated>, IPossiblyHarmful
{
    public Terminated(IActorRef actorRef, bool existenceConfirmed, bool addressTerminated)
    {
        (ActorRef, ExistenceConfirmed, AddressTerminated) = (actorRef, existenceConfirmed, addressTerminated);
    }

    public IActorRef ActorRef { get; }

    /// <summary>False if it may never have been there.</summary>
    public bool ExistenceConfirmed { get; }

    /// <summary>Its whole node is gone.</summary>
    public bool AddressTerminated { get; }

    public bool Equals(Terminated other) => other is not null && Equals(ActorRef, other.ActorRef)
        && ExistenceConfirmed == other.ExistenceConfirmed && AddressTerminated == other.AddressTerminated;

    public override bool Equals(object obj) => Equals(obj as Terminated);

    public override int GetHashCode() => ActorRef?.GetHashCode() ?? 0;

    public override string ToString() => $"<Terminated>: {ActorRef} - ExistenceConfirmed={ExistenceConfirmed}";
}

/// <summary>Stops its receiver once all earlier messages are handled.</summary>
public sealed class PoisonPill : IAutoReceivedMessage, Akka.Event.IDeadLetterSuppression, IPossiblyHarmful
{
    private PoisonPill()
    {
    }

    public static PoisonPill Instance { get; } = new();
}

/// <summary>Makes its receiver fail with <see cref="ActorKilledException"/>.</summary>
public sealed class Kill : IAutoReceivedMessage
{
    private Kill()
    {
    }

    public static Kill Instance { get; } = new();
}

/// <summary>Every actor answers it with <see cref="ActorIdentity"/>.</summary>
public sealed class Identify : IAutoReceivedMessage, INotInfluenceReceiveTimeout
{
    public Identify(object messageId) => MessageId = messageId;

    public object MessageId { get; }
}

/// <summary>The answer to <see cref="Identify"/>.</summary>
public sealed class ActorIdentity
{
    public ActorIdentity(object messageId, IActorRef subject) => (MessageId, Subject) = (messageId, subject);

    public object MessageId { get; }

    /// <summary>The actor, or null if there is none.</summary>
    public IActorRef Subject { get; }
}

/// <summary>No message came for as long as <see cref="IActorContext.SetReceiveTimeout"/> said.</summary>
public class ReceiveTimeout : IPossiblyHarmful
{
    private ReceiveTimeout()
    {
    }

    public static ReceiveTimeout Instance { get; } = new();
}

/// <summary>How something that was asked for went.</summary>
public abstract class Status
{
    protected Status()
    {
    }

    public sealed class Success : Status
    {
        public static readonly Success Instance = new(null);

        public readonly object Status;

        public Success(object status) => Status = status;
    }

    public sealed class Failure : Status
    {
        public readonly Exception Cause;

        public readonly object State;

        public Failure(Exception cause) => Cause = cause;

        public Failure(Exception cause, object state) => (Cause, State) = (cause, state);

        public override string ToString() => $"Failure: {Cause}";
    }
}

/// <summary>A message and who told it.</summary>
public readonly struct Envelope
{
    public Envelope(object message, IActorRef sender) => (Message, Sender) = (message, sender);

    public object Message { get; }

    public IActorRef Sender { get; }
}
