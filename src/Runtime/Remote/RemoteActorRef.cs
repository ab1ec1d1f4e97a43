using Akka.Actor;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Runtime.Remote;

/// <summary>The reference of an actor, or of a path, of another system.</summary>
internal sealed class RemoteActorRef : InternalActorRefBase
{
    private readonly RemoteHub _hub;
    private ActorPath _path;

    /// <param name="hub">Of this system.</param>
    /// <param name="address">The path's, best the hub's own object: it is found faster.</param>
    /// <param name="path">At the other system.</param>
    public RemoteActorRef(RemoteHub hub, Address address, ActorPath path)
    {
        (_hub, Address, _path) = (hub, address, path);
        PathThere = path.ToStringWithoutAddressWithUid();
    }

    /// <summary>Of a path that came from its own system, and that <see cref="RemoteHub.Check"/> let pass.</summary>
    public RemoteActorRef(RemoteHub hub, Address address, string pathThere)
    {
        (_hub, Address, PathThere) = (hub, address, pathThere);
    }

    public Address Address { get; }

    /// <remarks>Most senders are only answered: nobody asks for their paths.</remarks>
    public override ActorPath Path => _path ??= RemoteHub.Below(new RootActorPath(Address), PathThere);

    /// <summary>As its own system names it: <c>/user/name#uid</c>.</summary>
    public string PathThere { get; }

    internal override EmbeddedSystem SystemImpl => _hub.System;

    internal override void Deliver(object message, IActorRef sender) =>
        _hub.Transport.Send(Address, new Outbound(PathThere, _hub.PathOf(sender), message, IsSystem: false));

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
