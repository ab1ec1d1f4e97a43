using System.Runtime.CompilerServices;
using Rl.Distributed.Runtime.Engine;

namespace Akka.Actor;

/// <summary>What all references share: identity is the path and the uid.</summary>
public abstract class ActorRefBase : IActorRef
{
    private protected ActorRefBase()
    {
    }

    public abstract ActorPath Path { get; }

    /// <summary>Delivers a message, or hands it to the dead letters.</summary>
    /// <exception cref="InvalidMessageException">The message is null.</exception>
    public void Tell(object message, IActorRef sender)
    {
        if (message is null) throw new InvalidMessageException("Message is null");
        Deliver(message, sender);
    }

    internal abstract void Deliver(object message, IActorRef sender);

    public int CompareTo(IActorRef other)
    {
        if (other is null) return 1;
        var order = Path.CompareTo(other.Path);
        return order != 0 ? order : Path.Uid.CompareTo(other.Path.Uid);
    }

    public int CompareTo(object obj) => obj switch
    {
        null => 1,
        IActorRef other => CompareTo(other),
        _ => throw new ArgumentException($"A reference cannot be compared with a {obj.GetType()}.", nameof(obj)),
    };

    public bool Equals(IActorRef other) =>
        ReferenceEquals(this, other) || (other is not null && Path.Uid == other.Path.Uid && Path.Equals(other.Path));

    public override bool Equals(object obj) => obj is IActorRef other && Equals(other);

    public override int GetHashCode() => Path.Uid.GetHashCode() ^ Path.GetHashCode();

    public override string ToString() => $"[{Path.ToStringWithUid()}]";
}

/// <summary>A reference that the engine can also send system messages to.</summary>
public abstract class InternalActorRefBase : ActorRefBase
{
    private protected InternalActorRefBase()
    {
    }

    /// <summary>The system that it belongs to; null for <see cref="Nobody"/>.</summary>
    internal abstract EmbeddedSystem SystemImpl { get; }

    internal virtual bool IsDead => false;

    internal abstract void SendSystem(SystemMessage message);

    /// <summary>A child by name, for selections; null if there is none.</summary>
    internal virtual InternalActorRefBase ChildNamed(string name) => null;

    internal virtual InternalActorRefBase ParentRef => null;

    internal virtual IEnumerable<InternalActorRefBase> ChildRefs => [];
}

/// <summary>A reference without an actor behind it.</summary>
public abstract class MinimalActorRef : InternalActorRefBase
{
    private protected MinimalActorRef()
    {
    }

    internal override void SendSystem(SystemMessage message)
    {
    }
}

/// <summary>The reference to no actor: what it is told is gone.</summary>
public sealed class Nobody : MinimalActorRef
{
    private static readonly ActorPath NobodyPath = new RootActorPath(new Address("akka", "all-systems")) / "Nobody";

    public static Nobody Instance = new();

    private Nobody()
    {
    }

    public override ActorPath Path => NobodyPath;

    internal override EmbeddedSystem SystemImpl => null;

    internal override void Deliver(object message, IActorRef sender)
    {
    }
}
