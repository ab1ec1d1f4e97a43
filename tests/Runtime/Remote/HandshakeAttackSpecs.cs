using System.Text;
using Rl.Distributed.Runtime.Remote.Tcp;

namespace Rl.Distributed.Runtime.Tests.Remote;

/// <summary>Peers that do not play by the rules get nothing, learn nothing and cost little.</summary>
public sealed class HandshakeAttackSpecs
{
    private static readonly byte[] ValidDialer = Hello(1, 0).Concat(Message(1, [])).Concat(Message(2, Identity())).Concat(Message(3, []))
        .ToArray();

    [Fact]
    public void A_dialer_of_these_bytes_is_let_in_where_there_is_no_secret()
    {
        var result = Handshake.Run(new ScriptedStream(ValidDialer), HandshakePair.Listener(""), isDialer: false);
        Assert.Equal("akka.tcp://rl@10.0.0.1:5000", result.Peer.ToString());
        Assert.Equal(11, result.Uid);
    }

    [Fact]
    public void Bytes_that_are_sent_back_prove_nothing()
    {
        var (near, far) = HandshakePair.Connect();
        using (near)
        using (far)
        {
            var mirror = HandshakePair.InBackground(() =>
            {
                var buffer = new byte[1024];
                try
                {
                    while (far.Read(buffer) is > 0 and var count) far.Write(buffer.AsSpan(0, count));
                }
                catch (IOException)
                {
                    // The other end is done.
                }
            });
            var failure = HandshakePair.End(near, HandshakePair.Dialer(), isDialer: true).Failure;
            Assert.Equal("10.0.0.2:5000 sends our own bytes back", failure.Message);
            Assert.True(mirror.Join(TimeSpan.FromSeconds(30)));
        }
    }

    [Fact]
    public void A_proof_that_is_sent_back_is_none()
    {
        var (near, far) = HandshakePair.Connect();
        using (near)
        using (far)
        {
            HandshakeOutcome dialed = null;
            var dialer = HandshakePair.InBackground(() => dialed = HandshakePair.End(near, HandshakePair.Dialer(), isDialer: true));
            Read(far, HandshakeHello.Size);
            far.Write(Hello(1, 1));
            var tag = Read(far, 3 + 32)[3..];
            far.Write([.. Message(2, Identity()), .. tag]);
            Assert.Equal([4, 0, 1, (byte)RefuseReason.SecretDiffers], Read(far, 4));
            Assert.True(dialer.Join(TimeSpan.FromSeconds(30)));
            Assert.Equal(RefuseReason.SecretDiffers, dialed.Failure.Reason);
        }
    }

    [Fact]
    public void A_system_whose_words_are_passed_on_to_itself_finds_out()
    {
        // Both ends know the secret, so all tags are right: only the identity shows that nobody else is there.
        var (dialed, accepted) = HandshakePair.Run(HandshakePair.Listener(), HandshakePair.Listener());
        Assert.Equal(RefuseReason.Itself, dialed.Failure.Reason);
        Assert.Equal(RefuseReason.Itself, accepted.Failure.Reason);
    }

