using Akka.Event;
using Rl.Distributed.Runtime.Engine;

namespace Akka.Actor;

/// <summary>An actor: state that only its own messages touch, one after the other.</summary>
public abstract class ActorBase
{
    private Receive _receive;
    private SupervisorStrategy _strategy;

    /// <exception cref="InvalidOperationException">Not made by ActorOf.</exception>
    protected ActorBase()
    {
        if (ActorCell.Current is null)
            throw new InvalidOperationException(
                $"You cannot create an instance of {GetType()} explicitly using the constructor: use ActorOf.");
    }

    /// <exception cref="NotSupportedException">Not within a handler.</exception>
    protected static IActorContext Context => ActorCell.Active;

    protected static Receive EmptyReceive { get; } = _ => false;

    protected IActorRef Self => Context.Self;

    protected IActorRef Sender => Context.Sender;

    internal Receive BaseReceive => _receive ??= Receive;

    /// <summary>That of the props, else the actor's own.</summary>
    internal SupervisorStrategy Strategy
    {
        get => _strategy ??= SupervisorStrategy();
        set => _strategy = value;
    }

    protected abstract bool Receive(object message);

    internal bool CallAroundReceive(Receive receive, object message) => AroundReceive(receive, message);

    protected virtual bool AroundReceive(Receive receive, object message)
    {
        var handled = receive(message);
        if (!handled) Unhandled(message);
        return handled;
    }

    /// <summary>A <see cref="Terminated"/> stops the actor; anything else is published as <see cref="UnhandledMessage"/>.</summary>
    protected virtual void Unhandled(object message)
    {
        if (message is Terminated terminated) throw new DeathPactException(terminated.ActorRef);
        Context.System.EventStream.Publish(new UnhandledMessage(message, Sender, Self));
    }

    protected void Become(Receive receive) => Context.Become(receive);

    protected void BecomeStacked(Receive receive) => Context.BecomeStacked(receive);

    protected void UnbecomeStacked() => Context.UnbecomeStacked();

    protected void SetReceiveTimeout(TimeSpan? timeout) => Context.SetReceiveTimeout(timeout);

    /// <summary>How failures of children are treated.</summary>
    protected virtual SupervisorStrategy SupervisorStrategy() => Actor.SupervisorStrategy.DefaultStrategy;

    /// <summary>Before the first message, and by default after a restart.</summary>
    protected virtual void PreStart()
    {
    }

    /// <summary>After the last message, and by default before a restart.</summary>
    protected virtual void PostStop()
    {
    }

    /// <summary>On the failed instance: stops all children, then <see cref="PostStop"/>.</summary>
    protected virtual void PreRestart(Exception reason, object message)
    {
        foreach (var child in Context.GetChildren().ToArray())
        {
            Context.Unwatch(child);
            Context.Stop(child);
        }
        PostStop();
    }

    /// <summary>On the fresh instance: <see cref="PreStart"/>.</summary>
    protected virtual void PostRestart(Exception reason) => PreStart();

    public virtual void AroundPreStart() => PreStart();

    public virtual void AroundPostStop() => PostStop();

    public virtual void AroundPreRestart(Exception cause, object message) => PreRestart(cause, message);

    public virtual void AroundPostRestart(Exception cause, object message) => PostRestart(cause);
}

/// <summary>An actor that takes every message.</summary>
public abstract class UntypedActor : ActorBase
{
    protected UntypedActor()
    {
    }

    protected static new IUntypedActorContext Context => ActorCell.Active;

    protected sealed override bool Receive(object message)
    {
        OnReceive(message);
        return true;
    }

    protected abstract void OnReceive(object message);

    protected void Become(UntypedReceive receive) => Context.Become(receive);

    protected void BecomeStacked(UntypedReceive receive) => Context.BecomeStacked(receive);
}
