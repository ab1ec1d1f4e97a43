using System.Globalization;

namespace Rl.Distributed.Node.Http;

/// <summary>What every node tells Prometheus: of the run, of the cluster, of the links to other nodes and of its process.</summary>
internal static class StandardMetrics
{
    /// <summary>Asks <paramref name="status"/> and <paramref name="links"/> once a scrape.</summary>
    public static void AddTo(NodeMetrics metrics, Func<NodeStatus> status, Func<IEnumerable<LinkBytes>> links)
    {
        metrics.Collect(Process);
        metrics.Collect(page =>
        {
            var now = status();
            Cluster(page, now);
            if (now.Run is { } run) Run(page, run);
            if (now.Work is { } work) Work(page, work, now.Address);
        });
        metrics.Collect(page =>
        {
            foreach (var link in links()) Link(page, link);
        });
    }

    private static void Run(MetricsPage page, RunStatus run)
    {
        page.Counter("rl_frames_total", "Environment steps that were learned from.", run.Frames);
        page.Gauge("rl_frames_target", "Environment steps after which the run ends.", run.TotalFrames);
        page.Gauge("rl_frames_per_second", "Environment steps learned from per second, of late.", run.FramesPerSecond);
        page.Gauge("rl_mean_return_100", "Mean return of the last 100 episodes; NaN until one ended.", run.MeanReturn100 ?? double.NaN);
        if (run is { GreedyReturn: { } greedy, GreedyFrames: { } frames })
        {
            page.Gauge("rl_greedy_return", "Mean return of the newest evaluation's greedy episodes.", greedy);
            page.Gauge("rl_greedy_frames", "Environment steps that its parameters had learned from.", frames);
        }
        page.Gauge("rl_policy_lag", "Mean updates between the weights that acted and those that learned.", run.PolicyLag ?? double.NaN);
        if (run.ShardSkew is { } skew)
            page.Gauge("rl_shard_skew", "Mean updates between the shard that had most and the one that had least, in the weights that acted.", skew);
        page.Counter("rl_updates_total", "Updates of the weights.", run.Updates);

        var (sent, consumed, lost, rejected, rolledBack) = run.Unrolls;
        Unrolls(page, ("sent", sent), ("consumed", consumed), ("lost", lost), ("rejected", rejected), ("rolled_back", rolledBack));
        foreach (var (node, count) in run.Workers) Workers(page, node, count);
        if (run.Checkpoint is not { } checkpoint) return;
        page.Gauge("rl_checkpoint_frames", "Environment steps in the newest checkpoint.", checkpoint.Frames);
        page.Gauge("rl_checkpoint_timestamp_seconds", "When the newest checkpoint was complete, in Unix time.",
            checkpoint.SavedAt.ToUnixTimeMilliseconds() / 1000.0);
    }

    // A node's own, where another leads the run: that one tells of all nodes.
    private static void Work(MetricsPage page, WorkStatus work, string node)
    {
        Unrolls(page, ("sent", work.Sent), ("consumed", work.Consumed), ("lost", work.Lost), ("rejected", work.Rejected));
        Workers(page, node, work.Workers);
    }

    private static void Unrolls(MetricsPage page, params ReadOnlySpan<(string Outcome, long Count)> outcomes)
    {
        foreach (var (outcome, count) in outcomes)
            page.Counter("rl_unrolls_total", "Unrolls by what became of them.", count, ("outcome", outcome));
    }

    private static void Workers(MetricsPage page, string node, int count) =>
        page.Gauge("rl_workers", "Workers by the node that they act on.", count, ("node", node));

    private static void Cluster(MetricsPage page, NodeStatus node)
    {
        page.Gauge("rl_node_info", "What the node is; always 1.", 1,
            ("cluster", node.Cluster), ("engine", node.Engine), ("version", node.Version), ("roles", string.Join(',', node.Roles)));
        foreach (var members in node.Members.GroupBy(member => member.Status))
            page.Gauge("rl_members", "Members of the cluster by status, as this node sees them.", members.Count(), ("status", members.Key));
        page.Gauge("rl_members_unreachable", "Members that this node cannot reach.", node.Members.Count(member => !member.Reachable));
    }

    private static void Link(MetricsPage page, LinkBytes link) => page.Counter(
        "rl_bytes_total", "Bytes to and from other nodes.", link.Bytes,
        ("link", link.Address), ("direction", link.Sent ? "sent" : "received"), ("kind", link.Kind.ToString().ToLowerInvariant()));

    private static void Process(MetricsPage page)
    {
        page.Gauge("rl_process_resident_bytes", "Memory of the process that is resident.", Environment.WorkingSet);
        page.Counter("rl_process_cpu_seconds_total", "Processor time that the process took.", Environment.CpuUsage.TotalTime.TotalSeconds);
        page.Gauge("rl_process_managed_heap_bytes", "Managed memory in use.", GC.GetTotalMemory(forceFullCollection: false));
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            page.Counter("rl_gc_collections_total", "Garbage collections; one of a generation counts for the younger ones too.",
                GC.CollectionCount(generation), ("generation", generation.ToString(CultureInfo.InvariantCulture)));
        }
    }
}

/// <summary>Bytes between this node and another one since this node began.</summary>
/// <param name="Address">The other node's.</param>
internal readonly record struct LinkBytes(string Address, bool Sent, LinkContent Kind, long Bytes);

/// <summary>What goes over a link.</summary>
internal enum LinkContent
{
    Experience,
    Weights,
    Gradients,
    Other,
}
