using Akka.Actor;
using Akka.Cluster;

namespace Rl.Distributed.Node.Clustering;

/// <summary>Which members of the cluster lead runs, as a node that looks for one sees it.</summary>
/// <remarks>A plain object for one thread.</remarks>
/// <param name="seeds">Where the node asks for a cluster.</param>
internal sealed class KnownLeaders(IReadOnlyList<Address> seeds)
{
    private readonly List<Address> _leaders = [], _members = [];

    /// <summary>Their addresses.</summary>
    public IReadOnlyList<Address> Addresses => _leaders;

    /// <summary>A member is up; true if it leads.</summary>
    public bool OnUp(Member member)
    {
        _members.Add(member.Address);
        if (!member.HasRole(NodeRoles.Learner)) return false;
        _leaders.Add(member.Address);
        return true;
    }

    /// <summary>A member is gone; true where neither a seed nor a leader is left: a new one would not find this cluster.</summary>
    public bool OnRemoved(Member member)
    {
        _leaders.Remove(member.Address);
        return _members.Remove(member.Address) && _leaders.Count == 0 && !_members.Any(seeds.Contains);
    }
}
