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
        var server = Server();
        Publish(server, 1);
        Publish(server, 2);
        Subscribe(server);
        Publish(server, 3);
        Assert.Equal([2, 3], Received);
    }

    [Fact]
    public void An_older_version_is_dropped()
    {
        var server = Server();
        Subscribe(server);
        Publish(server, 2);
        Publish(server, 1);
        Publish(server, 2);
        Assert.Equal([2], Received);
    }

    private IActorRef Server() => _system.ActorOf(Props.Create(() => new ParameterServerActor(new ParameterServerOptions())), "server");

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
