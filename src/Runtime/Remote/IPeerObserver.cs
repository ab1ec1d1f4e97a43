using Akka.Actor;

namespace Rl.Distributed.Runtime.Remote;

/// <summary>Hears what the transport sees of other systems, and says which of them it decides about.</summary>
/// <remarks>Calls come from the transport's threads: none blocks.</remarks>
internal interface IPeerObserver
{
    void Connected(Address peer, int uid);

    void Disconnected(Address peer, int uid, string reason);

    /// <summary>Whether the observer will call <see cref="RemoteHub.AddressTerminated"/> for it. The hub does so for all others.</summary>
    bool IsMember(Address peer);
}
