using Akka.Actor;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Runtime.Remote;

/// <summary>Death watch across systems.</summary>
/// <remarks>
/// The watcher's hub says Watch when the peer is connected, and says it again from time to time: where it, or the notice of the
/// death, got lost, the answer to the next one tells. A peer that is lost for good ends all watches of both directions.
/// </remarks>
internal sealed partial class RemoteHub
{
    /// <summary>A peer that is no member and stays unreachable for this long is terminated.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Repeat = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private Task _stopped;

    /// <summary>Asks the transport to keep a connection up, until as many calls of <see cref="Release"/>.</summary>
    public void Keep(Address address)
    {
        lock (_lock)
        {
            var peer = PeerOf(address);
            if (peer.Keeps++ == 0) Transport.Keep(peer.Address);
        }
    }

    public void Release(Address address)
    {
        lock (_lock)
        {
            var peer = PeerOf(address);
            if (peer.Keeps == 0) throw new InvalidOperationException($"{address} is not kept.");
            if (--peer.Keeps == 0) Transport.Release(peer.Address);
        }
    }

    /// <summary>Leaves the network. May be called again.</summary>
    public Task StopAsync()
    {
        lock (_lock)
        {
            foreach (var peer in _peers.Values) peer.Timer?.Cancel();
            return _stopped ??= Transport.StopAsync();
        }
    }

    public void Watch(RemoteActorRef watchee, InternalActorRefBase watcher)
    {
        lock (_lock)
        {
            var peer = PeerOf(watchee.Address);
            if (peer.IsTerminated)
            {
                watcher.SendSystem(new DeathNotice(watchee, existenceConfirmed: false, addressTerminated: true));
                return;
            }
            if (!peer.Watched.TryAdd((watcher, watchee), 0)) return;
            WatchesChanged(peer);
            if (peer.IsConnected) SayWatch(peer, watcher, watchee);
        }
    }

    public void Unwatch(RemoteActorRef watchee, InternalActorRefBase watcher)
    {
        lock (_lock)
        {
            var peer = PeerOf(watchee.Address);
            if (!peer.Watched.Remove((watcher, watchee))) return;
            WatchesChanged(peer);
            SendSystem(watchee, watcher, new Unwatch(watchee, watcher));
        }
    }

    /// <summary>An actor of this system that somebody there watches has ended, or never was.</summary>
    public void TellWatcher(RemoteActorRef watcher, DeathNotice notice)
    {
        lock (_lock)
        {
            var peer = PeerOf(watcher.Address);
            if (peer.Watchers.Remove((notice.Actor, watcher))) WatchesChanged(peer);
            // In the order of what the actor told its watcher before. If there is no room for it, the next Watch asks again.
            Transport.Send(watcher.Address, new Outbound(watcher.PathThere, PathOf(notice.Actor), notice, IsSystem: false));
        }
    }

    public void SendSystem(RemoteActorRef recipient, IActorRef sender, SystemMessage message) =>
        Transport.Send(recipient.Address, new Outbound(recipient.PathThere, PathOf(sender), message, IsSystem: true));

    /// <summary>The incarnation is gone for good, or was never there (uid 0): all watches of its actors end, once, its own are
    /// dropped, and it may not come back.</summary>
    public void AddressTerminated(Address address, int uid)
    {
        lock (_lock)
        {
            var peer = PeerOf(address);
            // First, so that whoever hears of the end sends nothing there any more.
            if (uid != 0)
            {
                Transport.Quarantine(peer.Address, uid);
                peer.TerminatedUid = uid;
            }
            if (uid == 0 || peer.Uid == 0 || peer.Uid == uid)
            {
                (peer.IsTerminated, peer.IsConnected) = (peer.Uid != 0, false);
                peer.Senders.Clear();
                EndWatches(peer);
            }
        }
    }

    public void Connected(Address address, int uid)
    {
        lock (_lock)
        {
            var peer = PeerOf(address);
            if (peer.TerminatedUid == uid) return; // it was on its way when the incarnation was given up
            if (peer.Uid != uid && peer.Uid != 0) EndWatches(peer);
            (peer.Uid, peer.IsConnected, peer.IsTerminated) = (uid, true, false);
            WatchesChanged(peer);
            SayWatches(peer);
        }
        Observer?.Connected(address, uid);
    }

