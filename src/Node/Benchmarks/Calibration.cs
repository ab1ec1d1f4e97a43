using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Node.Benchmarks;

/// <summary>A measured figure.</summary>
internal sealed record Figure(string Name, double Value, string Unit);

/// <summary>What the machine can do at this minute, to hold other figures against: machines are shared, and clocks change.</summary>
internal static class Calibration
{
    private static readonly TimeSpan Duration = TimeSpan.FromMilliseconds(300);

    /// <summary>Measures everything, in about two seconds.</summary>
    public static IReadOnlyList<Figure> Measure() =>
    [
        new("fma-peak-1-core", FmaPeakOf(1) / 1e9, "GFLOP/s"),
        new($"fma-peak-{Environment.ProcessorCount}-cores", FmaPeakOf(Environment.ProcessorCount) / 1e9, "GFLOP/s"),
        new("memory-bandwidth", MemoryBandwidth() / 1e9, "GB/s"),
        new("loopback-tcp", LoopbackRate() / 1e6, "MB/s"),
    ];

    /// <summary>Multiply-adds in registers (two operations each), on that many threads at once.</summary>
    private static double FmaPeakOf(int threads)
    {
        FmaPeak.Run(1_000_000);
        var operations = new double[threads];
        var seconds = InParallel(threads, thread =>
        {
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < Duration;) operations[thread] += FmaPeak.Run(1_000_000);
        });
        return operations.Sum() / seconds;
    }

    /// <summary>Bytes read and written by copies of an array far larger than the caches, on every core.</summary>
    private static double MemoryBandwidth()
    {
        const int BytesPerThread = 64 << 20;
        var threads = Environment.ProcessorCount;
        var buffers = Enumerable.Range(0, threads).Select(_ => (From: new byte[BytesPerThread], To: new byte[BytesPerThread])).ToArray();
        foreach (var (from, to) in buffers) from.CopyTo(to, 0);
        var bytes = new long[threads];
        var seconds = InParallel(threads, thread =>
        {
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < Duration; bytes[thread] += 2L * BytesPerThread)
            {
                buffers[thread].From.CopyTo(buffers[thread].To, 0);
            }
        });
        return bytes.Sum() / seconds;
    }

    /// <summary>Bytes that one socket sends another on this machine, in writes of 256 KiB.</summary>
    private static double LoopbackRate()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var sender = new TcpClient();
        sender.Connect((IPEndPoint)listener.LocalEndpoint);
        using var receiver = listener.AcceptTcpClient();
        var received = 0L;
        var seconds = InParallel(2, side =>
        {
            var buffer = new byte[256 << 10];
            if (side == 0)
            {
                for (var clock = Stopwatch.StartNew(); clock.Elapsed < Duration;) sender.Client.Send(buffer);
                sender.Client.Shutdown(SocketShutdown.Send);
                return;
            }
            int count;
            while ((count = receiver.Client.Receive(buffer)) > 0) received += count;
        });
        return received / seconds;
    }

    /// <summary>Runs the body on threads of their own; returns the seconds that all took together.</summary>
    private static double InParallel(int count, Action<int> body)
    {
        var clock = Stopwatch.StartNew();
        var threads = Enumerable.Range(0, count).Select(i => new Thread(() => body(i))).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return clock.Elapsed.TotalSeconds;
    }
}
