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

/// <summary>How the connection to a peer is, and since when.</summary>
/// <param name="State">Whether there is one.</param>
/// <param name="Uid">Where it is up: to which incarnation.</param>
/// <param name="Since">Of the state.</param>
internal readonly record struct Link(LinkState State, int Uid, TimeSpan Since);

/// <summary>The connections of one node, as its transport reports them, and those that it asked to keep.</summary>
internal sealed class Links(IOutside outside)
{
    /// <summary>What the transport said last. A broken link is remembered only while the peer is kept.</summary>
    private readonly Dictionary<Address, Link> _reported = [];

    /// <summary>Which incarnation is expected behind an address, and since when.</summary>
    private readonly Dictionary<Address, (int Uid, TimeSpan Since)> _kept = [];

    public void Connected(TimeSpan now, Address peer, int uid) => _reported[peer] = new Link(LinkState.Up, uid, now);

    /// <param name="now">The time.</param>
    /// <param name="peer">Its address.</param>
    /// <param name="uid">Which incarnation; 0 where none was ever met. The end of an earlier one says nothing about the present
    /// one.</param>
    public void Disconnected(TimeSpan now, Address peer, int uid)
    {
        if (_reported.TryGetValue(peer, out var link) && (link.State == LinkState.Broken || link.Uid != uid))
            return;
        if (_kept.TryGetValue(peer, out var expected) && (uid == expected.Uid || uid == 0))
            _reported[peer] = new Link(LinkState.Broken, uid, now);
        else
            _reported.Remove(peer);
    }

    /// <summary>The link to a peer. That another incarnation than the expected one was met counts only if it was met
    /// since that one is expected: else it is the earlier one.</summary>
    public Link Of(Address peer)
    {
        var isReported = _reported.TryGetValue(peer, out var link);
        if (!_kept.TryGetValue(peer, out var expected)) return link;
        var isStale = link.State == LinkState.Up && link.Uid != expected.Uid && link.Since <= expected.Since;
        return isReported && !isStale ? link : new Link(LinkState.Unknown, 0, expected.Since);
    }

    /// <summary>Keeps connections to these nodes and no others.</summary>
    public void Keep(TimeSpan now, IEnumerable<UniqueAddress> nodes)
    {
        var wanted = nodes.ToDictionary(node => node.Address, node => node.Uid);
        foreach (var peer in _kept.Keys.Where(peer => !wanted.ContainsKey(peer)).Order().ToList())
        {
            _kept.Remove(peer);
            ForgetBreak(peer);
            outside.Release(peer);
        }
        foreach (var (peer, uid) in wanted.OrderBy(each => each.Key))
        {
            var isKept = _kept.TryGetValue(peer, out var expected);
            if (isKept && expected.Uid == uid) continue;
            _kept[peer] = (uid, now);
            ForgetBreak(peer);
            if (!isKept) outside.Keep(peer);
        }
    }

    private void ForgetBreak(Address peer)
    {
        if (_reported.TryGetValue(peer, out var link) && link.State == LinkState.Broken) _reported.Remove(peer);
    }
}
