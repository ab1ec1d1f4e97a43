using Akka.Actor;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>What the engine's parts tell each other; it overtakes user messages.</summary>
internal abstract class SystemMessage;

/// <summary>Make the actor: its first message.</summary>
internal sealed class Create : SystemMessage
{
    public static readonly Create Instance = new();
}

internal sealed class Watch(InternalActorRefBase watchee, InternalActorRefBase watcher) : SystemMessage
{
    public InternalActorRefBase Watchee { get; } = watchee;
    public InternalActorRefBase Watcher { get; } = watcher;
}

internal sealed class Unwatch(InternalActorRefBase watchee, InternalActorRefBase watcher) : SystemMessage
{
    public InternalActorRefBase Watchee { get; } = watchee;
    public InternalActorRefBase Watcher { get; } = watcher;
}

/// <summary>To parent and watchers: the actor is no more.</summary>
internal sealed class DeathNotice(InternalActorRefBase actor, bool existenceConfirmed, bool addressTerminated = false) : SystemMessage
{
    public InternalActorRefBase Actor { get; } = actor;
    public bool ExistenceConfirmed { get; } = existenceConfirmed;
    public bool AddressTerminated { get; } = addressTerminated;
}

/// <summary>To the parent: the child threw and waits, suspended, for a decision.</summary>
internal sealed class Failed(LocalActorRef child, Exception cause) : SystemMessage
{
    public LocalActorRef Child { get; } = child;
    public Exception Cause { get; } = cause;
}

internal sealed class Restart(Exception cause) : SystemMessage
{
    public Exception Cause { get; } = cause;
}

internal sealed class Suspend : SystemMessage
{
    public static readonly Suspend Instance = new();
}

internal sealed class Resume(Exception causedByFailure) : SystemMessage
{
    public Exception CausedByFailure { get; } = causedByFailure;
}

internal sealed class Terminate : SystemMessage
{
    public static readonly Terminate Instance = new();
}
