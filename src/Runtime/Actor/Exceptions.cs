namespace Akka.Actor
{
    /// <summary>The base of the engine's exceptions.</summary>
    public abstract class AkkaException : Exception
    {
        protected AkkaException()
        {
        }

        protected AkkaException(string message, Exception cause = null)
            : base(message, cause)
        {
        }
    }

    /// <summary>No answer came in time.</summary>
    public class AskTimeoutException : AkkaException
    {
        public AskTimeoutException(string message)
            : base(message)
        {
        }
    }

    /// <summary>A watched actor stopped and its watcher does not handle <see cref="Terminated"/>.</summary>
    public class DeathPactException : AkkaException
    {
        public DeathPactException(IActorRef deadActor)
            : base($"Monitored actor [{deadActor}] terminated") => DeadActor = deadActor;

        public IActorRef DeadActor { get; }
    }

    /// <summary>The constructor or PreStart failed.</summary>
    public class ActorInitializationException : AkkaException
    {
        public ActorInitializationException(string message)
            : base(message)
        {
        }

        public ActorInitializationException(string message, Exception cause)
            : base(message, cause)
        {
        }

        public ActorInitializationException(IActorRef actor, string message, Exception cause = null)
            : base(message, cause) => Actor = actor;

        public IActorRef Actor { get; set; }
    }

    /// <summary>The actor received <see cref="Kill"/>.</summary>
    public class ActorKilledException : AkkaException
    {
        public ActorKilledException(string message)
            : base(message)
        {
        }
    }

    /// <summary>The name is taken or not allowed.</summary>
    public class InvalidActorNameException : AkkaException
    {
        public InvalidActorNameException(string message)
            : base(message)
        {
        }
    }

    /// <summary>A selection leads to no actor.</summary>
    public class ActorNotFoundException : AkkaException
    {
        public ActorNotFoundException(string message, Exception innerException = null)
            : base(message, innerException)
        {
        }
    }

    /// <summary>null was told.</summary>
    public class InvalidMessageException : AkkaException
    {
        public InvalidMessageException(string message)
            : base(message)
        {
        }
    }

    /// <summary>What was asked of the actor does not fit its state.</summary>
    public class IllegalActorStateException : AkkaException
    {
        public IllegalActorStateException(string message)
            : base(message)
        {
        }
    }
}

namespace Akka.Configuration
{
    /// <summary>Something is named that is not configured.</summary>
    public class ConfigurationException : Akka.Actor.AkkaException
    {
        public ConfigurationException(string message)
            : base(message)
        {
        }

        public ConfigurationException(string message, Exception exception)
            : base(message, exception)
        {
        }
    }
}
