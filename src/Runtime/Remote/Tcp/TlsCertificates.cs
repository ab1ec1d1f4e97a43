using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Akka.Configuration;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>This node's certificate and the authority that those of its peers must come from. Loaded once, used by all
/// connections.</summary>
/// <remarks>
/// Both sides show a certificate, and each accepts what chains up to the given authority, and to no other, and is neither expired nor
/// made for another purpose. Names in certificates are not compared: addresses change while nodes come and go, so a certificate of this
/// authority means "a member", and the authority must be the cluster's own. Revocation lists are not asked for.
/// </remarks>
internal sealed class TlsCertificates
{
    private readonly SslStreamCertificateContext _own;
    private readonly X509ChainPolicy _policy;

    /// <exception cref="ConfigurationException">A file cannot be used; the message names it and why.</exception>
    public TlsCertificates(EmbeddedEngine.TlsOptions options)
    {
        var certificates = ReadCertificates(options.CertificatePem);
        var leaf = Try("key", options.KeyPem, () => WithKey(certificates[0], options));
        certificates.RemoveAt(0);
        _own = Try("certificate", options.CertificatePem, () => SslStreamCertificateContext.Create(leaf, certificates, offline: true));
        _policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        _policy.CustomTrustStore.AddRange(ReadCertificates(options.CaPem));
    }

    /// <summary>An encrypted stream over the given one, which it owns from then on.</summary>
    /// <exception cref="HandshakeException">The peer has no certificate that we trust, or no TLS at all.</exception>
    /// <exception cref="IOException">The time is up, or the peer sent too much.</exception>
    public SslStream Authenticate(HandshakeStream stream, string peer, bool isDialer)
    {
        var tls = new SslStream(stream);
        string complaint = null;
        bool Verify(object sender, X509Certificate certificate, X509Chain chain, SslPolicyErrors errors)
        {
            complaint = Complaint(certificate, chain, errors);
            return complaint is null;
        }
        try
        {
            if (isDialer) tls.AuthenticateAsClient(Client(Verify));
            else tls.AuthenticateAsServer(Server(Verify));
            return tls;
        }
        catch (Exception e) when (e is AuthenticationException or IOException or InvalidOperationException or CryptographicException)
        {
            if (!isDialer && stream.First.SequenceEqual(HandshakeHello.Magic)) SayThatThereIsTls(stream);
            tls.Dispose();
            if (stream.TimedOut || stream.Overrun) throw new IOException(e.Message, e);
            throw Explain(stream, peer, complaint, e);
        }
    }

    /// <summary>In the open, to a dialer that began in the open.</summary>
    private static void SayThatThereIsTls(HandshakeStream stream)
    {
        Span<byte> hello = stackalloc byte[HandshakeHello.Size];
        new HandshakeHello(HandshakeHello.ProtocolVersion, HasSecret: false, HasTls: true).Write(hello);
        try
        {
            stream.Write(hello);
        }
        catch (IOException)
        {
            // Then the peer does not hear why.
        }
    }

    private SslClientAuthenticationOptions Client(RemoteCertificateValidationCallback verify) => new()
    {
        // Sent in the open as the server's name; nobody compares it.
        TargetHost = "",
        ClientCertificateContext = _own,
        CertificateChainPolicy = _policy,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        RemoteCertificateValidationCallback = verify,
        AllowTlsResume = false,
        AllowRenegotiation = false,
    };

    private SslServerAuthenticationOptions Server(RemoteCertificateValidationCallback verify) => new()
    {
        ServerCertificateContext = _own,
        ClientCertificateRequired = true,
        CertificateChainPolicy = _policy,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        RemoteCertificateValidationCallback = verify,
        AllowTlsResume = false,
        AllowRenegotiation = false,
    };

    /// <summary>What is wrong with the peer's certificate; null: nothing.</summary>
    private static string Complaint(X509Certificate certificate, X509Chain chain, SslPolicyErrors errors)
    {
        if (certificate is null) return "it shows no certificate";
        if ((errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == 0) return null;
        var causes = string.Join(", ", chain.ChainStatus.Select(status => status.Status).Distinct());
        return $"its certificate '{HandshakeIdentity.Loggable(certificate.Subject)}' is not of our authority, or not valid now ({causes})";
    }

    private static HandshakeException Explain(HandshakeStream stream, string peer, string complaint, Exception e)
    {
        if (complaint is not null) return new HandshakeException(RefuseReason.Tls, $"{peer} is refused: {complaint}", e);
        if (stream.First.SequenceEqual(HandshakeHello.Magic))
        {
            return new HandshakeException(RefuseReason.TlsMissing, $"we have TLS, {peer} has none", e);
        }
        return stream.First.IsEmpty
            ? new HandshakeException(RefuseReason.Closed, $"{peer} closed the connection during the handshake; it may have no TLS", e)
            : new HandshakeException(RefuseReason.Tls, $"TLS with {peer} failed: {e.Message}", e);
    }

    private static X509Certificate2Collection ReadCertificates(string path) => Try("certificate", path, () =>
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPemFile(path);
        return certificates.Count > 0 ? certificates : throw new CryptographicException("there is no certificate in it");
    });

    private static X509Certificate2 WithKey(X509Certificate2 certificate, EmbeddedEngine.TlsOptions options)
    {
        var leaf = X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), File.ReadAllText(options.KeyPem));
        // Windows' TLS wants a key that has been in a store.
        return OperatingSystem.IsWindows() ? X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), null) : leaf;
    }

    private static T Try<T>(string what, string path, Func<T> load)
    {
        try
        {
            return load();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new ConfigurationException($"The TLS {what} '{path}' cannot be used: {e.Message}", e);
        }
    }
}
