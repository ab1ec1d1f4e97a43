namespace Rl.Distributed.Node.Http;

/// <summary>Clusters, each as the best informed of the nodes asked sees it.</summary>
internal sealed record ClusterReport(IReadOnlyList<NodeStatus> Clusters)
{
    /// <summary>Puts nodes that know of each other into one cluster.</summary>
    public static ClusterReport Of(IEnumerable<NodeStatus> nodes)
    {
        var clusters = new List<List<NodeStatus>>();
        foreach (var node in nodes)
        {
            var joined = clusters.Where(cluster => cluster.Exists(other => Know(node, other))).ToList();
            clusters.RemoveAll(joined.Contains);
            clusters.Add([.. joined.SelectMany(cluster => cluster), node]);
        }
        return new ClusterReport([.. clusters.Select(BestInformed).OrderBy(node => node.Cluster, StringComparer.Ordinal)
            .ThenBy(node => node.Address, StringComparer.Ordinal)]);
    }

    /// <summary>The one that knows of the run; of several, or none, the leader; else the one that sees the most members.</summary>
    private static NodeStatus BestInformed(List<NodeStatus> nodes) => nodes
        .OrderByDescending(node => node.Run is not null)
        .ThenByDescending(node => node.Leader == node.Address)
        .ThenByDescending(node => node.Members.Count)
        .ThenBy(node => node.Address, StringComparer.Ordinal)
        .First();

    private static bool Know(NodeStatus a, NodeStatus b) => a.Cluster == b.Cluster && (Lists(a, b) || Lists(b, a));

    private static bool Lists(NodeStatus a, NodeStatus b) => a.Members.Any(member => (member.Address, member.Uid) == (b.Address, b.Uid));
}
