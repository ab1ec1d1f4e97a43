using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>The engine's side of one actor: what outlives its incarnations. Only its mailbox's run touches it.</summary>
internal sealed partial class ActorCell : IUntypedActorContext
{
    /// <summary>The cell whose mailbox this thread runs.</summary>
    [ThreadStatic]
    public static ActorCell Current;

    private readonly List<Receive> _behaviors = [];
    private ActorBase _actor;
    private object _message;
    private IActorRef _sender;
    private ActorTimers _timers;
    private TimeSpan? _receiveTimeout;
    private TimerEntry _receiveTimer;

    public ActorCell(EmbeddedSystem system, LocalActorRef self, Props props, Dispatcher dispatcher, InternalActorRefBase parent)
    {
        (SystemImpl, SelfRef, Props, ParentRef) = (system, self, props, parent);
        Mailbox = new Mailbox(this, dispatcher);
    }

    /// <exception cref="NotSupportedException">This thread runs no actor.</exception>
    public static ActorCell Active => Current ?? throw new NotSupportedException(
        "There is no active ActorContext, this is most likely due to use of async operations from within this actor.");

    public EmbeddedSystem SystemImpl { get; }

    public LocalActorRef SelfRef { get; }

    public InternalActorRefBase ParentRef { get; }

    public Mailbox Mailbox { get; }

    public Props Props { get; }

    public IActorRef Self => SelfRef;

    public IActorRef Parent => ParentRef;

    public ActorSystem System => SystemImpl;

    public IActorRef Sender => _sender ?? SystemImpl.DeadLetterRef;

    public TimeSpan? ReceiveTimeout => _receiveTimeout;

    /// <summary>The message being handled, for the stash; counted, so that none is stashed twice.</summary>
    public Envelope CurrentEnvelope => new(_message, _sender);

    public long EnvelopesHandled { get; private set; }

    /// <summary>Handles one user message.</summary>
    public void Invoke(object message, IActorRef sender)
    {
        EnvelopesHandled++;
        SystemImpl.Observe(this, message);
        if (message is TimerMessage timed && (message = timed.Open(_timers)) is null) return;
        (_message, _sender) = (message, sender);
        var influencesTimeout = _receiveTimeout is not null && message is not INotInfluenceReceiveTimeout;
        if (influencesTimeout) StopReceiveTimer();
        try
        {
            if (message is IAutoReceivedMessage) AutoReceive(message);
            else Receive(message);
            (_message, _sender) = (null, null);
        }
        catch (Exception e)
        {
            Fail(e); // the message stays: PreRestart is given it
        }
        if (_receiveTimeout is not null && (influencesTimeout || _receiveTimer is null)) StartReceiveTimer();
    }

    public void Become(Receive receive)
    {
        UnbecomeStacked();
        _behaviors.Add(receive);
    }

    public void BecomeStacked(Receive receive) => _behaviors.Add(receive);

    public void Become(UntypedReceive receive) => Become(Typed(receive));

    public void BecomeStacked(UntypedReceive receive) => BecomeStacked(Typed(receive));

    public void UnbecomeStacked()
    {
        if (_behaviors.Count > 0) _behaviors.RemoveAt(_behaviors.Count - 1);
    }

    public ActorSelection ActorSelection(ActorPath actorPath) => SystemImpl.ActorSelection(actorPath);

    /// <summary>Relative to this actor unless it begins with / or a protocol.</summary>
    public ActorSelection ActorSelection(string actorPath) => SystemImpl.Select(actorPath, SelfRef);

    public void SetReceiveTimeout(TimeSpan? timeout)
    {
        if (timeout <= TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "must be above zero, or null for none");
        _receiveTimeout = timeout;
        StopReceiveTimer();
    }

    private static Receive Typed(UntypedReceive receive) => message =>
    {
        receive(message);
        return true;
    };

    private void Receive(object message) =>
        _actor.CallAroundReceive(_behaviors.Count > 0 ? _behaviors[^1] : _actor.BaseReceive, message);

    private void AutoReceive(object message)
    {
        switch (message)
        {
            case Terminated terminated:
                ReceiveTerminated(terminated);
                return;
            case PoisonPill:
                SelfRef.SendSystem(Engine.Terminate.Instance);
                return;
            case Kill:
                throw new ActorKilledException("Kill");
            case Identify identify:
                Sender.Tell(new ActorIdentity(identify.MessageId, SelfRef), SelfRef);
                return;
        }
    }

    private void StartReceiveTimer()
    {
        if (_receiveTimeout is { } timeout && !Mailbox.IsClosed)
            _receiveTimer = SystemImpl.Timers.Start(timeout, TimeSpan.Zero, SystemImpl.Scheduler,
                () => SelfRef.Tell(Akka.Actor.ReceiveTimeout.Instance, SelfRef));
    }

    private void StopReceiveTimer()
    {
        _receiveTimer?.Cancel();
        _receiveTimer = null;
    }

    private void Log(LogLevel level, Exception cause, string message) =>
        SystemImpl.Publish(level, cause, SelfRef.Path.ToString(), Props.Type, message);
}
