using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using Akka.Actor;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Engines;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Rl.Distributed.Node.Tests.Engines;

/// <summary>A node on loopback, in this process, with an actor "keeper" that keeps and echoes what it receives.</summary>
internal sealed class TestNode : IAsyncDisposable, ILogEventSink
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private readonly ConcurrentQueue<string> _log = [];

    public TestNode(string[] roles, string clusterName = "test", int version = 1, int port = 0)
    {
        var logger = new LoggerConfiguration().MinimumLevel.Debug().WriteTo.Sink(this).CreateLogger();
        var endpoint = new NodeEndpoint { Listen = new HostPort("127.0.0.1", port), Roles = roles, ClusterName = clusterName };
        System = EngineHost.Create(logger, endpoint, new BlobTable(version));
        Cluster = Akka.Cluster.Cluster.Get(System);
        Keeper = System.ActorOf(Props.Create(() => new KeepingActor(Received)), "keeper");
    }

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
                if (message is Blob) Sender.Tell(message);
            });
        }
    }

    internal sealed record Blob(byte[] Bytes);

    /// <summary>Has one message, <see cref="Blob"/>.</summary>
    internal sealed class BlobTable(int version) : IWireTable
    {
        public int Version => version;

        public bool TryGetId(object message, out int id) => (id = message is Blob ? 7 : 0) != 0;

        public void Write(int id, object message, IBufferWriter<byte> output) => output.Write(((Blob)message).Bytes);

        public object Read(int id, in ReadOnlySequence<byte> body) => id == 7 ? new Blob(body.ToArray()) : throw new InvalidDataException($"no {id}");
    }
}
