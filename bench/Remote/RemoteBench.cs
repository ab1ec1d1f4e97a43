using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using Akka.Actor;
using Rl.Distributed.Runtime;
using Rl.Distributed.Runtime.Remote;
using Rl.Distributed.Runtime.Remote.Tcp;
using Rl.Distributed.Runtime.Tests.Remote;

namespace Rl.Distributed.Bench.Remote;

/// <summary>Two processes on loopback: messages through a transport, beside a raw socket in the same run and with the same
/// window.</summary>
internal sealed class RemoteBench : IDisposable
{
    private const int SmallMessages = 3_000_000, SmallBytes = 16, PingBytes = 64, RoundTrips = 20_000, WindowBytes = 4 << 20, Rounds = 5;
    private static readonly int[] BulkSizes = [16 << 10, 256 << 10, 2 << 20];

    private readonly Process _process;
    private readonly BenchHandler _handler = new();
    private readonly TcpTransport _transport;
    private readonly SemaphoreSlim _answers = new(0);
    private readonly Address _peer;
    private readonly int _rawPort;
    private readonly string _actors;
    private int _answer;

    private RemoteBench(EmbeddedEngine.TlsOptions? tls = null)
    {
        string[] files = tls is null ? [] : [tls.CertificatePem, tls.KeyPem, tls.CaPem];
        var start = new ProcessStartInfo(Environment.ProcessPath!, [RemotePeer.Argument, .. files])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        var words = _process.StandardOutput.ReadLine()!.Split(' ');
        (_peer, _rawPort, _actors) = (Address.Parse(words[0]), int.Parse(words[1]), words[2]);
        _transport = BenchHandler.Start("bench", _handler, tls);
        _handler.On(RemotePeer.Answer, (Address _, in ReadOnlySequence<byte> body) =>
        {
            _answer = BinaryPrimitives.ReadInt32LittleEndian(body.FirstSpan);
            _answers.Release();
        });
        _handler.Broken = Console.Error.WriteLine;
    }

    /// <summary>All, or those whose names are given: small, bulk, ping, urgent, actors, tls.</summary>
    public static void Run(string[] names)
    {
        if (!names.SequenceEqual(["tls"])) RunInTheOpen(names);
        if (names.Length > 0 && !names.Contains("tls")) return;
        using var certificates = new TestCertificates();
        using var encrypted = new RemoteBench(certificates.Node("bench"));
        Print("the same, encrypted", "beside a raw socket that is not");
        encrypted.Bulk();
    }

    private static void RunInTheOpen(string[] names)
    {
        using var bench = new RemoteBench();
        bench.Send(RemotePeer.Collections, []);
        bench._answers.Wait();
        if (IsWanted("small")) bench.Small();
        if (IsWanted("bulk")) bench.Bulk();
        if (IsWanted("ping")) bench.PingPong();
        if (IsWanted("urgent")) bench.Urgent();
        if (IsWanted("actors")) bench.BetweenActors();

        bool IsWanted(string name) => names.Length == 0 || names.Contains(name);
    }

    public void Dispose()
    {
        _transport.StopAsync().Wait();
        _process.StandardInput.Close();
        if (!_process.WaitForExit(5000)) _process.Kill();
        _process.Dispose();
    }

    private void Send(string recipient, byte[] body, bool isSystem = false) =>
        _transport.Send(_peer, new Outbound(recipient, null, body, isSystem));

