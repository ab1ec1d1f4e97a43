using Akka.Actor;
using Akka.Configuration;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Http;
using Rl.Distributed.Node.Training;
using Serilog;

namespace Rl.Distributed.Node.Engines;

/// <summary>Starts Akka.NET.</summary>
internal static class EngineHost
{
    /// <summary>As <c>-p:Engine</c> names it.</summary>
    public const string Name = "akka";

    /// <summary>Nodes can be asked for a shared secret.</summary>
    public const bool HasSecrets = false;

    private const string SystemName = "rl";

    /// <summary>An actor system on threads, which logs to <paramref name="logger"/>.</summary>
    /// <param name="logger">Gets what the engine logs.</param>
    /// <param name="endpoint">How others reach it; null: it stays in its process.</param>
    /// <exception cref="ConfigException">The endpoint has a secret or certificates, which this engine cannot ask for.</exception>
    public static ActorSystem Create(ILogger logger, NodeEndpoint? endpoint = null) => endpoint is null
        ? WithLog(ActorSystem.Create(SystemName, ConfigurationFactory.ParseString(AkkaConfig.Local)), logger)
        : CreateReachable(logger, endpoint);

    /// <summary>The address of a node's actor system.</summary>
    public static Address AddressOf(HostPort node) => new("akka.tcp", SystemName, node.Host, node.Port);

    /// <summary>What went over the node's links so far, without Akka.NET's envelopes and its own messages.</summary>
    public static IEnumerable<LinkBytes> Links(ActorSystem system) =>
        system.Serialization.FindSerializerForType(typeof(object)) is WireSerializer wire ? wire.Links : [];

    private static ActorSystem CreateReachable(ILogger logger, NodeEndpoint endpoint)
    {
        if (!endpoint.Secret.IsEmpty)
        {
            throw new ConfigException(
                "This build runs on Akka.NET, whose remoting has no shared secret: leave the secret out and listen on loopback, or, on a "
                + "private network that only the cluster's nodes reach, give --insecure. The default build (-p:Engine=embedded) has secrets.");
        }
        if (endpoint.Certificates is not null)
        {
            throw new ConfigException(
                "This build runs on Akka.NET, whose remoting does not ask peers for certificates in this release: leave the --tls options out. "
                + "The default build (-p:Engine=embedded) has mutual TLS.");
        }
        var bootstrap = BootstrapSetup.Create().WithConfig(ConfigurationFactory.ParseString(AkkaConfig.Remote(endpoint)));
        var system = WithLog(ActorSystem.Create(SystemName, bootstrap.And(Serializers.Create(endpoint))), logger);
        system.ActorOf(Props.Create(() => new NodeLoss()), "node-loss");
        return system;
    }

    private static ActorSystem WithLog(ActorSystem system, ILogger logger)
    {
        system.ActorOf(Props.Create(() => new LogBridge(logger)), "log");
        return system;
    }
}
