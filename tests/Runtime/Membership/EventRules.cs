using Akka.Cluster;
using static Akka.Cluster.ClusterEvent;

namespace Rl.Distributed.Runtime.Tests.Membership;

/// <summary>What holds for the events that one subscriber is told.</summary>
public static class EventRules
{
    public static void Check(IReadOnlyList<object> events)
    {
        var nodes = new Dictionary<UniqueAddress, Seen>();
        for (var i = 0; i < events.Count; i++)
        {
            var told = events[i];
            if (told is CurrentClusterState state)
            {
                Assert.Equal(0, i);
                foreach (var member in state.Members)
                    nodes[member.UniqueAddress] = new Seen(member.Status, state.Unreachable.Contains(member));
            }
            else if (told is IMemberEvent change)
            {
                nodes.TryGetValue(change.Member.UniqueAddress, out var seen);
                var next = change.Member.Status;
                Assert.True(Follows(seen?.Status, next), Text($"{change} after {seen}"));
                if (told is MemberRemoved removed)
                    Assert.True(removed.PreviousStatus == seen.Status
                        && removed.PreviousStatus is MemberStatus.Exiting or MemberStatus.Down, Text($"{told} after {seen}"));
                nodes[change.Member.UniqueAddress] = new Seen(next, seen is { IsUnreachable: true });
            }
            else if (told is ReachabilityEvent reachability)
            {
                Assert.True(nodes.TryGetValue(reachability.Member.UniqueAddress, out var seen), Text($"{told} of nobody"));
                Assert.NotEqual(MemberStatus.Removed, seen.Status);
                Assert.NotEqual(seen.IsUnreachable, told is UnreachableMember);
                nodes[reachability.Member.UniqueAddress] = seen with { IsUnreachable = told is UnreachableMember };
            }
        }
        var end = events.ToList().IndexOf(ClusterShuttingDown.Instance);
        if (end >= 0)
            Assert.True(events.Skip(end + 1).All(each => each is MemberRemoved) && events.Count - end <= 2, Text("more after the end"));

        string Text(string problem) => $"{problem} in\n{string.Join('\n', events)}";
    }

    private static bool Follows(MemberStatus? from, MemberStatus to) => (from, to) switch
    {
        (null, MemberStatus.Joining) => true,
        (MemberStatus.Joining, MemberStatus.Up) => true,
        (MemberStatus.Up, MemberStatus.Leaving or MemberStatus.Down) => true,
        (MemberStatus.Leaving, MemberStatus.Exiting or MemberStatus.Down) => true,
        (MemberStatus.Exiting or MemberStatus.Down, MemberStatus.Removed) => true,
        _ => false,
    };

    private sealed record Seen(MemberStatus Status, bool IsUnreachable);
}
