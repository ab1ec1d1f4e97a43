using Akka.Actor;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Runtime;
using Serilog.Core;

namespace Rl.Distributed.Node.Tests.Simulation;

/// <summary>Weights on their way from the parameter server to another node's cache, over the simulated network.</summary>
public sealed class ParametersBetweenNodesTests
{
    private const int Parameters = 100_000;

    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(5);
    private readonly SnapshotPool _atServer = new(Parameters), _atCache = new(Parameters);
    private readonly ParameterCell _cell = new();
    private readonly ActorSystem _near, _far;
    private readonly IActorRef _server;

    public ParametersBetweenNodesTests()
    {
        (_near, _far) = (System("10.0.0.1"), System("10.0.0.2"));
        var options = new ParameterServerOptions { ChunksInFlight = 2 };
        _server = _near.ActorOf(Props.Create(() => new ParameterServerActor(options)), "server");
        var (cell, snapshots) = (_cell, _atCache);
        var server = _far.ActorSelection(new RootActorPath(EngineHost.AddressOf(new HostPort("10.0.0.1", 1))) / "user" / "server");
        var found = server.ResolveOne(TimeSpan.FromSeconds(5));
        _simulation.RunUntil(() => found.IsCompleted, TimeSpan.FromSeconds(5));
        var remote = found.Result;
        _far.ActorOf(Props.Create(() => new ParameterCacheActor(remote, cell, snapshots)), "cache");
        Advance(10);
    }

    [Fact]
    public void A_version_arrives_whole_whatever_its_size()
    {
        Publish(1);
        Advance(200);
        var held = _cell.Acquire()!;
        Assert.Equal(new ParameterVersion(0, 1), held.Version);
        Assert.Equal(Values(1), held.Values);
    }

    [Fact]
    public void Within_the_interval_only_the_newest_version_is_sent()
    {
        for (var version = 1; version <= 40; version++)
        {
            Publish(version);
            Advance(10);
        }
        Advance(200);
        Assert.Equal(40, _cell.Acquire()!.Version.Counter);
        // 400 ms at one version each 50 ms, each of seven chunks.
        Assert.InRange(_simulation.Network.MessagesDelivered, 8 * 7, 12 * 7 * 2 + 100);
    }

    [Fact]
    public void A_slow_network_gets_fewer_versions_and_the_server_keeps_few_buffers()
    {
        _simulation.Network.BytesPerSecond = 1_000_000;
        for (var version = 1; version <= 500; version++)
        {
            Publish(version);
            Advance(10);
        }
        Assert.InRange(_cell.Acquire()!.Version.Counter, 400, 499);
        Assert.InRange(_atServer.Created, 1, 4);
        Assert.InRange(_atCache.Created, 1, 4);
    }

    [Fact]
    public void Lost_chunks_cost_time_and_nothing_else()
    {
        _simulation.Network.DropProbability = 0.2;
        Publish(1);
        _simulation.Advance(TimeSpan.FromSeconds(20));
        _simulation.Network.DropProbability = 0;
        Publish(2);
        _simulation.Advance(TimeSpan.FromSeconds(8));
        var held = _cell.Acquire()!;
        Assert.Equal(2, held.Version.Counter);
        Assert.Equal(Values(2), held.Values);
    }

    private static float[] Values(long version) => [.. Enumerable.Range(0, Parameters).Select(i => version + (i / 1024f))];

    private ActorSystem System(string host) =>
        EngineHost.Create(_simulation, Logger.None, new NodeEndpoint { Listen = new HostPort(host, 1) });

    private void Publish(long version) =>
        _server.Tell(new PublishParameters(_atServer.Take(new ParameterVersion(0, version), Values(version))));

    private void Advance(int milliseconds) => _simulation.Advance(TimeSpan.FromMilliseconds(milliseconds));
}