    public void Disconnected(Address address, int uid, string reason)
    {
        lock (_lock)
        {
            var peer = PeerOf(address);
            if (peer.Uid == uid)
            {
                peer.IsConnected = false;
                WatchesChanged(peer);
            }
        }
        Observer?.Disconnected(address, uid, reason);
    }

    private void DeliverSystem(Address from, InternalActorRefBase recipient, SystemMessage message)
    {
        if (recipient is RootRef) throw new InvalidMessageException("A system message to the root.");
        lock (_lock)
        {
            var peer = PeerOf(from);
            switch (message)
            {
                case Watch { Watcher: RemoteActorRef watcher } when watcher.Address == peer.Address:
                    if (recipient is LocalActorRef && peer.Watchers.Add((recipient, watcher))) WatchesChanged(peer);
                    recipient.SendSystem(new Watch(recipient, watcher));
                    return;
                case Unwatch { Watcher: RemoteActorRef watcher } when watcher.Address == peer.Address:
                    if (peer.Watchers.Remove((recipient, watcher))) WatchesChanged(peer);
                    recipient.SendSystem(new Unwatch(recipient, watcher));
                    return;
                case DeathNotice { Actor: RemoteActorRef watchee } notice when watchee.Address == peer.Address:
                    if (!peer.Watched.Remove((recipient, watchee), out var said)) return;
                    WatchesChanged(peer);
                    // It was there when this was said first; what reported its death got lost.
                    recipient.SendSystem(new DeathNotice(watchee, notice.ExistenceConfirmed || said > 1));
                    return;
                case Terminate:
                    recipient.SendSystem(message);
                    return;
                default:
                    throw new InvalidMessageException($"{message.GetType().Name} in the name of somebody else.");
            }
        }
    }

    private void EndWatches(RemotePeer peer)
    {
        var (watched, watchers) = (peer.Watched.Keys.ToArray(), peer.Watchers.ToArray());
        peer.Watched.Clear();
        peer.Watchers.Clear();
        WatchesChanged(peer);
        foreach (var (watcher, watchee) in watched)
            watcher.SendSystem(new DeathNotice(watchee, existenceConfirmed: false, addressTerminated: true));
        foreach (var (watchee, watcher) in watchers) watchee.SendSystem(new Unwatch(watchee, watcher));
    }

    /// <summary>Where there are watches the connection is kept and a timer runs: to say them again, or to lose patience.</summary>
    private void WatchesChanged(RemotePeer peer)
    {
        if (peer.HasWatches != peer.KeptForWatches)
        {
            peer.KeptForWatches = peer.HasWatches;
            if (peer.HasWatches) Keep(peer.Address);
            else Release(peer.Address);
        }
        if (peer.Timer is { } timer && (!peer.HasWatches || timer.Period > TimeSpan.Zero != peer.IsConnected))
        {
            timer.Cancel();
            peer.Timer = null;
        }
        if (!peer.HasWatches || peer.Timer is not null || _stopped is not null) return;
        peer.Timer = peer.IsConnected
            ? System.Timers.Start(Repeat, Repeat, System, () => SayAgain(peer))
            : System.Timers.Start(Patience, TimeSpan.Zero, System, () => LosePatience(peer));
    }

    private void SayAgain(RemotePeer peer)
    {
        lock (_lock)
        {
            if (peer.IsConnected) SayWatches(peer);
        }
    }

    private void LosePatience(RemotePeer peer)
    {
        lock (_lock)
        {
            peer.Timer = null;
            if (peer.IsConnected || _stopped is not null || Observer?.IsMember(peer.Address) == true) return;
            AddressTerminated(peer.Address, peer.Uid);
        }
    }

    private void SayWatches(RemotePeer peer)
    {
        foreach (var (watcher, watchee) in peer.Watched.Keys.ToArray()) SayWatch(peer, watcher, watchee);
    }

    private void SayWatch(RemotePeer peer, InternalActorRefBase watcher, RemoteActorRef watchee)
    {
        peer.Watched[(watcher, watchee)]++;
        SendSystem(watchee, watcher, new Watch(watchee, watcher));
    }
}
