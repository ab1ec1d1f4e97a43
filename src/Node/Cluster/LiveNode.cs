using Akka.Actor;
using Akka.Cluster;
using Rl.Distributed.Node.Commands;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Http;
using Rl.Distributed.Node.Training;
using Serilog;

namespace Rl.Distributed.Node.Clustering;

/// <summary>What this process shows of itself to the outside: its health, its cluster, its run. Actors and commands leave here what they
/// know; web servers read it.</summary>
/// <remarks>Thread-safe; nobody waits for anybody.</remarks>
/// <param name="endpoint">How other nodes reach it; null: it is alone.</param>
/// <param name="config">The run that it leads; null: none.</param>
/// <param name="clock">For its age.</param>
internal sealed class LiveNode(NodeEndpoint? endpoint, TrainingConfig? config, TimeProvider clock)
{
    private readonly long _startedAt = clock.GetTimestamp();
    private readonly NodeMetrics _metrics = new();
    private volatile ActorSystem? _system;
    private volatile TrainingProgress? _progress;
    private volatile IReadOnlyDictionary<string, int> _workers = new Dictionary<string, int>();
    private volatile CheckpointInfo? _checkpoint;
    private volatile NodeAdmin? _admin;
    private volatile ILogger? _logger;
    private volatile WorkHistory? _acts;

    /// <summary>The run's progress, for a node that leads one.</summary>
    public TrainingProgress? Progress
    {
        get => _progress;
        set => _progress = value;
    }

    /// <summary>What its workers did, for a node that acts for runs which others lead.</summary>
    public WorkHistory? Acts
    {
        get => _acts;
        set => _acts = value;
    }

    /// <summary>The run that it leads has a new checkpoint, at so many frames.</summary>
    public void Saved(long frames) => _checkpoint = new CheckpointInfo(frames, clock.GetUtcNow());

    /// <summary>Tells people who comes; null: nobody.</summary>
    public Action<string>? Say { get; set; }

    /// <summary>The process has a new actor system, by which others reach it.</summary>
    public ActorSystem Started(ActorSystem system)
    {
        _system = system;
        if (endpoint is null) return system;
        if (config is not null && SelfAddress is var address)
            Say?.Invoke($"Listening on {Short(address)}: others join with `{CommandLine.Name} node --join {Short(address)}`");
        try
        {
            _admin?.Register(Cluster.Get(system).SelfAddress.ToString(), NodeRegistration.DefaultFolders, clock.GetUtcNow());
        }
        catch (IOException e)
        {
            _logger?.Warning("`rl cluster status` will not find this node by itself: {Reason}", e.Message);
        }
        return system;
    }

    /// <summary>Which workers the run has, by node.</summary>
    public void Show(WorkerRoster roster)
    {
        var workers = roster.WorkersByNode.GroupBy(entry => entry.Node).ToDictionary(node => node.Key, node => node.Sum(entry => entry.Workers));
        if (roster.LocalWorkers > 0) workers[SelfAddress] = roster.LocalWorkers;
        foreach (var (node, count) in workers)
            if (!_workers.ContainsKey(node) && node != SelfAddress) Say?.Invoke($"{Short(node)} joins with {count} {(count == 1 ? "worker" : "workers")}");
        _workers = workers;
    }

    private static string Short(string node) => node[(node.LastIndexOf('@') + 1)..];

    /// <summary>Serves the pages until it is disposed of.</summary>
    /// <param name="http">Where, beside loopback; null: nowhere else.</param>
    /// <param name="logger">Told where.</param>
    /// <exception cref="CommandFailedException">One cannot listen there; the message says why and what to do.</exception>
    public IDisposable Serve(HostPort? http, ILogger logger)
    {
        StandardMetrics.AddTo(_metrics, Status, () => _system is { } system ? EngineHost.Links(system) : []);
        var admin = NodeAdmin.Start(http, new NodePages { Health = Health, Status = Status, Metrics = _metrics });
        logger.Information("Pages of this node: http://{Address}/health, /metrics, /cluster", admin.Http ?? admin.Admin);
        _logger = logger;
        return _admin = admin;
    }

    private string SelfAddress => _system is { } system && endpoint is not null ? Cluster.Get(system).SelfAddress.ToString() : "local";

    private Member? Self => _system is { } system && endpoint is not null ? Cluster.Get(system).SelfMember : null;

    private NodeHealth Health()
    {
        var state = endpoint is null ? "alone" : (Self?.Status ?? MemberStatus.Removed).ToString();
        return new NodeHealth
        {
            State = state,
            Roles = endpoint?.Roles ?? [],
            Uptime = clock.GetElapsedTime(_startedAt),
            Unhealthy = endpoint is null || Self?.Status is MemberStatus.Up or MemberStatus.WeaklyUp
                ? null
                : $"the node is not a member of its cluster ({state})",
        };
    }

    private NodeStatus Status()
    {
        var status = new NodeStatus
        {
            Address = SelfAddress,
            Uid = 0,
            Roles = endpoint?.Roles ?? [],
            Cluster = endpoint?.ClusterName ?? "",
            Engine = EngineHost.Name,
            Version = CommandLine.Version,
            Members = [],
            Run = Run(),
            Work = Work(),
        };
        if (endpoint is null || _system is not { } system) return status;
        var cluster = Cluster.Get(system);
        var state = cluster.State;
        return status with
        {
            Uid = cluster.SelfUniqueAddress.Uid,
            Leader = state.Leader?.ToString(),
            Members =
            [
                .. state.Members.Select(member => new MemberInfo(
                    member.Address.ToString(), member.UniqueAddress.Uid, member.Status.ToString(),
                    [.. member.Roles.Order(StringComparer.Ordinal)], !state.Unreachable.Contains(member))),
            ],
        };
    }

    private RunStatus? Run() => config is null ? null : new RunStatus
    {
        Preset = config.Preset,
        Frames = _progress?.Frames ?? 0,
        TotalFrames = config.Frames,
        FramesPerSecond = _progress?.FramesPerSecond ?? 0,
        MeanReturn100 = _progress?.MeanReturn100,
        GreedyReturn = _progress?.Evaluation?.MeanReturn,
        GreedyFrames = _progress?.Evaluation?.Frames,
        PolicyLag = _progress?.PolicyLag,
        ShardSkew = _progress?.ShardSkew,
        Updates = _progress?.Updates ?? 0,
        Workers = _workers,
        Unrolls = _progress is { } now
            ? new UnrollCounts(now.UnrollsSent, now.UnrollsConsumed, now.UnrollsLost, now.UnrollsRejected, now.UnrollsRolledBack)
            : new UnrollCounts(0, 0, 0, 0, 0),
        Checkpoint = _checkpoint,
    };

    private WorkStatus? Work()
    {
        if (_acts is not { } acts) return null;
        var reports = acts.Reports();
        return new WorkStatus(
            acts.Workers, reports.Sum(each => each.Sent), reports.Sum(each => each.Consumed), reports.Sum(each => each.Lost),
            reports.Sum(each => each.Rejected));
    }
}
