using System.Collections.Concurrent;
using System.Diagnostics;
using Akka.Actor;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.ParameterServer;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Rl.Distributed.Node.Tests.Engines;

/// <summary>A node on loopback, in this process, with an actor "keeper" that keeps and echoes what it receives.</summary>
internal sealed class TestNode : IAsyncDisposable, ILogEventSink
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private readonly ConcurrentQueue<string> _log = [];

    public TestNode(string[] roles, string clusterName = "test", int port = 0)
    {
        var logger = new LoggerConfiguration().MinimumLevel.Debug().WriteTo.Sink(this).CreateLogger();
        System = EngineHost.Create(logger, Endpoint with { Listen = new HostPort("127.0.0.1", port), Roles = roles, ClusterName = clusterName });
        Cluster = Akka.Cluster.Cluster.Get(System);
        Keeper = System.ActorOf(Props.Create(() => new KeepingActor(Received)), "keeper");
    }

    /// <summary>On any free port of loopback.</summary>
    public static NodeEndpoint Endpoint { get; } = new() { Listen = new HostPort("127.0.0.1", 0) };

    public ActorSystem System { get; }

    public Akka.Cluster.Cluster Cluster { get; }

    public IActorRef Keeper { get; }

    public ConcurrentQueue<object> Received { get; } = [];

    public IEnumerable<string> Log => _log;

    public int Members => Cluster.State.Members.Count(member => member.Status == Akka.Cluster.MemberStatus.Up);

    public static async Task Until(Func<bool> condition, string what)
    {
        for (var begun = Stopwatch.GetTimestamp(); !condition(); await Task.Delay(10))
            if (Stopwatch.GetElapsedTime(begun) > Limit) Assert.Fail($"Not within {Limit.TotalSeconds:0} s: {what}");
    }

    public async Task<IActorRef> Find(TestNode other) => await Find(System, other);

    public static async Task<IActorRef> Find(ActorSystem from, TestNode other) =>
        await from.ActorSelection($"{other.Cluster.SelfAddress}/user/keeper").ResolveOne(Limit);

    public void Emit(LogEvent logEvent) => _log.Enqueue($"{logEvent.Timestamp:ss.fff} {logEvent.RenderMessage()} {logEvent.Exception}");

    /// <summary>Ends it as a crash would.</summary>
    public async ValueTask DisposeAsync()
    {
        ((ExtendedActorSystem)System).Abort();
        await System.WhenTerminated;
    }

    private sealed class KeepingActor : ReceiveActor
    {
        public KeepingActor(ConcurrentQueue<object> received)
        {
            Receive<IActorRef>(watched => Context.Watch(watched));
            ReceiveAny(message =>
            {
                received.Enqueue(message);
                if (message is ParametersChunk) Sender.Tell(message);
            });
        }
    }
}
