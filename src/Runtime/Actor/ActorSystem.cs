using Akka.Event;

namespace Akka.Actor;

/// <summary>The actors of one node and what they share. The engine's start-up class makes it.</summary>
public abstract class ActorSystem : IActorRefFactory, IDisposable
{
    private protected ActorSystem()
    {
    }

    public abstract string Name { get; }

    public abstract IScheduler Scheduler { get; }

    /// <summary>Where log events, dead letters and unhandled messages are published.</summary>
    public abstract EventStream EventStream { get; }

    public abstract IActorRef DeadLetters { get; }

    public abstract ILoggingAdapter Log { get; }

    /// <summary>Ends once <see cref="Terminate"/> has stopped all actors.</summary>
    public abstract Task WhenTerminated { get; }

    public TimeSpan Uptime => Scheduler.MonotonicClock - StartTime;

    /// <summary>On the scheduler's monotonic clock.</summary>
    public TimeSpan StartTime { get; private protected set; }

    /// <summary>Makes an actor below /user. Any thread may call it.</summary>
    public abstract IActorRef ActorOf(Props props, string name = null);

    public abstract ActorSelection ActorSelection(ActorPath actorPath);

    public abstract ActorSelection ActorSelection(string actorPath);

    public abstract void Stop(IActorRef actor);

    /// <summary>Code for the end, when all actors have stopped; the last registered runs first.</summary>
    public abstract void RegisterOnTermination(Action code);

    /// <summary>Stops all actors, children before parents. May be called again.</summary>
    public abstract Task Terminate();

    /// <summary>Begins to <see cref="Terminate"/>.</summary>
    public void Dispose()
    {
        Terminate();
        GC.SuppressFinalize(this);
    }
}
