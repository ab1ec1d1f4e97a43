using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Rl.Distributed.Runtime.Remote.Tcp;
using Rl.Distributed.Runtime.Tests.Remote.Tcp;

namespace Rl.Distributed.Runtime.Tests.Remote;

/// <summary>Malformed connections to a transport that listens, while its friends go on talking.</summary>
public sealed class FuzzNetworkSpecs
{
    private const int Attackers = 2;

    [Fact]
    public void Many_malformed_connections_break_nothing_and_friends_get_through()
    {
        using Side target = new("target"), friend = new("friend");
        var heard = new int[4];
        target.Handler.Arrived = arrival =>
        {
            if (arrival.Peer.Host == "127.0.0.1") Interlocked.Increment(ref heard[arrival.Body[0]]);
        };
        friend.Send(target, [1]);
        target.Await(1);
        var start = Environment.TickCount64;
        var (rounds, left) = (FuzzInput.Rounds(250, 12_500), Attackers);
        var attackers = Enumerable.Range(0, Attackers).Select(seed => HandshakePair.InBackground(() =>
        {
            try
            {
                Attack(target, seed, rounds);
            }
            finally
            {
                Interlocked.Decrement(ref left);
            }
        })).ToList();

        var newcomers = 0;
        while (Volatile.Read(ref left) > 0)
        {
            using var newcomer = new Side("newcomer" + newcomers++);
            Talk(target, heard, (friend, 2), (newcomer, 3));
        }
        attackers.ForEach(attacker => attacker.Join());
        Talk(target, heard, (friend, 2));

        var seconds = (Environment.TickCount64 - start) / 1000;
        Assert.InRange(target.Counters.Rejected, rounds / 2, long.MaxValue);
        Assert.InRange(target.Log.Count, 1, (3 * (seconds + 1)) + (2 * newcomers));
        Assert.DoesNotContain(target.Log, line => line.Any(char.IsControl));
        // Nothing is left of them: the friend has the only connection, and strangers are forgotten once nothing waits for them.
        Side.Until(() => target.Transport.Connections <= 1, "Connections stay.");
        Side.Until(() => target.Transport.ForgetIdle() <= 1, "Strangers are remembered.");
        Assert.Equal(1, target.Transport.KnownPeers);
    }

    [Fact]
    public void Connections_that_say_nothing_do_not_keep_friends_out()
    {
        using Side target = new("target", options => options with { MaxHandshakes = 8, HandshakeTimeout = TimeSpan.FromMinutes(5) }),
            friend = new("friend");
        var silent = Enumerable.Range(0, 50).Select(_ => Connect(target)).ToList();
        friend.Send(target, [1]);
        target.Await(1);
        // Eight at most are left waiting, and perhaps the friend's second try.
        Side.Until(() => silent.Count(socket => !socket.Poll(0, SelectMode.SelectRead)) <= 8, "The silent connections stay open.");
        silent.ForEach(socket => socket.Dispose());
    }

    /// <summary>Each is heard; what a connection that broke has lost on a busy machine is said again.</summary>
    private static void Talk(Side target, int[] heard, params (Side Side, byte Word)[] friends)
    {
        foreach (var (side, word) in friends)
        {
            var (before, saidAt) = (Volatile.Read(ref heard[word]), long.MinValue);
            Side.Until(
                () =>
                {
                    if (saidAt + 3000 < Environment.TickCount64)
                    {
                        saidAt = Environment.TickCount64;
                        side.Send(target, [word]);
                    }
                    return Volatile.Read(ref heard[word]) > before;
                },
                $"A friend is kept out: {string.Join(" | ", side.Log)}");
        }
    }

    private static void Attack(Side target, int seed, int rounds)
    {
        FuzzInput handshakes = new(seed, FuzzInput.Handshakes()), frames = new(seed, FuzzInput.Frames());
        var drain = new byte[1024];
        for (var round = 0; round < rounds; round++)
        {
            using var socket = Connect(target);
            try
            {
                var isInside = round % 2 == 0;
                if (isInside) Enter(socket, round % 4 == 0 ? "aaa" : "zzz", 1 + (Attackers * round) + seed);
                socket.Send((isInside ? frames : handshakes).Next().Span);
                socket.Shutdown(SocketShutdown.Send);
                while (socket.Receive(drain) > 0)
                {
                }
            }
            catch (Exception e) when (e is SocketException or IOException or HandshakeException)
            {
                // The target has closed the connection, as it should.
            }
        }
    }

    private static Socket Connect(Side target)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            LingerState = new LingerOption(true, 0),
            ReceiveTimeout = (int)Side.Deadline.TotalMilliseconds,
            SendTimeout = (int)Side.Deadline.TotalMilliseconds,
        };
        socket.Connect(IPAddress.Loopback, target.Address.Port!.Value);
        return socket;
    }

    /// <summary>Goes through the handshake as anybody can where there is no secret, and agrees on the connection.</summary>
    private static NetworkStream Enter(Socket socket, string system, int number)
    {
        var stream = new NetworkStream(socket);
        var address = new Address("akka.tcp", system, "127.1.0.1", 1 + (number % 60_000));
        Handshake.Run(stream, HandshakePair.Dialer("") with { WireVersion = 1, Address = address, Uid = number }, isDialer: true);
        if (system == "zzz")
        {
            stream.Write(Control(FrameKind.Hello, 0));
            stream.ReadExactly(new byte[Frame.HeaderBytes + 1]);
        }
        else
        {
            stream.ReadExactly(new byte[Frame.HeaderBytes + 1]);
            stream.Write(Control(FrameKind.Accept, 1));
        }
        return stream;
    }

    private static byte[] Control(FrameKind kind, byte number)
    {
        var frame = new byte[Frame.HeaderBytes + 1];
        Frame.WriteHeader(frame, kind, 1);
        frame[^1] = number;
        return frame;
    }
}
