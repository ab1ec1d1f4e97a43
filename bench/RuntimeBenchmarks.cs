using Akka.Actor;
using BenchmarkDotNet.Attributes;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Bench;

/// <summary>Messages a second of the embedded engine, within one process.</summary>
[MemoryDiagnoser]
public class RuntimeBenchmarks
{
    public const int Messages = 1_000_000, RoundTrips = 10_000;

    private const string Pinned = "pinned", Pool = "pool";
    private static readonly object Message = new();
    private ActorSystem _system = null!;
    private IActorRef _counter = null!;
    private IActorRef _echo = null!;
    private ManualResetEventSlim _done = null!;

    /// <summary>The dispatcher of the receiver.</summary>
    [Params(Pool, Pinned)]
    public string Dispatcher { get; set; } = Pool;

    [GlobalSetup]
    public void Start()
    {
        _system = EmbeddedEngine.Create("bench", new EmbeddedEngine.Options
        {
            Dispatchers = new Dictionary<string, EmbeddedEngine.DispatcherKind>
            {
                [Pool] = EmbeddedEngine.DispatcherKind.Pool,
                [Pinned] = EmbeddedEngine.DispatcherKind.Pinned,
            },
        });
        _done = new ManualResetEventSlim();
        _counter = _system.ActorOf(Props.Create(() => new Counter(_done)).WithDispatcher(Dispatcher));
        _echo = _system.ActorOf(Props.Create(() => new Echo()).WithDispatcher(Dispatcher));
    }

    [GlobalCleanup]
    public void Stop()
    {
        _system.Terminate().Wait();
        _done.Dispose();
    }

    /// <summary>One sender, one receiver, until the last message is handled.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public void OneWay()
    {
        _done.Reset();
        for (var i = 0; i < Messages; i++) _counter.Tell(Message, ActorRefs.NoSender);
        _done.Wait();
    }

    /// <summary>One at a time.</summary>
    [Benchmark(OperationsPerInvoke = RoundTrips)]
    public async Task AskRoundTrip()
    {
        for (var i = 0; i < RoundTrips; i++) await _echo.Ask<object>(Message);
    }

    private sealed class Counter : ReceiveActor
    {
        private int _count;

        public Counter(ManualResetEventSlim done)
        {
            ReceiveAny(_ =>
            {
                if (++_count % Messages == 0) done.Set();
            });
        }
    }

    private sealed class Echo : ReceiveActor
    {
        public Echo() => ReceiveAny(message => Sender.Tell(message));
    }
}