    [Fact]
    public void What_was_recorded_of_either_side_is_of_no_use_later()
    {
        using var pair = new HandshakePair();
        using var tap = new TappedStream(pair.DialerEnd);
        HandshakeOutcome accepted = null;
        var listener = HandshakePair.InBackground(() =>
            accepted = HandshakePair.End(pair.ListenerEnd, HandshakePair.Listener(), isDialer: false));
        Assert.NotNull(HandshakePair.End(tap, HandshakePair.Dialer(), isDialer: true).Result);
        Assert.True(listener.Join(TimeSpan.FromSeconds(30)));
        Assert.NotNull(accepted.Result);

        Assert.Equal(RefuseReason.SecretDiffers, Failure(tap.Written, HandshakePair.Listener(), isDialer: false).Reason);
        Assert.Equal(RefuseReason.SecretDiffers, Failure(tap.WasRead, HandshakePair.Dialer(), isDialer: true).Reason);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Every_byte_that_is_changed_on_the_way_is_noticed(bool towardsDialer)
    {
        var options = (Dialer: HandshakePair.Dialer(), Listener: HandshakePair.Listener());
        for (var changed = 0; ; changed++)
        {
            using var pair = new HandshakePair();
            using var tap = new TappedStream(towardsDialer ? pair.DialerEnd : pair.ListenerEnd, changed);
            HandshakeOutcome accepted = null;
            // A changed length makes a side wait for what never comes.
            var timeout = TimeSpan.FromSeconds(0.1);
            var listener = HandshakePair.InBackground(() => accepted = HandshakePair.End(
                towardsDialer ? pair.ListenerEnd : tap, options.Listener with { Timeout = timeout }, isDialer: false));
            var dialed = HandshakePair.End(towardsDialer ? tap : pair.DialerEnd, options.Dialer with { Timeout = timeout }, isDialer: true);
            Assert.True(listener.Join(TimeSpan.FromSeconds(30)));
            if (tap.WasRead.Length <= changed) break;
            Assert.Null((towardsDialer ? dialed : accepted).Result);
        }
    }

    [Fact]
    public void A_stranger_that_begins_otherwise_hears_nothing()
    {
        var stream = new ScriptedStream("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        var failure = HandshakeOutcome.Of(() => Handshake.Run(stream, HandshakePair.Listener(), isDialer: false)).Failure;
        Assert.Equal("10.0.0.1:40000 does not speak this protocol", failure.Message);
        Assert.Equal(4, stream.Said);
        Assert.Equal(0, stream.Heard.Length);
    }

    [Fact]
    public void A_peer_without_the_secret_learns_no_name()
    {
        var stream = new ScriptedStream(Hello(1, 1).Concat(Message(1, [])).Concat(new byte[1000]).ToArray());
        var failure = HandshakeOutcome.Of(() => Handshake.Run(stream, HandshakePair.Listener(), isDialer: false)).Failure;
        Assert.Equal(RefuseReason.SecretDiffers, failure.Reason);
        Assert.Equal(39 + 3 + 32, stream.Said);
        Assert.Equal([4, 0, 1, (byte)RefuseReason.SecretDiffers], stream.Heard[HandshakeHello.Size..].ToArray());

        stream = new ScriptedStream(Hello(1, 1).Concat(Message(2, Identity())).Concat(new byte[32]).ToArray());
        failure = HandshakeOutcome.Of(() => Handshake.Run(stream, HandshakePair.Dialer(), isDialer: true)).Failure;
        Assert.Equal(RefuseReason.SecretDiffers, failure.Reason);
        Assert.Equal(39 + 3 + 32 + 4, stream.Heard.Length);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Another_version_of_the_protocol_is_refused_with_both_numbers(bool isDialer)
    {
        var options = HandshakePair.Listener() with { Peer = "it" };
        Assert.Equal("protocol version 1 here, 258 at it", Failure(Hello(258, 1), options, isDialer).Message);
    }

    [Theory]
    [InlineData(1, 0, 200)]
    [InlineData(2, 255, 255)]
    [InlineData(3, 0, 0)]
    [InlineData(4, 0, 2)]
    [InlineData(99, 0, 0)]
    public void A_message_out_of_turn_or_too_long_ends_it_before_its_body_is_read(byte kind, byte high, byte low)
    {
        var stream = new ScriptedStream(Hello(1, 0).Concat(new[] { kind, high, low }).Concat(new byte[100_000]).ToArray());
        var failure = HandshakeOutcome.Of(() => Handshake.Run(stream, HandshakePair.Listener(""), isDialer: false)).Failure;
        Assert.Equal("10.0.0.1:40000 breaks the handshake's rules", failure.Message);
        Assert.Equal(HandshakeHello.Size + 3, stream.Said);
    }

    [Fact]
    public void An_identity_that_is_none_ends_it()
    {
        Refused(Identity(uid: 0));
        Refused(Identity(uid: -1));
        Refused(Identity(port: 0));
        Refused(Identity(cluster: ""));
        Refused(Identity(cluster: "a\nfake line of a log"));
        Refused(Identity(cluster: "\u001b[2J"));
        Refused(Identity(cluster: "\u202Etxet"));
        Refused(Identity(system: "a b"));
        Refused(Identity(host: "x@y"));
        Refused(Identity(host: "x/y"));
        Refused([.. Identity(), 0]);
        Refused(Identity()[..^1]);
        Refused([]);
        var notText = Identity(cluster: "abc");
        notText[11] = 0xFF;
        Refused(notText);

        static void Refused(byte[] identity)
        {
            var script = Hello(1, 0).Concat(Message(1, [])).Concat(Message(2, identity)).Concat(Message(3, [])).ToArray();
            Assert.Equal(RefuseReason.Malformed, Failure(script, HandshakePair.Listener(""), isDialer: false).Reason);
        }
    }

    [Fact]
    public void A_refusal_of_a_later_version_is_told_by_its_number() => Assert.Equal(
        "10.0.0.1:40000 refuses us for a reason unknown here (code 200)",
        Failure([.. Hello(1, 0), 4, 0, 1, 200], HandshakePair.Listener(""), isDialer: false).Message);

    [Fact]
    public void A_peer_that_trickles_is_cut_off_when_the_time_is_up()
    {
        var clock = new ManualTimeProvider();
        var stream = new ScriptedStream(ValidDialer, atOnce: 1, onRead: () => clock.Advance(TimeSpan.FromSeconds(1), () => { }));
        var options = HandshakePair.Listener("") with { Clock = clock, Timeout = TimeSpan.FromSeconds(20) };
        var failure = HandshakeOutcome.Of(() => Handshake.Run(stream, options, isDialer: false)).Failure;
        Assert.Equal(RefuseReason.Timeout, failure.Reason);
        Assert.Equal("the handshake with 10.0.0.1:40000 did not end within 20 s", failure.Message);
        Assert.Equal(20, stream.Said);
    }

    [Fact]
    public void A_peer_that_says_nothing_is_cut_off_when_the_time_is_up()
    {
        using var pair = new HandshakePair();
        var options = HandshakePair.Listener() with { Timeout = TimeSpan.FromMilliseconds(20) };
        Assert.Equal(RefuseReason.Timeout, HandshakePair.End(pair.ListenerEnd, options, isDialer: false).Failure.Reason);
    }

    [Fact]
    public void No_more_than_the_limit_is_ever_read()
    {
        var firsts = 0;
        var stream = new HandshakeStream(
            new ScriptedStream(new byte[10_000]), TimeProvider.System, TimeSpan.FromMinutes(1), 100, () => firsts++);
        var buffer = new byte[64];
        Assert.Equal(0, firsts);
        Assert.Equal(64, stream.Read(buffer));
        Assert.Equal(36, stream.Read(buffer));
        Assert.Equal(1, firsts);
        Assert.Throws<IOException>(() => stream.Read(buffer));
        Assert.True(stream.Overrun);
        stream.Lift();
        Assert.Equal(64, stream.Read(buffer));
    }

    private static HandshakeException Failure(byte[] script, HandshakeOptions options, bool isDialer) =>
        HandshakeOutcome.Of(() => Handshake.Run(new ScriptedStream(script), options, isDialer)).Failure;

    private static byte[] Read(Stream stream, int count)
    {
        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static byte[] Hello(int version, byte flags) =>
        [.. "RLD1"u8, (byte)(version >> 8), (byte)version, flags, .. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private static byte[] Message(byte kind, byte[] body) => [kind, (byte)(body.Length >> 8), (byte)body.Length, .. body];

    private static byte[] Identity(int uid = 11, int port = 5000, string cluster = "rl", string system = "rl", string host = "10.0.0.1") =>
    [
        0, 0, 0, 3, (byte)(uid >> 24), (byte)(uid >> 16), (byte)(uid >> 8), (byte)uid, (byte)(port >> 8), (byte)port,
        .. Text(cluster), .. Text(system), .. Text(host),
    ];

    private static byte[] Text(string text) => [(byte)Encoding.UTF8.GetByteCount(text), .. Encoding.UTF8.GetBytes(text)];
}
