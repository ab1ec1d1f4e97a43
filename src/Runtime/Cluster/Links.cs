using Akka.Actor;
using Akka.Cluster;

namespace Rl.Distributed.Runtime.Membership;

internal enum LinkState
{
    /// <summary>Nothing was heard of it yet.</summary>
    Unknown,
    Up,
    Broken,
}

/// <summary>What the transport last said about a peer.</summary>
internal readonly record struct Link(LinkState State, int Uid, TimeSpan Since);

/// <summary>The connections of one node, as its transport reports them, and those that it asked to keep.</summary>
internal sealed class Links(IOutside outside)
{
    private readonly Dictionary<Address, Link> _links = [];

    /// <summary>The incarnation behind each address that matters.</summary>
    private readonly Dictionary<Address, int> _kept = [];

    public void Connected(TimeSpan now, Address peer, int uid) => _links[peer] = new Link(LinkState.Up, uid, now);

    /// <param name="now">The time.</param>
    /// <param name="peer">Its address.</param>
    /// <param name="uid">Which incarnation; 0 where none was ever met. The end of an earlier one says nothing about the present one.</param>
    public void Disconnected(TimeSpan now, Address peer, int uid)
    {
        var link = Of(peer);
        if (link.State == LinkState.Up && link.Uid != uid) return;
        if (!_kept.TryGetValue(peer, out var expected)) _links.Remove(peer);
        else if (link.State != LinkState.Broken && (link.State == LinkState.Up || uid == expected || uid == 0))
            _links[peer] = new Link(LinkState.Broken, uid, now);
    }

    /// <summary>A kept peer's link.</summary>
    public Link Of(Address peer) => _links.GetValueOrDefault(peer);

    /// <summary>Keeps connections to these nodes and no others. What was known of another incarnation, or of a broken connection,
    /// does not count against a node that is new here.</summary>
    public void Keep(TimeSpan now, IEnumerable<UniqueAddress> nodes)
    {
        var wanted = nodes.ToDictionary(node => node.Address, node => node.Uid);
        foreach (var peer in _kept.Keys.Where(peer => !wanted.ContainsKey(peer)).Order().ToList())
        {
            _kept.Remove(peer);
            if (Of(peer).State != LinkState.Up) _links.Remove(peer);
            outside.Release(peer);
        }
        foreach (var (peer, uid) in wanted.OrderBy(each => each.Key))
        {
            var isKept = _kept.TryGetValue(peer, out var expected);
            if (isKept && expected == uid) continue;
            _kept[peer] = uid;
            if (Of(peer) is not { State: LinkState.Up } link || link.Uid != uid) _links[peer] = new Link(LinkState.Unknown, 0, now);
            if (!isKept) outside.Keep(peer);
        }
    }
}
