using System.Buffers;
using Akka.Actor;
using Rl.Distributed.Runtime;
using Rl.Distributed.Runtime.Engine;
using Rl.Distributed.Runtime.Remote;
using Rl.Distributed.Runtime.Remote.Tcp;

namespace Rl.Distributed.Bench.Remote;

/// <summary>A transport whose messages are byte arrays, and what arrives goes to a delegate, on the thread that received it.</summary>
internal sealed class BenchHandler : ITransportHandler
{
    public delegate void Receiver(Address peer, in ReadOnlySequence<byte> body);

    private sealed class Target(string name) : MinimalActorRef
    {
        public Receiver? Receive;

        public override ActorPath Path { get; } = new RootActorPath(new Address("akka", "bench")) / "target";

        internal override EmbeddedSystem? SystemImpl => null;

        internal override void Deliver(object message, IActorRef sender) => throw new NotSupportedException(name);
    }

    private readonly Dictionary<string, Target> _targets = [];

    public Action<string> Broken { get; set; } = static _ => { };

    public static TcpTransport Start(string name, BenchHandler handler, EmbeddedEngine.TlsOptions? tls = null)
    {
        var options = new EmbeddedEngine.RemoteOptions { Wire = new NoWire(), Tls = tls };
        var transport = new TcpTransport(options, handler, name, static (level, line) => Console.Error.WriteLine($"{level} {line}"));
        transport.Start();
        return transport;
    }

    public void On(string path, Receiver receive)
    {
        lock (_targets)
        {
            if (!_targets.TryGetValue(path, out var target)) _targets.Add(path, target = new Target(path));
            target.Receive = receive;
        }
    }

    public bool TryGetId(object message, out int id)
    {
        id = 1;
        return true;
    }

    public void Write(int id, object message, IBufferWriter<byte> output)
    {
        var bytes = (byte[])message;
        if (bytes.Length >= 4096) ((IReferenceWriter)output).Append(bytes);
        else output.Write(bytes);
    }

    public InternalActorRefBase Resolve(string recipient)
    {
        lock (_targets) return _targets[recipient];
    }

    public IActorRef? SenderOf(Address peer, string sender) => null;

    public void Deliver(Address peer, int uid, InternalActorRefBase recipient, IActorRef sender, int id, in ReadOnlySequence<byte> body) =>
        ((Target)recipient).Receive!(peer, body);

    public void Encoded(Address peer, int id, long bytes)
    {
    }

    public void Dropped(Address peer, in Outbound message, string reason) => Broken(reason);

    public void Connected(Address peer, int uid)
    {
    }

    public void Disconnected(Address peer, int uid, string reason) => Broken(reason);

    private sealed class NoWire : EmbeddedEngine.IWireFormat
    {
        public int Version => 1;

        public bool TryGetId(object message, out int id) => throw new NotSupportedException();

        public void Write(int id, object message, IBufferWriter<byte> output) => throw new NotSupportedException();

        public object Read(int id, in ReadOnlySequence<byte> body) => throw new NotSupportedException();
    }
}
