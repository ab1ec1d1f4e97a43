using System.Buffers;
using System.Diagnostics;
using Akka.Actor;
using Rl.Distributed.Runtime;
using Rl.Distributed.Runtime.Engine;

namespace Rl.Distributed.Bench.Remote;

/// <summary>The same between actors of two processes: codec, mailbox and dispatcher included.</summary>
internal static class Actors
{
    public const string Echo = "echo", Counter = "counter";

    public static ActorSystem Start(string name) =>
        EmbeddedEngine.Create(name, new EmbeddedEngine.Options { Remote = new EmbeddedEngine.RemoteOptions { Wire = new Bytes() } });

    public static Address Serve()
    {
        var system = Start("actors");
        system.ActorOf(Props.Create(() => new EchoActor()), Echo);
        system.ActorOf(Props.Create(() => new CounterActor()), Counter);
        return ((EmbeddedSystem)system).Hub.Address;
    }

    public static IActorRef Find(ActorSystem system, string address, string name) =>
        system.ActorSelection($"{address}/user/{name}").Ask<ActorIdentity>(new Identify(name), TimeSpan.FromSeconds(10)).Result.Subject;

    /// <summary>Microseconds of each question and its answer.</summary>
    public static async Task<double[]> AskAsync(IActorRef echo, int size, int trips)
    {
        var body = new byte[size];
        var times = new double[trips];
        for (var i = 0; i < trips; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await echo.Ask<byte[]>(body);
            times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }
        return times;
    }

    /// <summary>Microseconds of each message and its answer, from actor to actor.</summary>
    public static double[] PingPong(ActorSystem system, IActorRef echo, int size, int trips)
    {
        var (times, done) = (new double[trips], new ManualResetEventSlim());
        system.ActorOf(Props.Create(() => new PingActor(echo, new byte[size], times, done)));
        done.Wait();
        return times;
    }

    /// <summary>Messages a second, from one thread to one actor.</summary>
    public static double Tell(IActorRef counter, int size, int messages)
    {
        var body = new byte[size];
        BitConverter.TryWriteBytes(body, messages);
        var start = Stopwatch.GetTimestamp();
        for (var i = 1; i < messages; i++) counter.Tell(body, ActorRefs.NoSender);
        counter.Ask<byte[]>(body).Wait();
        return messages / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private sealed class EchoActor : ReceiveActor
    {
        public EchoActor() => Receive<byte[]>(body => Sender.Tell(body));
    }

    private sealed class PingActor : ReceiveActor
    {
        private readonly IActorRef _echo;
        private readonly byte[] _body;
        private long _start;
        private int _trip;

        public PingActor(IActorRef echo, byte[] body, double[] times, ManualResetEventSlim done)
        {
            (_echo, _body) = (echo, body);
            Receive<byte[]>(_ =>
            {
                times[_trip++] = Stopwatch.GetElapsedTime(_start).TotalMicroseconds;
                if (_trip < times.Length) Ping();
                else
                {
                    done.Set();
                    Context.Stop(Self);
                }
            });
        }

        protected override void PreStart() => Ping();

        private void Ping()
        {
            _start = Stopwatch.GetTimestamp();
            _echo.Tell(_body);
        }
    }

    private sealed class CounterActor : ReceiveActor
    {
        private int _count;

        public CounterActor() => Receive<byte[]>(body =>
        {
            _count++;
            if (Sender is null || Sender.Equals(ActorRefs.Nobody) || Sender.Equals(Context.System.DeadLetters)) return;
            Sender.Tell(BitConverter.GetBytes(_count));
            _count = 0;
        });
    }

    /// <summary>Arrays of bytes as they are.</summary>
    private sealed class Bytes : EmbeddedEngine.IWireFormat
    {
        public int Version => 1;

        public bool TryGetId(object message, out int id)
        {
            id = 1;
            return message is byte[];
        }

        public void Write(int id, object message, IBufferWriter<byte> output) => output.Write((byte[])message);

        public object Read(int id, in ReadOnlySequence<byte> body) => body.ToArray();
    }
}
