using Akka.Actor;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Runtime.Remote;

/// <summary>What a hub knows of another address. The hub's lock guards what is not readonly.</summary>
internal sealed class RemotePeer(Address address)
{
    public Address Address { get; } = address;

    public PathCache<RemoteActorRef> Senders { get; } = new();

    /// <summary>Bytes of messages to and from it.</summary>
    public LinkMeter Meter { get; } = new();

    /// <summary>The incarnation that was connected last; 0 before the first.</summary>
    public int Uid { get; set; }

    public bool IsConnected { get; set; }

    /// <summary>That incarnation was declared dead.</summary>
    public bool IsTerminated { get; set; }

    /// <summary>The incarnation that was declared dead last, be it before it was connected; 0 before the first.</summary>
    public int TerminatedUid { get; set; }

    /// <summary>Who of this system watches whom there, and how often that was said.</summary>
    public Dictionary<(InternalActorRefBase Watcher, RemoteActorRef Watchee), int> Watched { get; } = [];

    /// <summary>Who there watches whom of this system.</summary>
    public HashSet<(InternalActorRefBase Watchee, RemoteActorRef Watcher)> Watchers { get; } = [];

    public bool HasWatches => Watched.Count > 0 || Watchers.Count > 0;

    /// <summary>Nothing is lost if the hub forgets it.</summary>
    public bool IsIdle => !IsConnected && !HasWatches && Keeps == 0;

    public bool IsForgotten { get; set; }

    /// <summary>How many want the connection kept, the watches together being one.</summary>
    public int Keeps { get; set; }

    public bool KeptForWatches { get; set; }

    /// <summary>Runs while there are watches: says them again, or waits for the end of patience.</summary>
    public TimerEntry Timer { get; set; }
}