    private void Small()
    {
        var body = new byte[SmallBytes];
        BinaryPrimitives.WriteInt32LittleEndian(body, SmallMessages);
        for (var round = 0; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < SmallMessages; i++) Send(RemotePeer.Counter, body);
            var told = Stopwatch.GetElapsedTime(start).TotalSeconds;
            _answers.Wait();
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Print(
                $"{SmallBytes} B one way",
                $"{SmallMessages / seconds / 1e6,8:0.00} M messages/s   (told in {told:0.00} s of {seconds:0.00} s)");
        }
    }

    private void Bulk()
    {
        foreach (var size in BulkSizes)
        {
            var window = Math.Max(4, WindowBytes / size);
            var messages = window * Math.Max(8, (int)((1L << 30) / ((long)size * window)));
            var body = new byte[size];
            BinaryPrimitives.WriteInt32LittleEndian(body, window / 4);
            var best = (Raw: 0.0, Own: 0.0);
            for (var round = 0; round < Rounds; round++)
            {
                var raw = RawSocket.Bulk(_rawPort, size, window, messages);
                var before = GC.CollectionCount(2) + PeersCollections();
                var own = Windowed(body, window, messages);
                var collections = GC.CollectionCount(2) + PeersCollections() - before;
                Print($"{size >> 10} KiB, window {window}", $"{own,8:0} MB/s, raw {raw,6:0} MB/s, ratio {own / raw:0.00}, "
                    + $"gen-2 collections a thousand: {collections * 1000.0 / messages:0.00}");
                best = (Math.Max(best.Raw, raw), Math.Max(best.Own, own));
            }
            Print("  the best of them", $"{best.Own,8:0} MB/s, raw {best.Raw,6:0} MB/s, ratio {best.Own / best.Raw:0.00}");
        }
    }

    private double Windowed(byte[] body, int window, int messages)
    {
        var start = Stopwatch.GetTimestamp();
        var (sent, answered) = (0, 0);
        while (answered < messages)
        {
            for (; sent < messages && sent - answered < window; sent++) Send(RemotePeer.Counter, body);
            _answers.Wait();
            answered += window / 4;
        }
        return (double)messages * body.Length / 1e6 / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private int PeersCollections()
    {
        Send(RemotePeer.Collections, []);
        _answers.Wait();
        return _answer;
    }

    private void PingPong()
    {
        var body = new byte[PingBytes];
        var inline = new double[RoundTrips];
        var done = new ManualResetEventSlim();
        for (var round = 0; round < Rounds; round++)
        {
            var raw = RawSocket.PingPong(_rawPort, PingBytes, RoundTrips);
            var (trip, start) = (0, Stopwatch.GetTimestamp());
            _handler.On(RemotePeer.Answer, (Address _, in ReadOnlySequence<byte> _) =>
            {
                inline[trip++] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
                start = Stopwatch.GetTimestamp();
                if (trip < RoundTrips) Send(RemotePeer.Echo, body);
                else done.Set();
            });
            Send(RemotePeer.Echo, body);
            done.Wait();
            done.Reset();
            var waiting = Waiting(body);
            Print($"{PingBytes} B there and back", $"{Quantiles(inline)}, to a waiting thread {Quantiles(waiting)}, raw {Quantiles(raw)}, "
                + $"ratio of medians {Quantile(inline, 0.5) / Quantile(raw, 0.5):0.00} "
                + $"and {Quantile(waiting, 0.5) / Quantile(raw, 0.5):0.00}");
        }
    }

    private double[] Waiting(byte[] body)
    {
        var times = new double[RoundTrips];
        _handler.On(RemotePeer.Answer, (Address _, in ReadOnlySequence<byte> body) =>
        {
            if (body.Length == 4) _answer = BinaryPrimitives.ReadInt32LittleEndian(body.FirstSpan);
            _answers.Release();
        });
        for (var i = 0; i < RoundTrips; i++)
        {
            var start = Stopwatch.GetTimestamp();
            Send(RemotePeer.Echo, body);
            _answers.Wait();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }
        return times;
    }

    /// <summary>How long a message of the engine takes while bulk messages fill the connection.</summary>
    private void Urgent()
    {
        var size = BulkSizes[^1];
        var window = 64;
        var body = new byte[size];
        BinaryPrimitives.WriteInt32LittleEndian(body, window / 4);
        var isOver = false;
        var clock = new Thread(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                Send(RemotePeer.Clock, BitConverter.GetBytes(Stopwatch.GetTimestamp()), isSystem: true);
                Thread.Sleep(5);
            }
        });
        clock.Start();
        var own = Windowed(body, window, 2048);
        Volatile.Write(ref isOver, true);
        clock.Join();
        Send(RemotePeer.Clock, []);
        _answers.Wait();
        Print($"urgent beside {window} x {size >> 20} MiB", $"longest {_answer / 1000.0:0.00} ms at {own:0} MB/s");
    }

    private void BetweenActors()
    {
        using var system = Actors.Start("bench");
        var (echo, counter) = (Actors.Find(system, _actors, Actors.Echo), Actors.Find(system, _actors, Actors.Counter));
        for (var round = 0; round < Rounds; round++)
        {
            var raw = RawSocket.PingPong(_rawPort, PingBytes, RoundTrips);
            var ask = Actors.AskAsync(echo, PingBytes, RoundTrips).Result;
            Print(
                $"{PingBytes} B ask of an actor",
                $"{Quantiles(ask)}, raw {Quantiles(raw)}, ratio of medians {Quantile(ask, 0.5) / Quantile(raw, 0.5):0.00}");
            var told = Actors.PingPong(system, echo, PingBytes, RoundTrips);
            Print(
                $"{PingBytes} B told and told back",
                $"{Quantiles(told)}, ratio of medians {Quantile(told, 0.5) / Quantile(raw, 0.5):0.00}");
            Print($"{SmallBytes} B to an actor", $"{Actors.Tell(counter, SmallBytes, SmallMessages / 3) / 1e6,8:0.00} M messages/s");
        }
        system.Terminate().Wait();
    }

    private static void Print(string what, string result) => Console.WriteLine($"{what,-24} {result}");

    private static string Quantiles(double[] times) => $"median {Quantile(times, 0.5):0.0} us, p99 {Quantile(times, 0.99):0.0} us";

    private static double Quantile(double[] times, double part) => times.Order().ElementAt((int)(part * (times.Length - 1)));
}
