using Akka.Actor;

namespace Akka.Event;

/// <summary>A message that is not worth a <see cref="DeadLetter"/> when its receiver is gone.</summary>
public interface IDeadLetterSuppression;

/// <summary>A message that nobody handled, with both ends.</summary>
public abstract class AllDeadLetters
{
    protected AllDeadLetters(object message, IActorRef sender, IActorRef recipient)
    {
        (Message, Sender, Recipient) = (message, sender, recipient);
    }

    public object Message { get; }

    public IActorRef Sender { get; }

    public IActorRef Recipient { get; }
}

/// <summary>Published when a message finds no living receiver.</summary>
public sealed class DeadLetter : AllDeadLetters
{
    public DeadLetter(object message, IActorRef sender, IActorRef recipient)
        : base(message, sender, recipient)
    {
    }

    public override string ToString() => $"DeadLetter from {Sender} to {Recipient}: <{Message}>";
}

/// <summary>Published when an actor has no handler for a message.</summary>
public sealed class UnhandledMessage : AllDeadLetters
{
    public UnhandledMessage(object message, IActorRef sender, IActorRef recipient)
        : base(message, sender, recipient)
    {
    }

    public override string ToString() => $"UnhandledMessage from {Sender} to {Recipient}: <{Message}>";
}
