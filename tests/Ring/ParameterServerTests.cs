using Akka.Actor;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Ring.Tests;

public sealed class ParameterServerTests
{
    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(11);
    private readonly List<object> _toCache = [];
    private readonly SnapshotPool _snapshots = new(1);
    private readonly ActorSystem _system;
    private readonly IActorRef _cache;

    public ParameterServerTests()
    {
        _system = _simulation.CreateSystem("test");
        _cache = _system.ActorOf(Props.Create(() => new Probe(_toCache)), "cache");
    }

    private IEnumerable<long> Received => _toCache.OfType<ParametersPublished>().Select(message => message.Snapshot.Version.Counter);

    [Fact]
    public void A_late_subscriber_gets_the_newest_version_and_every_later_one()
    {
        var server = Server(TimeSpan.Zero);
        Publish(server, 1);
        Publish(server, 2);
        Subscribe(server);
        Publish(server, 3);
        Assert.Equal([2, 3], Received);
    }

    [Fact]
    public void An_older_version_is_dropped()
    {
        var server = Server(TimeSpan.Zero);
        Subscribe(server);
        Publish(server, 2);
        Publish(server, 1);
        Publish(server, 2);
        Assert.Equal([2], Received);
    }

    [Fact]
    public void Within_the_publish_interval_only_the_newest_version_is_sent_when_it_ends()
    {
        var server = Server(TimeSpan.FromMilliseconds(50));
        Subscribe(server);
        for (var version = 1; version <= 4; version++) Publish(server, version);
        Assert.Equal([1], Received);
        _simulation.Advance(TimeSpan.FromMilliseconds(60));
        Assert.Equal([1, 4], Received);
        _simulation.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal([1, 4], Received);
    }

    private IActorRef Server(TimeSpan publishInterval) => _system.ActorOf(Props.Create(() => new ParameterServerActor(publishInterval)), "server");

    private void Subscribe(IActorRef server)
    {
        _cache.Tell(new Probe.Send(server, SubscribeParameters.Instance));
        _simulation.Advance(TimeSpan.FromMilliseconds(1));
    }

    private void Publish(IActorRef server, long counter)
    {
        server.Tell(new PublishParameters(_snapshots.Take(new ParameterVersion(0, counter), [counter])));
        _simulation.Advance(TimeSpan.FromMilliseconds(1));
    }
}
