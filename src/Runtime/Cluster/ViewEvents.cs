using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using static Akka.Cluster.ClusterEvent;

namespace Rl.Distributed.Runtime.Membership;

/// <summary>Views as subscribers know them: states, and the events from one to the next.</summary>
internal static class ViewEvents
{
    /// <param name="view">Null for a node that is no member.</param>
    public static CurrentClusterState ToState(View view)
    {
        if (view is null) return new CurrentClusterState();
        return new CurrentClusterState(
            [.. view.Members],
            [.. view.Members.Where(member => view.Unreachable.Contains(member.UniqueAddress))],
            [],
            view.Authority.Address,
            RoleLeaders(view));
    }

    /// <summary>The events that lead from nothing to the view.</summary>
    public static IEnumerable<IClusterDomainEvent> Replay(View view)
    {
        if (view is null) yield break;
        foreach (var member in view.Members)
        {
            if (member.Status == MemberStatus.Up) yield return new MemberUp(member);
            else if (member.Status == MemberStatus.Leaving) yield return new MemberLeft(member);
            else if (member.Status == MemberStatus.Down) yield return new MemberDowned(member);
        }
        foreach (var member in view.Members)
        {
            if (view.Unreachable.Contains(member.UniqueAddress)) yield return new UnreachableMember(member);
        }
        yield return new LeaderChanged(view.Authority.Address);
        foreach (var (role, leader) in RoleLeaders(view).OrderBy(each => each.Key, StringComparer.Ordinal))
            yield return new RoleLeaderChanged(role, leader);
    }

    /// <summary>The events from one view of a cluster to a later one, also where views between them were missed.</summary>
    /// <param name="before">Null for a node that was no member.</param>
    /// <param name="after">The later view.</param>
    public static IEnumerable<IClusterDomainEvent> Between(View before, View after)
    {
        foreach (var member in before?.Members ?? [])
        {
            if (after.Find(member.UniqueAddress) is not null) continue;
            var goneAs = after.FindDeparted(member.UniqueAddress)?.As ?? MemberStatus.Down;
            foreach (var each in Going(member, goneAs)) yield return each;
            yield return new MemberRemoved(member.With(MemberStatus.Removed), goneAs);
        }
        foreach (var member in after.Members)
        {
            var earlier = before?.Find(member.UniqueAddress);
            if (earlier is null)
            {
                yield return new MemberJoined(member.With(MemberStatus.Joining));
                yield return new MemberUp(member.With(MemberStatus.Up));
            }
            var was = before?.Unreachable.Contains(member.UniqueAddress) == true;
            var isNow = after.Unreachable.Contains(member.UniqueAddress);
            if (isNow && !was) yield return new UnreachableMember(member);
            if (was && !isNow) yield return new ReachableMember(member);
            if (member.Status == MemberStatus.Leaving && earlier?.Status != MemberStatus.Leaving) yield return new MemberLeft(member);
            if (member.Status == MemberStatus.Down && earlier?.Status != MemberStatus.Down) yield return new MemberDowned(member);
        }
        if (!after.Authority.Address.Equals(before?.Authority.Address)) yield return new LeaderChanged(after.Authority.Address);
        var (former, present) = (before is null ? [] : RoleLeaders(before), RoleLeaders(after));
        foreach (var role in former.Keys.Union(present.Keys).Order(StringComparer.Ordinal))
        {
            if (!Equals(former.GetValueOrDefault(role), present.GetValueOrDefault(role)))
                yield return new RoleLeaderChanged(role, present.GetValueOrDefault(role));
        }
    }

    /// <summary>The events of this node's own end.</summary>
    public static IEnumerable<IClusterDomainEvent> End(View last, UniqueAddress self, MemberStatus goneAs)
    {
        var member = last?.Find(self);
        if (member is not null)
        {
            foreach (var each in Going(member, goneAs)) yield return each;
        }
        yield return ClusterShuttingDown.Instance;
        if (member is not null) yield return new MemberRemoved(member.With(MemberStatus.Removed), goneAs);
    }

    /// <summary>What was not told yet of the way out.</summary>
    private static IEnumerable<IClusterDomainEvent> Going(Member member, MemberStatus goneAs)
    {
        if (goneAs == MemberStatus.Down)
        {
            if (member.Status != MemberStatus.Down) yield return new MemberDowned(member.With(MemberStatus.Down));
            yield break;
        }
        if (member.Status == MemberStatus.Up) yield return new MemberLeft(member.With(MemberStatus.Leaving));
        yield return new MemberExited(member.With(MemberStatus.Exiting));
    }

    /// <summary>The oldest member of each role that is up and can be reached; the authority where it has the role.</summary>
    private static ImmutableDictionary<string, Address> RoleLeaders(View view)
    {
        var leaders = ImmutableDictionary.CreateBuilder<string, Address>();
        foreach (var member in view.Members)
        {
            if (member.Status != MemberStatus.Up || view.Unreachable.Contains(member.UniqueAddress)) continue;
            foreach (var role in member.Roles)
            {
                if (member.UniqueAddress.Equals(view.Authority)) leaders[role] = member.Address;
                else leaders.TryAdd(role, member.Address);
            }
        }
        return leaders.ToImmutable();
    }
}
