using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace Rl.Distributed.Runtime.Tests.Membership;

/// <summary>Nodes on the simulated network, with hosts that start a new system when one was removed.</summary>
public sealed class ClusterWorld : IDisposable
{
    private readonly List<ClusterNode> _nodes = [];

    public ClusterWorld(ulong seed) => Simulation = EmbeddedEngine.Simulate(seed);

    public EmbeddedEngine.Simulation Simulation { get; }

    public EmbeddedEngine.SimulatedNetwork Network => Simulation.Network;

    public IReadOnlyList<ClusterNode> Nodes => _nodes;

    public TimeSpan Elapsed => Simulation.Now - new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static Address AddressOf(int port) => new("akka.tcp", "rl", "127.0.0.1", port);

    /// <summary>A node that is not started yet.</summary>
    public ClusterNode Add(int port, string role = "actor", params int[] seeds)
    {
        var node = new ClusterNode(this, port, role, seeds.Length == 0 ? [1] : seeds);
        _nodes.Add(node);
        return node;
    }

    public ClusterNode Start(int port, string role = "actor", params int[] seeds)
    {
        var node = Add(port, role, seeds);
        node.Start();
        return node;
    }

    /// <summary>One learner, which is the seed at port 1, and so many others, all up.</summary>
    public ClusterNode[] StartCluster(int others, string firstRole = "learner")
    {
        var all = new[] { Start(1, firstRole) }.Concat(Enumerable.Range(2, others).Select(port => Start(port))).ToArray();
        AssertWithin(4000, () => AllAgree(all));
        return all;
    }

    public void Advance(double milliseconds) => Simulation.Advance(TimeSpan.FromMilliseconds(milliseconds));

    /// <summary>Moves on until the condition, looked at every 10 ms, holds.</summary>
    /// <returns>How long that took, in milliseconds.</returns>
    public double AssertWithin(double milliseconds, Func<bool> condition)
    {
        var from = Elapsed;
        for (var waited = 0.0; !condition(); waited += 10)
        {
            Assert.True(waited < milliseconds, $"not within {milliseconds} ms\n" + this);
            Advance(10);
        }
        return (Elapsed - from).TotalMilliseconds;
    }

    /// <summary>These and no others are members, up and reachable, to all of them.</summary>
    public static bool AllAgree(params ClusterNode[] nodes)
    {
        var expected = nodes.Select(node => node.Self).ToHashSet();
        return nodes.All(node => node.Cluster.State is { Unreachable.IsEmpty: true } state
            && state.Members.All(member => member.Status == MemberStatus.Up)
            && expected.SetEquals(state.Members.Select(member => member.UniqueAddress)));
    }

    public void Partition(params ClusterNode[][] groups) =>
        Network.Partition([.. groups.Select(group => group.Where(node => node.System is not null).Select(node => node.System).ToArray())]);

    public override string ToString()
    {
        var log = _nodes.SelectMany(node => node.Log).Select(entry => entry.ToString()).Order(StringComparer.Ordinal).TakeLast(12);
        return $"at {Elapsed.TotalSeconds:F3} s\n{string.Join('\n', _nodes)}\n{string.Join('\n', log)}";
    }

    public void Dispose()
    {
        foreach (var node in _nodes) node.AssertEventsAreConsistent();
    }
}

/// <summary>The process of one node: its system, and what outlives systems.</summary>
public sealed class ClusterNode(ClusterWorld world, int port, string role, int[] seeds)
{
    private readonly List<List<object>> _events = [];

    public ActorSystem System { get; private set; }

    public Cluster Cluster => Cluster.Get(System);

    public UniqueAddress Self => Cluster.SelfUniqueAddress;

    public Address Address => ClusterWorld.AddressOf(port);

    public int Starts { get; private set; }

    /// <summary>A removed system is replaced by a new one.</summary>
    public bool Restarts { get; set; } = true;

    /// <summary>All that the present system's recorder was told: the snapshot, then the events.</summary>
    public IReadOnlyList<object> Events => _events[^1];

    public IReadOnlyList<object> EventsOf(int start) => _events[start];

    /// <summary>Warnings and errors of all its systems.</summary>
    public List<LogEvent> Log { get; } = [];

    public bool IsRunning => System is not null && !System.WhenTerminated.IsCompleted;

    public void Start(bool join = true)
    {
        var system = System = world.Simulation.CreateSystem("rl",
            new() { Remote = new() { Wire = new NoteWire(), BindPort = port, Roles = [role] } });
        Starts++;
        var (events, log) = (new List<object>(), Log);
        _events.Add(events);
        var recorder = system.ActorOf(Act.Of(act => act.OnAny(events.Add)), "recorder");
        var logger = system.ActorOf(Act.Of(act => act.On<LogEvent>(log.Add)), "log");
        system.EventStream.Subscribe(logger, typeof(Warning));
        system.EventStream.Subscribe(logger, typeof(Error));
        Cluster.Subscribe(recorder, typeof(ClusterEvent.IClusterDomainEvent));
        if (join) Join();
        system.WhenTerminated.ContinueWith(_ => RestartAfter(system), TaskContinuationOptions.ExecuteSynchronously);
    }

    private void RestartAfter(ActorSystem ended) => world.Simulation.TimeProvider.CreateTimer(
        _ =>
        {
            if (Restarts && System == ended) Start();
        }, null, TimeSpan.FromMilliseconds(20), Timeout.InfiniteTimeSpan);

    public void Join() => Cluster.JoinSeedNodes(seeds.Select(ClusterWorld.AddressOf));

    /// <summary>SIGKILL, or a machine that falls silent.</summary>
    public void Crash(bool silent = false)
    {
        world.Simulation.Crash(System, silent);
        System = null;
    }

    public bool Saw<T>(ClusterNode other)
        where T : class => Events.OfType<T>().Any(each => each switch
    {
        ClusterEvent.IMemberEvent member => member.Member.Address == other.Address,
        ClusterEvent.ReachabilityEvent reachability => reachability.Member.Address == other.Address,
        _ => false,
    });

    public void AssertEventsAreConsistent()
    {
        foreach (var events in _events) EventRules.Check(events);
    }

    public override string ToString() => $"{port} {role}: " + (System is null ? "crashed" : Text(Cluster));

    private string Text(Cluster cluster)
    {
        var members = cluster.State.Members.Select(member => $"{member.Address.Port}#{member.UniqueAddress.Uid % 1000} {member.Status}"
            + (cluster.State.Unreachable.Contains(member) ? "!" : ""));
        return $"{(IsRunning ? "" : "terminated ")}uid {Self.Uid} leader {cluster.State.Leader?.Port} "
            + $"members [{string.Join(", ", members)}] id {cluster.Membership.View?.Id}";
    }
}
