using System.Buffers;
using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Runtime.Remote;
using Rl.Distributed.Runtime.Remote.Tcp;
using Rl.Distributed.Tests;

namespace Rl.Distributed.Runtime.Tests.Remote.Tcp;

/// <summary>A transport on loopback with its fake handler and its log.</summary>
internal sealed class Side : IDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private bool _isStopped;

    public Side(
        string name, Func<EmbeddedEngine.RemoteOptions, EmbeddedEngine.RemoteOptions> change = null, Action<Thread> start = null)
    {
        var options = new EmbeddedEngine.RemoteOptions { Wire = new NoWire(), BindPort = FreePort.Next() };
        options = change is null ? options : change(options);
        Transport = new TcpTransport(options, Handler, name, (level, line) => Log.Enqueue($"{level} {line}"))
        {
            StartThread = start ?? (static thread => thread.Start()),
        };
        Transport.Start();
    }

    public TcpTransport Transport { get; }

    public ITransport AsTransport => Transport;

    public FakeHandler Handler { get; } = new();

    public ConcurrentQueue<string> Log { get; } = new();

    public Address Address => Transport.Address;

    public TransportCounters Counters => AsTransport.Counters;

    public void Send(Side to, byte[] body, string recipient = "/user/a", string sender = null, bool isSystem = false) =>
        Send(to.Address, body, recipient, sender, isSystem);

    public void Send(Address to, byte[] body, string recipient = "/user/a", string sender = null, bool isSystem = false) =>
        Transport.Send(to, new Outbound(recipient, sender, body, isSystem));

    public void Stop()
    {
        if (_isStopped) return;
        _isStopped = true;
        Assert.True(Transport.StopAsync().Wait(Deadline), "The transport does not stop.");
    }

    public void Dispose() => Stop();

    public static void Until(Func<bool> condition, string what) => Assert.True(SpinWait.SpinUntil(condition, Deadline), what);

    /// <summary>Waits for this many arrivals.</summary>
    public Arrival[] Await(int count)
    {
        var isThere = SpinWait.SpinUntil(() => Handler.Arrivals.Count >= count, Deadline);
        Assert.True(isThere, $"{Handler.Arrivals.Count} of {count} messages arrived. {string.Join(" | ", Log)}");
        return Handler.Arrivals.ToArray();
    }

    private sealed class NoWire : EmbeddedEngine.IWireFormat
    {
        public int Version => 1;

        public bool TryGetId(object message, out int id) => throw new NotSupportedException();

        public void Write(int id, object message, IBufferWriter<byte> output) => throw new NotSupportedException();

        public object Read(int id, in ReadOnlySequence<byte> body) => throw new NotSupportedException();
    }
}
