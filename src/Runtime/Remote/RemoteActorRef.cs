using Akka.Actor;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Runtime.Remote;

/// <summary>The reference of an actor, or of a path, of another system.</summary>
internal sealed class RemoteActorRef : InternalActorRefBase
{
    private readonly RemoteHub _hub;

    public RemoteActorRef(RemoteHub hub, RemotePeer peer, ActorPath path)
    {
        (_hub, Peer, Path) = (hub, peer, path);
        PathThere = path.ToStringWithoutAddressWithUid();
    }

    public RemotePeer Peer { get; }

    public override ActorPath Path { get; }

    /// <summary>As its own system names it: <c>/user/name#uid</c>.</summary>
    public string PathThere { get; }

    internal override EmbeddedSystem SystemImpl => _hub.System;

    internal override void Deliver(object message, IActorRef sender) =>
        _hub.Transport.Send(Peer.Address, new Outbound(PathThere, _hub.PathOf(sender), message, IsSystem: false));

    internal override void SendSystem(SystemMessage message)
    {
        switch (message)
        {
            case Watch watch:
                _hub.Watch(this, watch.Watcher);
                return;
            case Unwatch unwatch:
                _hub.Unwatch(this, unwatch.Watcher);
                return;
            case DeathNotice notice:
                _hub.TellWatcher(this, notice);
                return;
            case Terminate:
                _hub.SendSystem(this, null, message);
                return;
        }
    }
}

/// <summary>A path without a uid: whoever has the name at the moment of each message.</summary>
internal sealed class NamedRef(EmbeddedSystem system, ActorPath path) : MinimalActorRef
{
    public override ActorPath Path { get; } = path;

    internal override EmbeddedSystem SystemImpl { get; } = system;

    /// <summary>Who has it now; a <see cref="MissingRef"/> for nobody.</summary>
    public InternalActorRefBase Present => SystemImpl.Find(Path);

    internal override void Deliver(object message, IActorRef sender) => Present.Deliver(message, sender);

    internal override void SendSystem(SystemMessage message) => Present.SendSystem(message);
}

/// <summary>A message and the path that leads to its receivers from the recipient on.</summary>
internal sealed class SelectionEnvelope(string[] elements, object message)
{
    public string[] Elements { get; } = elements;

    public object Message { get; } = message;
}

/// <summary>What <see cref="Status.Failure"/> of another system holds: the text, no type.</summary>
internal sealed class RemoteFailure(string message) : AkkaException(message);
