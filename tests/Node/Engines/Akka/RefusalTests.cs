using System.Text;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace Rl.Distributed.Node.Tests.Engines;

/// <summary>What a peer with the packages' own configuration tries on a node. Each test tries it on an unprotected system too:
/// there it must succeed, or the test would show nothing.</summary>
public sealed class RefusalTests(RefusalTests.Fixture fixture) : IClassFixture<RefusalTests.Fixture>, IDisposable
{
    private static int _deployed, _built;

    private readonly List<ExtendedActorSystem> _systems = [];

    private const string Unprotected = """
        akka { stdout-loglevel = OFF, loglevel = OFF, loggers = [], log-dead-letters = off, actor.provider = remote
               remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0 } }
        """;

    [Fact]
    public async Task Remote_deployment_is_refused()
    {
        var node = fixture.Node;
        var (peer, victim) = (Started(), Started());

        await Deploy(peer, Address(victim));
        Assert.Equal(1, Volatile.Read(ref _deployed));
        await Deploy(peer, node.Cluster.SelfAddress);
        await TestNode.Until(() => node.Log.Any(line => line.Contains("Remote deployment is refused", StringComparison.Ordinal)), "a line that says so");
        Assert.Equal(1, Volatile.Read(ref _deployed));
    }

    [Fact]
    public async Task A_payload_that_names_its_type_is_refused()
    {
        var node = fixture.Node;
        var (peer, victim) = (Started(), Started());
        var received = new List<object>();
        var keeper = victim.ActorOf(Props.Create(() => new Gatherer(received)), "keeper");

        peer.ActorSelection($"{Address(victim)}/user/keeper").Tell(new Gadget("a"));
        await TestNode.Until(() => Volatile.Read(ref _built) == 2, "the unprotected system to build what was named");
        var protectedKeeper = ((ExtendedActorSystem)peer).Provider.ResolveActorRef($"{node.Cluster.SelfAddress}/user/keeper");
        protectedKeeper.Tell(new Gadget("b"));
        await TestNode.Until(() => node.Log.Any(line => line.Contains("JSON is refused", StringComparison.Ordinal)), "a line that says so");
        Assert.Equal(3, Volatile.Read(ref _built)); // the third is the sender's own
        Assert.Empty(node.Received);
    }

    [Theory]
    [InlineData(1, "System.Uri, System.Private.Uri")]
    [InlineData(2, "System.Uri, System.Private.Uri")]
    [InlineData(3, "")]
    [InlineData(4, "System.Uri, System.Private.Uri")]
    [InlineData(5, "Akka.Cluster.Routing.ClusterRouterPool, Akka.Cluster")]
    [InlineData(5, "test:1:Akka.Cluster.Routing.ClusterRouterPool, Akka.Cluster")]
    [InlineData(6, "System.Uri, System.Private.Uri")]
    [InlineData(16, "STF")]
    [InlineData(16, "PP")]
    [InlineData(16, "K")]
    [InlineData(16, "CF")]
    [InlineData(22, "Akka.Dispatch.SysMsg.Terminate, Akka")]
    [InlineData(22, "Terminate")]
    [InlineData(22, "Failed")]
    [InlineData(36, "a")]
    [InlineData(5100, "System.Uri, System.Private.Uri")]
    [InlineData(5100, "2:7")]
    [InlineData(5100, "1:200")]
    public void Bytes_of_any_other_kind_are_refused(int serializer, string manifest)
    {
        var node = fixture.Node;
        var error = Assert.ThrowsAny<System.Runtime.Serialization.SerializationException>(
            () => node.System.Serialization.Deserialize(Encoding.UTF8.GetBytes("{}"), serializer, manifest));
        Assert.DoesNotContain("Cannot find", error.Message);
    }

    [Fact]
    public void Every_serializer_of_the_packages_is_replaced()
    {
        var node = fixture.Node;
        var own = typeof(Rl.Distributed.Node.Engines.EngineHost).Assembly;
        foreach (var type in new[] { typeof(object), typeof(string), typeof(ActorSelectionMessage), typeof(PoisonPill), typeof(Gadget) })
        {
            var serializer = node.System.Serialization.FindSerializerForType(type);
            if (serializer is Akka.Remote.Serialization.PrimitiveSerializers) continue;
            Assert.Equal(own, serializer.GetType().Assembly);
        }
        Assert.Null(node.System.Serialization.Deserialize([], 0, "no such thing"));
        foreach (var id in Enumerable.Range(1, 40))
        {
            var error = Record.Exception(() => node.System.Serialization.Deserialize([], id, "no such thing"));
            Assert.True(error is not null, $"serializer {id} read an empty message of no kind");
        }
    }

    public sealed class Fixture : IAsyncLifetime
    {
        internal TestNode Node { get; } = new(["learner"]);

        public async ValueTask InitializeAsync() => await Node.Cluster.JoinAsync(Node.Cluster.SelfAddress);

        public ValueTask DisposeAsync() => Node.DisposeAsync();
    }

    public void Dispose()
    {
        foreach (var system in _systems) system.Abort();
    }

    private ActorSystem Started()
    {
        var system = ActorSystem.Create("rl", ConfigurationFactory.ParseString(Unprotected));
        _systems.Add((ExtendedActorSystem)system);
        return system;
    }

    private static async Task Deploy(ActorSystem peer, Address target)
    {
        var deployed = peer.ActorOf(Props.Create<Deployed>().WithDeploy(new Deploy(new RemoteScope(target))));
        try
        {
            await deployed.Ask<string>("are you there?", TimeSpan.FromSeconds(1));
        }
        catch (AskTimeoutException)
        {
            // The caller looks at what was built.
        }
    }

    private static Address Address(ActorSystem system) => ((ExtendedActorSystem)system).Provider.DefaultAddress;

    public sealed class Deployed : ReceiveActor
    {
        public Deployed()
        {
            Interlocked.Increment(ref _deployed);
            Receive<string>(text => Sender.Tell(text));
        }
    }

    public sealed class Gadget
    {
        public Gadget(string name)
        {
            Interlocked.Increment(ref _built);
            Name = name;
        }

        public string Name { get; }
    }

    private sealed class Gatherer : ReceiveActor
    {
        public Gatherer(List<object> received) => ReceiveAny(received.Add);
    }
}
