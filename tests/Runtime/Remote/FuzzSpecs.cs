using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Rl.Distributed.Runtime.Remote;
using Rl.Distributed.Runtime.Remote.Tcp;

namespace Rl.Distributed.Runtime.Tests.Remote;

/// <summary>Malformed handshakes and frames, many of them, in memory: nothing but a refusal comes of them.</summary>
/// <remarks>More than a million in all with RL_SLOW_TESTS=1.</remarks>
public sealed class FuzzSpecs
{
    /// <summary>Bytes that a refused handshake, or a connection of malformed frames, may take from the heap, on average.</summary>
    private const long HandshakeCost = 32 << 10, ConnectionCost = 512 << 10;

    [Theory, InlineData(true, false), InlineData(false, false), InlineData(true, true), InlineData(false, true)]
    public void A_malformed_handshake_is_refused_and_costs_little(bool isDialer, bool hasSecret)
    {
        var input = new FuzzInput(isDialer ? 1 : 2, FuzzInput.Handshakes());
        var options = HandshakePair.Listener(hasSecret ? "a secret of sixteen bytes or more" : "");
        var (accepted, rounds, cost) = (0, FuzzInput.Rounds(10_000, 200_000), new Cost());
        for (var round = 0; round < rounds; round++)
        {
            var script = input.Next();
            var stream = cost.Of(new ScriptedStream(script));
            try
            {
                Handshake.Run(stream, options, isDialer);
                accepted++;
            }
            catch (HandshakeException e)
            {
                if (e.Message.Length > 1200 || e.Message.Any(char.IsControl)) Assert.Fail($"round {round}: {e.Message}");
            }
            catch (Exception e)
            {
                Assert.Fail($"round {round}, {Convert.ToHexString(script.Span)}: {e}");
            }
            if (stream.Said > Handshake.MaxBytes) Assert.Fail($"round {round}: {stream.Said} bytes were read");
        }
        cost.Check(rounds, HandshakeCost);
        // The inputs are no noise that fails at the first byte: without a secret some are still good.
        Assert.InRange(accepted, hasSecret ? 0 : 1, hasSecret ? 0 : rounds / 2);
    }

    [Fact]
    public void A_malformed_frame_ends_its_connection_and_costs_little()
    {
        const int maxMessageBytes = 64 << 10;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(IPAddress.Loopback, 9);
        var input = new FuzzInput(3, FuzzInput.Frames());
        var (counters, handler, lines) = (new TcpCounters(), new FuzzHandler(maxMessageBytes), new List<string>());
        var log = new TcpLog((_, line) => lines.Add(line));
        var (rounds, broken, cost, start) = (FuzzInput.Rounds(5000, 400_000), 0, new Cost(), Environment.TickCount64);
        for (var round = 0; round < rounds; round++)
        {
            var script = input.Next();
            var link = cost.Of(new Link(socket, new ScriptedStream(script), new Address("akka.tcp", "rl", "10.0.0.1", 5000), 11));
            try
            {
                new FrameReader(link, handler, counters, log, maxMessageBytes).Run();
            }
            catch (Exception e)
            {
                Assert.Fail($"round {round}, {Convert.ToHexString(script.Span)}: {e}");
            }
            if (!link.IsBroken) Assert.Fail($"round {round}: the connection is left open");
            if (link.Reason.StartsWith("it sent ", StringComparison.Ordinal)) broken++;
        }
        var seconds = (Environment.TickCount64 - start) / 1000;
        cost.Check(rounds, ConnectionCost);
        Assert.InRange(broken, rounds / 10, rounds);
        Assert.Equal(broken + handler.Thrown, counters.Snapshot.Rejected);
        Assert.InRange(handler.Delivered, rounds / 10, long.MaxValue);
        Assert.InRange(lines.Count, 1, seconds + 1);
    }

    [Fact]
    public void What_a_peer_wrote_does_not_break_a_line_of_the_log()
    {
        var lines = new List<string>();
        new TcpLog((_, line) => lines.Add(line)).Rejected("/user/a\r\n[ERROR] all is \u001b[2Jlost");
        Assert.Equal(["Rejected /user/a??[ERROR] all is ?[2Jlost"], lines);
    }

    /// <summary>What this thread takes from the heap, and what is left of it: whatever runs beside it does not count.</summary>
    private sealed class Cost
    {
        private readonly long _before = GC.GetAllocatedBytesForCurrentThread();
        private readonly List<WeakReference> _given = [];

        /// <summary>Something that nobody may keep.</summary>
        public T Of<T>(T given)
        {
            _given.Add(new WeakReference(given));
            return given;
        }

        public void Check(int rounds, long allowed)
        {
            Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - _before) / rounds, 1, allowed);
            GC.Collect();
            Assert.InRange(_given.Count(static weak => weak.IsAlive), 0, 2); // what the caller still has in its hands
        }
    }

    /// <summary>Reads all that it is given, and throws now and then as codecs and look-ups do.</summary>
    private sealed class FuzzHandler(int maxMessageBytes) : ITransportHandler
    {
        private byte _sum;

        public long Delivered { get; private set; }

        public long Thrown { get; private set; }

        public void Deliver(Address peer, int uid, InternalActorRefBase recipient, IActorRef sender, int id, in ReadOnlySequence<byte> body)
        {
            if (body.Length > maxMessageBytes) Assert.Fail($"a message of {body.Length} bytes");
            foreach (var memory in body)
            {
                foreach (var value in memory.Span) _sum ^= value;
            }
            if (_sum % 4 == 0) throw Throw("this is no message");
            Delivered++;
        }

        public InternalActorRefBase Resolve(string recipient) =>
            recipient.Contains('#') && recipient.Length % 5 == 0 ? throw Throw($"no path: {recipient}") : null;

        public IActorRef SenderOf(Address peer, string sender) => null;

        public bool TryGetId(object message, out int id) => throw new InvalidOperationException("Nothing is sent.");

        public void Write(int id, object message, IBufferWriter<byte> output) => throw new InvalidOperationException("Nothing is sent.");

        public void Encoded(Address peer, int id, long bytes)
        {
        }

        public void Dropped(Address peer, in Outbound message, string reason)
        {
        }

        public void Connected(Address peer, int uid)
        {
        }

        public void Disconnected(Address peer, int uid, string reason)
        {
        }

        private FormatException Throw(string message)
        {
            Thrown++;
            return new FormatException(message);
        }
    }
}
