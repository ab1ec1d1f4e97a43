using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>Who wants to be told which kinds of event; in the order of their first subscription.</summary>
internal sealed class Subscribers
{
    private readonly List<(IActorRef Who, ImmutableArray<Type> Types)> _all = [];

    public void Add(IActorRef who, ImmutableArray<Type> types)
    {
        var index = _all.FindIndex(each => each.Who.Equals(who));
        if (index < 0) _all.Add((who, types));
        else _all[index] = (who, [.. _all[index].Types.Union(types)]);
    }

    /// <param name="who">The subscriber.</param>
    /// <param name="type">Null: all.</param>
    /// <returns>Whether something remains.</returns>
    public bool Remove(IActorRef who, Type type)
    {
        var index = _all.FindIndex(each => each.Who.Equals(who));
        if (index < 0) return false;
        var remaining = type is null ? [] : _all[index].Types.Remove(type);
        if (remaining.IsEmpty) _all.RemoveAt(index);
        else _all[index] = (who, remaining);
        return !remaining.IsEmpty;
    }

    public void Publish(IEnumerable<ClusterEvent.IClusterDomainEvent> events, IActorRef from)
    {
        if (_all.Count == 0) return;
        var list = events.ToList();
        foreach (var (who, types) in _all) Tell(who, types, list, from);
    }

    /// <summary>Tells those of the events that are of one of the types.</summary>
    public static void Tell(
        IActorRef who, ImmutableArray<Type> types, IEnumerable<ClusterEvent.IClusterDomainEvent> events, IActorRef from)
    {
        foreach (var each in events)
        {
            if (types.Any(type => type.IsInstanceOfType(each))) who.Tell(each, from);
        }
    }
}
