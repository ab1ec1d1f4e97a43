using Rl.Distributed.Runtime.Remote.Tcp;

namespace Rl.Distributed.Runtime.Tests.Remote.Tcp;

/// <summary>What a transport does not send, does not take, and does not wait for.</summary>
public sealed class TcpLimitSpecs
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300), Long = TimeSpan.FromSeconds(2);

    [Fact]
    public void What_does_not_fit_into_the_queue_is_dropped_and_the_engine_is_exempt()
    {
        using Side a = new("a", options => options with { MaxQueuedBytes = 10_000, SilenceLimit = Long }), gone = new("b");
        gone.Stop();
        for (var i = 0; i < 20; i++) a.Send(gone, new byte[1000], "/user/x");
        var overflow = a.Handler.Drops.Count;
        Assert.InRange(overflow, 11, 12);
        Assert.Equal(20 - overflow, a.Handler.Encodings.Count); // what is refused is no traffic
        Assert.All(a.Handler.Drops, static drop => Assert.Equal("too much waits for this peer", drop.Reason));
        a.Send(gone, new byte[1000], "/user/x", isSystem: true);
        Assert.Equal(overflow, a.Handler.Drops.Count);
        Side.Until(() => a.Handler.Drops.Count == 21, "What waits for nobody is not dropped.");
        Assert.Equal(21, a.Counters.Dropped);
        Assert.Contains("refused", a.Handler.Drops.Last().Reason);
        Assert.Empty(a.Handler.Reports);
    }

    [Fact]
    public void A_message_above_the_limit_is_not_sent_and_one_without_a_codec_neither()
    {
        using Side a = new("a", options => options with { MaxMessageBytes = 100_000 }), b = new("b");
        a.Send(b, new byte[100_001]);
        a.Transport.Send(b.Address, new("/user/x", null, "no bytes", false));
        a.Send(b, new byte[100_000]);
        Assert.Equal(100_000, Assert.Single(b.Await(1)).Body.Length);
        Assert.Equal(["100001 bytes are more than the limit of 100000", "String has no codec"],
            a.Handler.Drops.Select(drop => drop.Reason));
    }

    [Fact]
    public void A_message_that_the_receiver_finds_too_large_closes_the_connection_and_is_given_up()
    {
        using Side a = new("a"), b = new("b", options => options with { MaxMessageBytes = 100_000 });
        a.Send(b, new byte[8 << 20], "/user/large");
        Side.Until(() => a.Handler.Drops.Count == 1, "It is tried for ever.");
        Assert.True(b.Counters.Rejected >= 1);
        a.Send(b, [1]);
        Assert.Equal([1], Assert.Single(b.Await(1)).Body);
    }

    [Fact]
    public void A_body_that_is_no_message_is_skipped_and_counted()
    {
        using Side a = new("a"), b = new("b");
        for (var i = 0; i < 1000; i++) a.Send(b, [255]);
        a.Send(b, [1]);
        Assert.Equal([1], Assert.Single(b.Await(1)).Body);
        Assert.Equal(1000, b.Counters.Rejected);
        Assert.InRange(b.Log.Count(static line => line.Contains("Rejected")), 1, 5);
        Assert.Single(b.Handler.Reports);
    }

    [Fact]
    public void Malformed_frames_close_the_connection()
    {
        byte[][] frames =
        [
            [0, 0, 0, 0], // no kind
            [0, 0, 0, 99],
            [1, 0, 1, (byte)FrameKind.Message], // longer than any
            [2, 0, 2, (byte)FrameKind.BulkData],
            [0, 0, 0, (byte)FrameKind.BulkData],
            [2, 0, 0, (byte)FrameKind.BulkData, 0, 1], // of no message
            [2, 0, 0, (byte)FrameKind.BulkData, 200, 1],
            [3, 0, 0, (byte)FrameKind.Message, 5, 0, 7], // a slot that nobody defined
            [5, 0, 0, (byte)FrameKind.Message, 255, 255, 255, 255, 255],
            [3, 0, 0, (byte)FrameKind.Path, 255, 255, 3],
            [4, 0, 0, (byte)FrameKind.Path, 1, 99, 65, 65], // a string longer than its frame
            [3, 0, 0, (byte)FrameKind.Inline, 0, 0, 7], // no recipient
            [1, 0, 0, (byte)FrameKind.BulkStart, 9], // no such stream
            [10, 0, 0, (byte)FrameKind.BulkStart, 0, 2, 65, 0, 7, 255, 255, 255, 255, 15], // 4 GiB
            [1, 0, 0, (byte)FrameKind.Hello, 0], // out of turn
        ];
        foreach (var frame in frames)
        {
            using var a = new Side("a");
            using var raw = new RawPeer(a).ShakeHands(a);
            raw.Send(frame);
            raw.AwaitEnd();
            Assert.Equal(1, a.Counters.Rejected);
        }
    }

    [Fact]
    public void A_frame_may_come_byte_by_byte()
    {
        using var a = new Side("a");
        using var raw = new RawPeer(a).ShakeHands(a);
        byte[] bytes = [4, 0, 0, (byte)FrameKind.Path, 1, 3, (byte)'/', (byte)'x', 5, 0, 0, (byte)FrameKind.Message, 1, 0, FakeHandler.Id,
            8, 9];
        foreach (var one in bytes) raw.Send(one);
        var arrival = Assert.Single(a.Await(1));
        Assert.Equal(("/x", RawPeer.Uid), (arrival.Recipient, arrival.Uid));
        Assert.Equal([8, 9], arrival.Body);
    }

    [Fact]
    public void A_peer_that_shakes_hands_and_says_nothing_is_cut()
    {
        using var a = new Side("a", options => options with { SilenceLimit = Short });
        using var raw = new RawPeer(a).ShakeHands(a);
        raw.AwaitEnd();
        Side.Until(() => a.Handler.Reports.Count == 2, "The silence is not noticed.");
        Assert.Equal([$"+{RawPeer.Uid}", $"-{RawPeer.Uid} silent for 0.3 s"], a.Handler.Reports);
    }

    [Fact]
    public void Connections_without_a_handshake_are_few_and_short()
    {
        using var a = new Side("a", options => options with { MaxHandshakes = 2, HandshakeTimeout = Short });
        using RawPeer first = new(a), second = new(a), third = new(a);
        Side.Until(() => a.Log.Any(static line => line.Contains("was given up to make room")),
            "The first does not make room for the third.");
        first.AwaitEnd();
        second.AwaitEnd();
        third.AwaitEnd();
        Side.Until(() => a.Transport.Connections == 0, "A connection stays.");
        using var fourth = new RawPeer(a).ShakeHands(a);
    }

    [Fact]
    public void Who_speaks_is_not_given_up_for_those_that_are_silent()
    {
        using var a = new Side("a", options => options with { MaxHandshakes = 2 });
        using var speaker = new RawPeer(a);
        speaker.Send("RLD1"u8);
        speaker.Read(HandshakeHello.Size);
        using var silent = new RawPeer(a);
        Side.Until(() => a.Transport.Connections == 2, "It is not accepted.");
        using var another = new RawPeer(a);
        AssertGivenUp(a, silent);
    }

    [Fact]
    public void Of_silent_connections_one_of_the_address_with_the_most_is_given_up()
    {
        using var a = new Side("a", options => options with { MaxHandshakes = 3 });
        using var lonely = new RawPeer(a, "127.0.0.2");
        Side.Until(() => a.Transport.Connections == 1, "It is not accepted.");
        using RawPeer older = new(a), younger = new(a);
        Side.Until(() => a.Transport.Connections == 3, "They are not accepted.");
        using var another = new RawPeer(a, "127.0.0.3");
        AssertGivenUp(a, older);
    }

    [Fact]
    public void Without_threads_connections_are_refused_and_what_waits_is_sent_later()
    {
        var lacks = true;
        using var b = new Side("b");
        using var a = new Side("a", start: thread =>
        {
            if (Volatile.Read(ref lacks)) throw new OutOfMemoryException("no threads");
            thread.Start();
        });
        using (var raw = new RawPeer(a)) raw.AwaitEnd();
        Assert.Equal((1, 0), (a.Counters.Rejected, a.Transport.Connections));
        a.Send(b, [1]);
        Assert.Equal(0, b.Counters.MessagesReceived);
        Volatile.Write(ref lacks, false);
        Assert.Equal([1], Assert.Single(b.Await(1)).Body);
        Assert.Empty(a.Handler.Drops);
    }

    [Fact]
    public void Without_threads_for_connections_dialling_goes_on()
    {
        var lacks = 2;
        using var b = new Side("b");
        using var a = new Side("a", start: thread =>
        {
            if (thread.Name!.Contains("with") && Interlocked.Decrement(ref lacks) >= 0) throw new OutOfMemoryException("no threads");
            thread.Start();
        });
        a.Send(b, [1]);
        Assert.Equal([1], Assert.Single(b.Await(1)).Body);
        Assert.Contains(a.Log, static line => line.Contains("there is no thread for it"));
    }

    private static void AssertGivenUp(Side side, RawPeer expected)
    {
        Side.Until(() => side.Log.Any(static line => line.Contains("given up")), "Nobody is given up.");
        var line = side.Log.First(static line => line.Contains("given up"));
        Assert.Contains($"a connection from {expected.Name}: its handshake was given up", line);
        expected.AwaitEnd();
    }

    [Fact]
    public void Connections_are_limited()
    {
        using var a = new Side("a", options => options with { MaxConnections = 1 });
        using var first = new RawPeer(a).ShakeHands(a);
        using var second = new RawPeer(a);
        second.AwaitEnd();
        Assert.Equal(1, a.Counters.Rejected);
        Assert.Equal(1, a.Transport.Connections);
    }
}
