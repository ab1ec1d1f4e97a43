using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>The reference of an actor of this process.</summary>
internal sealed class LocalActorRef : InternalActorRefBase
{
    public LocalActorRef(EmbeddedSystem system, Props props, Dispatcher dispatcher, InternalActorRefBase parent, ActorPath path)
    {
        Path = path;
        Cell = new ActorCell(system, this, props, dispatcher, parent);
    }

    public ActorCell Cell { get; }

    public override ActorPath Path { get; }

    internal override EmbeddedSystem SystemImpl => Cell.SystemImpl;

    internal override bool IsDead => Cell.Mailbox.IsClosed;

    internal override InternalActorRefBase ParentRef => Cell.ParentRef;

    internal override IEnumerable<InternalActorRefBase> ChildRefs => Cell.ChildRecords().Select(child => child.Ref);

    internal override void Deliver(object message, IActorRef sender) => Cell.Mailbox.Post(message, sender);

    internal override void SendSystem(SystemMessage message) => Cell.Mailbox.PostSystem(message);

    internal override InternalActorRefBase ChildNamed(string name) => Cell.ChildNamed(name);
}

/// <summary>Publishes what finds no receiver.</summary>
internal sealed class DeadLetterRef(EmbeddedSystem system, ActorPath path) : MinimalActorRef
{
    public override ActorPath Path { get; } = path;

    internal override EmbeddedSystem SystemImpl { get; } = system;

    /// <summary>A message that its receiver will not get.</summary>
    public void Lost(object message, IActorRef sender, IActorRef recipient)
    {
        switch (message)
        {
            case TimerMessage or IDeadLetterSuppression or DeadLetter: // the last was published already, also to one that has died
                return;
            case Identify identify:
                (sender ?? this).Tell(new ActorIdentity(identify.MessageId, null), recipient);
                return;
            default:
                SystemImpl.EventStream.Publish(new DeadLetter(message, sender ?? this, recipient));
                return;
        }
    }

    internal override void Deliver(object message, IActorRef sender)
    {
        if (message is DeadLetter letter) SystemImpl.EventStream.Publish(letter);
        else Lost(message, sender, this);
    }

    /// <summary>A system message whose receiver is gone: who wants to watch it hears of its end at once.</summary>
    internal override void SendSystem(SystemMessage message)
    {
        if (message is Watch watch) watch.Watcher.SendSystem(new DeathNotice(watch.Watchee, existenceConfirmed: false));
    }
}

/// <summary>A path that leads nowhere.</summary>
internal sealed class MissingRef(EmbeddedSystem system, ActorPath path) : MinimalActorRef
{
    public override ActorPath Path { get; } = path;

    internal override EmbeddedSystem SystemImpl { get; } = system;

    internal override bool IsDead => true;

    internal override void Deliver(object message, IActorRef sender) => SystemImpl.DeadLetterRef.Lost(message, sender, this);

    internal override void SendSystem(SystemMessage message) => SystemImpl.DeadLetterRef.SendSystem(message);
}

/// <summary>The parent of /user and /system. A failure that reaches it ends the system.</summary>
internal sealed class RootRef(EmbeddedSystem system, ActorPath path) : MinimalActorRef
{
    public override ActorPath Path { get; } = path;

    internal override EmbeddedSystem SystemImpl { get; } = system;

    internal override IEnumerable<InternalActorRefBase> ChildRefs => [SystemImpl.UserGuardian, SystemImpl.SystemGuardian];

    internal override InternalActorRefBase ChildNamed(string name) => name switch
    {
        "user" => SystemImpl.UserGuardian,
        "system" => SystemImpl.SystemGuardian,
        "deadLetters" => SystemImpl.DeadLetterRef,
        "temp" => SystemImpl.Temporaries,
        _ => null,
    };

    internal override void Deliver(object message, IActorRef sender)
    {
        if (message is Identify identify) (sender ?? SystemImpl.DeadLetterRef).Tell(new ActorIdentity(identify.MessageId, this), this);
        else SystemImpl.DeadLetterRef.Lost(message, sender, this);
    }

    internal override void SendSystem(SystemMessage message)
    {
        switch (message)
        {
            case Failed failed:
                SystemImpl.Publish(LogLevel.ErrorLevel, failed.Cause, failed.Child.Path.ToString(), typeof(RootRef),
                    "guardian failed, shutting down system: " + failed.Cause.Message);
                failed.Child.SendSystem(Terminate.Instance);
                return;
            case DeathNotice notice when notice.Actor == SystemImpl.UserGuardian:
                SystemImpl.SystemGuardian.SendSystem(Terminate.Instance);
                return;
            case DeathNotice:
                SystemImpl.Ended();
                return;
        }
    }
}
