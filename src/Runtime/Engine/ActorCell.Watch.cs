using Akka.Actor;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Runtime.Engine;

internal sealed partial class ActorCell
{
    /// <summary>Whom this actor watches, with the message to be told; null is <see cref="Terminated"/>.</summary>
    private readonly Dictionary<IActorRef, object> _watching = [];

    /// <summary>Deaths that are reported and wait in the mailbox to be handled.</summary>
    private readonly Dictionary<IActorRef, object> _reported = [];

    private readonly List<InternalActorRefBase> _watchers = [];

    public IActorRef Watch(IActorRef subject) => WatchWith(subject, null);

    public IActorRef WatchWith(IActorRef subject, object message)
    {
        var watchee = (InternalActorRefBase)subject;
        if (watchee.Equals(SelfRef)) return subject;
        if (_watching.TryGetValue(watchee, out var earlier))
        {
            if (!Equals(earlier, message))
                throw new InvalidOperationException($"{SelfRef} already watches {subject} with another message: Unwatch it first.");
            return subject;
        }
        _watching.Add(watchee, message);
        watchee.SendSystem(new Watch(watchee, SelfRef));
        return subject;
    }

    public IActorRef Unwatch(IActorRef subject)
    {
        var watchee = (InternalActorRefBase)subject;
        if (_watching.Remove(watchee)) watchee.SendSystem(new Unwatch(watchee, SelfRef));
        _reported.Remove(watchee);
        return subject;
    }

    /// <summary>A stashed <see cref="Terminated"/> comes back.</summary>
    public void ReportAgain(Terminated terminated) => _reported.TryAdd(terminated.ActorRef, null);

    public int WatcherCount => _watchers.Count;

    private void AddWatcher(Watch watch)
    {
        if (watch.Watchee == SelfRef && !_watchers.Contains(watch.Watcher)) _watchers.Add(watch.Watcher);
    }

    private void ActorEnded(DeathNotice notice)
    {
        if (_watching.Remove(notice.Actor, out var message) && _phase != Phase.Terminating)
        {
            _reported[notice.Actor] = message;
            SelfRef.Tell(new Terminated(notice.Actor, notice.ExistenceConfirmed, notice.AddressTerminated), notice.Actor);
        }
        ChildEnded(notice.Actor);
    }

    private void ReceiveTerminated(Terminated terminated)
    {
        if (!_reported.Remove(terminated.ActorRef, out var message)) return; // unwatched in the meantime
        _message = message ?? terminated;
        Receive(_message);
    }

    private void UnwatchAll()
    {
        foreach (var watchee in _watching.Keys)
            ((InternalActorRefBase)watchee).SendSystem(new Unwatch((InternalActorRefBase)watchee, SelfRef));
        _watching.Clear();
        _reported.Clear();
    }

    /// <summary>Those on other systems first: once the parent knows, this system may end and take the notice with it. Then the parent, so that
    /// the name is free when the others hear.</summary>
    private void TellOfDeath()
    {
        foreach (var watcher in _watchers.OfType<RemoteActorRef>()) Tell(watcher);
        Tell(ParentRef);
        foreach (var watcher in _watchers)
        {
            if (watcher != ParentRef && watcher is not RemoteActorRef) Tell(watcher);
        }
        _watchers.Clear();

        void Tell(InternalActorRefBase watcher) => watcher.SendSystem(new DeathNotice(SelfRef, existenceConfirmed: true));
    }
}
