using System.Net.Sockets;
using Akka.Actor;
using Akka.Configuration;
using Rl.Distributed.Actors;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Http;
using Rl.Distributed.Node.Training;
using Rl.Distributed.Runtime;
using Serilog;

namespace Rl.Distributed.Node.Engines;

/// <summary>Starts the embedded engine.</summary>
internal static class EngineHost
{
    /// <summary>As <c>-p:Engine</c> names it.</summary>
    public const string Name = "embedded";

    /// <summary>Nodes can be asked for a shared secret.</summary>
    public const bool HasSecrets = true;

    private const string SystemName = "rl";

    /// <summary>An actor system on threads, which logs to <paramref name="logger"/>.</summary>
    /// <param name="logger">Gets what the engine logs.</param>
    /// <param name="endpoint">How others reach it; null: it stays in its process.</param>
    /// <exception cref="ConfigException">A certificate cannot be used, or the port is taken.</exception>
    public static ActorSystem Create(ILogger logger, NodeEndpoint? endpoint = null)
    {
        try
        {
            return WithLog(EmbeddedEngine.Create(SystemName, Options(endpoint)), logger);
        }
        catch (ConfigurationException e)
        {
            throw new ConfigException(e.Message, e);
        }
        catch (SocketException e) when (endpoint is not null)
        {
            throw new ConfigException($"Cannot listen on {endpoint.Listen}: {e.Message}. Choose another address or port with --listen.", e);
        }
    }

    /// <summary>An actor system on the simulation's one thread.</summary>
    public static ActorSystem Create(EmbeddedEngine.Simulation simulation, ILogger logger, NodeEndpoint? endpoint = null) =>
        WithLog(simulation.CreateSystem(SystemName, Options(endpoint)), logger);

    /// <summary>The address of a node's actor system.</summary>
    public static Address AddressOf(HostPort node) => new("akka.tcp", SystemName, node.Host, node.Port);

    /// <summary>What went over the node's links so far.</summary>
    public static IEnumerable<LinkBytes> Links(ActorSystem system) =>
        EmbeddedEngine.TrafficOf(system)
            .GroupBy(traffic => (traffic.Peer, Content: WireTable.ContentOf(traffic.MessageId)))
            .SelectMany(kind => new[]
            {
                new LinkBytes(kind.Key.Peer.ToString(), true, kind.Key.Content, kind.Sum(traffic => traffic.Sent)),
                new LinkBytes(kind.Key.Peer.ToString(), false, kind.Key.Content, kind.Sum(traffic => traffic.Received)),
            });

    private static EmbeddedEngine.Options Options(NodeEndpoint? endpoint) => new()
    {
        Dispatchers = new Dictionary<string, EmbeddedEngine.DispatcherKind>
        {
            [WorkerPool.Dispatcher] = EmbeddedEngine.DispatcherKind.Pinned,
            [RunCoordinator.LearnerDispatcher] = EmbeddedEngine.DispatcherKind.Pinned,
        },
        Remote = endpoint is null ? null : new EmbeddedEngine.RemoteOptions
        {
            Wire = new EmbeddedWireFormat(endpoint.Wire),
            BindHost = endpoint.Listen.Host,
            BindPort = endpoint.Listen.Port,
            Host = endpoint.Advertise?.Host,
            Port = endpoint.Advertise is { Port: > 0 and var port } ? port : null,
            ClusterName = endpoint.ClusterName,
            Roles = endpoint.Roles,
            KeepRole = NodeRoles.Learner,
            Secret = endpoint.Secret,
            Tls = endpoint.Certificates is { } tls ? new EmbeddedEngine.TlsOptions(tls.Certificate, tls.Key, tls.Authority) : null,
        },
    };

    private static ActorSystem WithLog(ActorSystem system, ILogger logger)
    {
        system.ActorOf(Props.Create(() => new LogBridge(logger)), "log");
        return system;
    }
}
