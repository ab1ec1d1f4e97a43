using Akka.Actor;
using Rl.Distributed.Runtime.Remote.Tcp;

namespace Rl.Distributed.Runtime.Tests.Remote;

/// <summary>Who gets a connection, who does not, and what both sides say about it.</summary>
public sealed class HandshakeSpecs
{
    private const string Secret = "a secret of sixteen bytes or more";

    [Theory, InlineData(Secret), InlineData("")]
    public void Two_systems_of_one_cluster_learn_who_the_other_is_and_use_the_same_stream(string secret)
    {
        using var pair = new HandshakePair();
        var (dialer, listener) = pair.Shake(HandshakePair.Dialer(secret), HandshakePair.Listener(secret));
        Assert.Equal(new HandshakeResult(new Address("akka.tcp", "rl", "10.0.0.2", 5000), 22, pair.DialerEnd), dialer.Result);
        Assert.Equal(new HandshakeResult(new Address("akka.tcp", "rl", "10.0.0.1", 5000), 11, pair.ListenerEnd), listener.Result);
        Assert.Equal(Timeout.Infinite, pair.DialerEnd.ReadTimeout);
        Assert.Equal(Timeout.Infinite, pair.DialerEnd.WriteTimeout);
        pair.DialerEnd.Write("first frame"u8);
        var read = new byte[11];
        pair.ListenerEnd.ReadExactly(read);
        Assert.Equal("first frame"u8, read);
    }

    [Fact]
    public void Different_wire_versions_are_refused_with_both_numbers() => BothSay(
        HandshakePair.Dialer(), HandshakePair.Listener() with { WireVersion = 2 }, RefuseReason.WireVersion,
        "wire version 3 here, 2 at 10.0.0.2:5000", "wire version 2 here, 3 at 10.0.0.1:5000");

    [Fact]
    public void Different_clusters_are_refused_with_both_names() => BothSay(
        HandshakePair.Dialer() with { ClusterName = "a" }, HandshakePair.Listener() with { ClusterName = "b" }, RefuseReason.ClusterName,
        "cluster 'a' here, 'b' at 10.0.0.2:5000", "cluster 'b' here, 'a' at 10.0.0.1:5000");

    [Fact]
    public void Different_secrets_are_refused_and_neither_learns_who_the_other_is() => BothSay(
        HandshakePair.Dialer(), HandshakePair.Listener("another secret of sixteen bytes"), RefuseReason.SecretDiffers,
        "the secret differs from that of 10.0.0.2:5000", "the secret differs from that of 10.0.0.1:40000");

    [Fact]
    public void A_dialer_without_a_secret_is_refused_where_one_is_needed() => BothSay(
        HandshakePair.Dialer(""), HandshakePair.Listener(), RefuseReason.SecretMissing,
        "10.0.0.2:5000 has a secret, we have none", "we have a secret, 10.0.0.1:40000 has none");

    [Fact]
    public void A_listener_without_a_secret_is_refused_where_one_is_needed() => BothSay(
        HandshakePair.Dialer(), HandshakePair.Listener(""), RefuseReason.SecretMissing,
        "we have a secret, 10.0.0.2:5000 has none", "10.0.0.1:40000 has a secret, we have none");

    [Fact]
    public void A_system_that_calls_itself_is_told_so() => BothSay(
        HandshakePair.Listener(), HandshakePair.Listener(), RefuseReason.Itself,
        "10.0.0.2:5000 is this system itself", "10.0.0.2:5000 is this system itself");

    [Fact]
    public void A_peer_under_another_address_than_the_one_dialed_is_refused() => BothSay(
        HandshakePair.Dialer() with { Expected = new Address("akka.tcp", "rl", "node-7", 5000) }, HandshakePair.Listener(),
        RefuseReason.WrongAddress,
        "asked for akka.tcp://rl@node-7:5000, found akka.tcp://rl@10.0.0.2:5000: use the latter, which it advertises",
        "10.0.0.1:5000 asked for another address than ours", listenerHears: true);

    [Theory]
    [InlineData(RefuseReason.Quarantined, "10.0.0.2:5000 has quarantined our uid 11", "uid 11 at 10.0.0.1:5000 is quarantined here")]
    [InlineData(RefuseReason.TooManyConnections, "10.0.0.2:5000 has too many connections",
        "too many connections here to let 10.0.0.1:5000 in")]
    [InlineData(RefuseReason.DuplicateConnection,
        "10.0.0.2:5000 has a connection with us already", "there is a connection with 10.0.0.1:5000 already")]
    public void A_listener_can_refuse_whom_it_knows(object reason, string atDialer, string atListener)
    {
        (Address, int)? asked = null;
        var listener = HandshakePair.Listener() with { Decide = (address, uid) => Refuse(reason, asked = (address, uid)) };
        BothSay(HandshakePair.Dialer(), listener, (RefuseReason)reason, atDialer, atListener, dialerHears: true);
        Assert.Equal((HandshakePair.Dialer().Address, 11), asked);
    }

    [Fact]
    public void A_dialer_can_refuse_whom_it_knows()
    {
        (Address, int)? asked = null;
        var dialer = HandshakePair.Dialer() with { Decide = (address, uid) => Refuse(RefuseReason.Quarantined, asked = (address, uid)) };
        BothSay(dialer, HandshakePair.Listener(), RefuseReason.Quarantined,
            "uid 22 at 10.0.0.2:5000 is quarantined here", "10.0.0.1:5000 has quarantined our uid 22", listenerHears: true);
        Assert.Equal((HandshakePair.Listener().Address, 22), asked);
    }

    [Fact]
    public void A_peer_that_goes_away_ends_the_handshake()
    {
        using var pair = new HandshakePair();
        pair.DialerEnd.Dispose();
        var failure = HandshakePair.End(pair.ListenerEnd, HandshakePair.Listener(), isDialer: false).Failure;
        Assert.Equal(RefuseReason.Closed, failure.Reason);
        Assert.Equal("10.0.0.1:40000 closed the connection during the handshake", failure.Message);
    }

    [Theory]
    [InlineData("", 1, "rl", "host")]
    [InlineData("rl", 0, "rl", "host")]
    [InlineData("rl", 1, "", "host")]
    [InlineData("two\nlines", 1, "rl", "host")]
    [InlineData("rl", 1, "rl", "no host")]
    public void Names_that_do_not_belong_on_the_network_do_not_leave(string cluster, int uid, string system, string host)
    {
        var options = HandshakePair.Dialer() with { ClusterName = cluster, Uid = uid, Address = new Address("akka.tcp", system, host, 1) };
        Assert.Throws<ArgumentException>(() => Handshake.Run(Stream.Null, options, isDialer: true));
    }

    private static RefuseReason? Refuse(object reason, (Address, int)? asked) => asked is null ? null : (RefuseReason)reason;

    private static void BothSay(HandshakeOptions dialer, HandshakeOptions listener, RefuseReason reason, string atDialer, string atListener,
        bool dialerHears = false, bool listenerHears = false)
    {
        var (dialed, accepted) = HandshakePair.Run(dialer, listener);
        Assert.Equal(atDialer, dialed.Failure?.Message);
        Assert.Equal(atListener, accepted.Failure?.Message);
        Assert.Equal(reason, dialed.Failure.Reason);
        Assert.Equal(reason, accepted.Failure.Reason);
        if (dialerHears || listenerHears)
        {
            Assert.Equal(dialerHears, dialed.Failure.ByPeer);
            Assert.Equal(listenerHears, accepted.Failure.ByPeer);
        }
    }
}
