using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using Akka.Actor;
using Rl.Distributed.Runtime.Remote;

namespace Rl.Distributed.Bench.Remote;

/// <summary>The other process: receives, counts, answers. It ends with its standard input.</summary>
internal static class RemotePeer
{
    public const string Argument = "remote-peer";

    /// <summary>Counts to the number in its first 4 bytes, then answers.</summary>
    public const string Counter = "/user/counter";

    /// <summary>Sends each message back.</summary>
    public const string Echo = "/user/echo";

    /// <summary>Takes the time from sending to arrival; an empty message asks for the longest so far, in microseconds.</summary>
    public const string Clock = "/user/clock";

    /// <summary>Answers with its number of gen-2 collections.</summary>
    public const string Collections = "/user/collections";

    /// <summary>Where answers go to.</summary>
    public const string Answer = "/user/answer";

    public static void Run(string[] files)
    {
        var handler = new BenchHandler();
        var transport = BenchHandler.Start("peer", handler, files is [var certificate, var key, var ca] ? new(certificate, key, ca) : null);
        var (count, longest) = (0, 0L);
        void Reply(Address peer, byte[] body) => transport.Send(peer, new Outbound(Answer, null, body, false));
        handler.On(Counter, (Address peer, in ReadOnlySequence<byte> body) =>
        {
            if (++count < BinaryPrimitives.ReadInt32LittleEndian(body.FirstSpan)) return;
            count = 0;
            Reply(peer, new byte[4]);
        });
        handler.On(Echo, (Address peer, in ReadOnlySequence<byte> body) => Reply(peer, body.ToArray()));
        handler.On(Clock, (Address peer, in ReadOnlySequence<byte> body) =>
        {
            if (body.Length > 0)
            {
                longest = Math.Max(longest, Stopwatch.GetTimestamp() - BinaryPrimitives.ReadInt64LittleEndian(body.FirstSpan));
                return;
            }
            Reply(peer, BitConverter.GetBytes((int)(longest * 1_000_000 / Stopwatch.Frequency)));
            longest = 0;
        });
        handler.On(Collections, (Address peer, in ReadOnlySequence<byte> _) => Reply(peer, BitConverter.GetBytes(GC.CollectionCount(2))));
        Console.WriteLine($"{transport.Address} {RawSocket.Listen()} {Actors.Serve()}");
        while (Console.In.ReadLine() is not null)
        {
        }
    }
}
