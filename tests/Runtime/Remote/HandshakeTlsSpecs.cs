using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Akka.Configuration;
using Rl.Distributed.Runtime.Remote.Tcp;

namespace Rl.Distributed.Runtime.Tests.Remote;

/// <summary>Connections with certificates on both sides.</summary>
public sealed class HandshakeTlsSpecs : IDisposable
{
    private const string ServerOnly = "1.3.6.1.5.5.7.3.1";

    private readonly TestCertificates _ours = new(), _foreign = new();

    public void Dispose()
    {
        _ours.Dispose();
        _foreign.Dispose();
    }

    [Theory, InlineData("a secret of sixteen bytes or more"), InlineData("")]
    public void Two_nodes_of_one_authority_talk_encrypted(string secret)
    {
        using var pair = new HandshakePair();
        var (dialer, listener) = pair.Shake(
            With(HandshakePair.Dialer(secret), _ours.Node("one")), With(HandshakePair.Listener(secret), _ours.Node("two")));
        Assert.Null(dialer.Failure ?? listener.Failure);
        Assert.Equal(22, dialer.Result?.Uid);
        Assert.Equal(11, listener.Result?.Uid);
        var tls = Assert.IsType<SslStream>(dialer.Result?.Stream);
        Assert.True(tls.IsMutuallyAuthenticated);
        Assert.True(tls.IsEncrypted);
        Assert.Equal(Timeout.Infinite, pair.DialerEnd.ReadTimeout);

        // More than a handshake may carry: the limits are gone.
        var (sent, received) = (new byte[1 << 20], new byte[1 << 20]);
        new Random(1).NextBytes(sent);
        var writer = HandshakePair.InBackground(() => tls.Write(sent));
        listener.Result?.Stream.ReadExactly(received);
        Assert.True(writer.Join(TimeSpan.FromSeconds(30)));
        Assert.Equal(sent, received);
        tls.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pair.DialerEnd.ReadByte());
    }

    [Fact]
    public void A_certificate_is_no_way_round_the_secret()
    {
        var (dialer, listener) = HandshakePair.Run(
            With(HandshakePair.Dialer("another secret of sixteen bytes"), _ours.Node("one")),
                With(HandshakePair.Listener(), _ours.Node("two")));
        Assert.Equal(RefuseReason.SecretDiffers, dialer.Failure?.Reason);
        Assert.Equal(RefuseReason.SecretDiffers, listener.Failure?.Reason);
    }

    [Fact]
    public void A_dialer_of_a_foreign_authority_is_refused()
    {
        var (dialer, listener) = HandshakePair.Run(
            With(HandshakePair.Dialer(), _foreign.Node("one", trusts: _ours.CaPem)), With(HandshakePair.Listener(), _ours.Node("two")));
        Assert.Equal(RefuseReason.Tls, listener.Failure?.Reason);
        Assert.Contains("10.0.0.1:40000 is refused: its certificate 'CN=one' is not of our authority", listener.Failure.Message);
        Assert.NotNull(dialer.Failure);
        Assert.Contains("10.0.0.2:5000", dialer.Failure.Message);
    }

    [Fact]
    public void A_listener_of_a_foreign_authority_is_refused()
    {
        var (dialer, listener) = HandshakePair.Run(
            With(HandshakePair.Dialer(), _ours.Node("one")), With(HandshakePair.Listener(), _foreign.Node("two", trusts: _ours.CaPem)));
        Assert.Equal(RefuseReason.Tls, dialer.Failure?.Reason);
        Assert.Contains("10.0.0.2:5000 is refused: its certificate 'CN=two' is not of our authority", dialer.Failure.Message);
        Assert.NotNull(listener.Failure);
    }

    [Fact]
    public void A_certificate_that_has_expired_is_refused()
    {
        var (_, listener) = HandshakePair.Run(
            With(HandshakePair.Dialer(), _ours.Node("one", validDays: -1)), With(HandshakePair.Listener(), _ours.Node("two")));
        Assert.Contains("NotTimeValid", listener.Failure?.Message);
    }

    [Fact]
    public void A_certificate_for_servers_only_is_refused_from_a_dialer()
    {
        var (_, listener) = HandshakePair.Run(
            With(HandshakePair.Dialer(), _ours.Node("one", purpose: ServerOnly)), With(HandshakePair.Listener(), _ours.Node("two")));
        Assert.Contains("NotValidForUsage", listener.Failure?.Message);
    }

    [Fact]
    public void A_dialer_without_a_certificate_is_refused()
    {
        using var pair = new HandshakePair();
        HandshakeOutcome accepted = null;
        var listener = HandshakePair.InBackground(() => accepted = HandshakePair.End(
            pair.ListenerEnd, With(HandshakePair.Listener(), _ours.Node("two")), isDialer: false));
        using var tls = new SslStream(pair.DialerEnd, false, (_, _, _, _) => true);
        try
        {
            tls.AuthenticateAsClient("");
        }
        catch (IOException)
        {
            // With TLS 1.2 the client hears of it here.
        }
        Assert.True(listener.Join(TimeSpan.FromSeconds(30)));
        Assert.Equal("10.0.0.1:40000 is refused: it shows no certificate", accepted.Failure?.Message);
    }

    [Fact]
    public void A_dialer_without_TLS_and_its_listener_both_know_why_it_fails()
    {
        var (dialer, listener) = HandshakePair.Run(HandshakePair.Dialer(), With(HandshakePair.Listener(), _ours.Node("two")));
        Assert.Equal("10.0.0.2:5000 has TLS, we have none", dialer.Failure?.Message);
        Assert.Equal("we have TLS, 10.0.0.1:40000 has none", listener.Failure?.Message);
        Assert.Equal(RefuseReason.TlsMissing, dialer.Failure.Reason);
        Assert.Equal(RefuseReason.TlsMissing, listener.Failure.Reason);
    }

    [Fact]
    public void A_listener_without_TLS_and_its_dialer_both_know_why_it_fails()
    {
        var (dialer, listener) = HandshakePair.Run(With(HandshakePair.Dialer(), _ours.Node("one")), HandshakePair.Listener());
        Assert.Equal("we have TLS, 10.0.0.2:5000 has none", dialer.Failure?.Message);
        Assert.Equal("10.0.0.1:40000 has TLS, we have none", listener.Failure?.Message);
    }

    [Fact]
    public void A_peer_that_trickles_TLS_is_cut_off_when_the_time_is_up()
    {
        var clock = new ManualTimeProvider();
        // The start of a TLS record of 4,096 bytes.
        byte[] script = [0x16, 3, 1, 0x10, 0, 1, 0, 0x0F, 0xFC, 3, 3, .. new byte[4096]];
        var stream = new ScriptedStream(script, atOnce: 1, onRead: () => clock.Advance(TimeSpan.FromSeconds(1), () => { }));
        var options = With(HandshakePair.Listener(), _ours.Node("two")) with { Clock = clock, Timeout = TimeSpan.FromSeconds(20) };
        var failure = HandshakeOutcome.Of(() => Handshake.Run(stream, options, isDialer: false)).Failure;
        Assert.Equal(RefuseReason.Timeout, failure?.Reason);
        Assert.Equal(20, stream.Said);
    }

    [Fact]
    public void What_is_no_TLS_at_all_is_refused()
    {
        var options = With(HandshakePair.Listener(), _ours.Node("two"));
        var failure = HandshakeOutcome.Of(() => Handshake.Run(
            new ScriptedStream("GET / HTTP/1.1\r\n\r\n"u8.ToArray()), options, isDialer: false)).Failure;
        Assert.Equal(RefuseReason.Tls, failure?.Reason);
        failure = HandshakeOutcome.Of(() => Handshake.Run(new ScriptedStream(Array.Empty<byte>()), options, isDialer: false)).Failure;
        Assert.Equal(RefuseReason.Closed, failure?.Reason);
    }

    [Fact]
    public void Files_that_cannot_be_used_are_named_with_the_cause()
    {
        var good = _ours.Node("one");
        var other = _ours.Node("two");
        File.WriteAllText(_ours.Path("empty.pem"), "");
        Refused(good with { CertificatePem = _ours.Path("none.pem") }, "The TLS certificate '",
            "none.pem' cannot be used: Could not find file");
        Refused(good with { KeyPem = _ours.Path("none.key") }, "The TLS key '", "none.key' cannot be used: Could not find file");
        Refused(good with { CaPem = _ours.Path("empty.pem") }, "The TLS certificate '",
            "empty.pem' cannot be used: there is no certificate in it");
        Refused(good with { KeyPem = other.KeyPem }, "The TLS key '", "two.key' cannot be used: ");
        Refused(good with { KeyPem = good.CertificatePem }, "The TLS key '", "one.pem' cannot be used: ");

        static void Refused(EmbeddedEngine.TlsOptions options, string what, string why)
        {
            var message = Assert.Throws<ConfigurationException>(() => new TlsCertificates(options)).Message;
            Assert.StartsWith(what, message);
            Assert.Contains(why, message);
        }
    }

    private static HandshakeOptions With(HandshakeOptions options, EmbeddedEngine.TlsOptions tls) =>
        options with { Tls = new TlsCertificates(tls) };
}
