#nullable disable
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Rl.Distributed.Runtime.Tests.Remote;

/// <summary>An authority and certificates of it, as PEM files in a directory that goes with it.</summary>
internal sealed class TestCertificates : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("rl-tls-");
    private readonly X509Certificate2 _authority;

    public TestCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
        File.WriteAllText(CaPem, _authority.ExportCertificatePem());
    }

    public string CaPem => Path("ca.pem");

    public string Path(string name) => System.IO.Path.Combine(_directory.FullName, name);

    /// <summary>A certificate of this authority, with the authority that its owner trusts.</summary>
    public EmbeddedEngine.TlsOptions Node(string name, string trusts = null, int validDays = 20, string purpose = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        if (purpose is not null) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], false));
        using var certificate = request.Create(
            _authority, DateTimeOffset.UtcNow.AddDays(-20), DateTimeOffset.UtcNow.AddDays(validDays), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path(name + ".pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path(name + ".key"), key.ExportPkcs8PrivateKeyPem());
        return new EmbeddedEngine.TlsOptions(Path(name + ".pem"), Path(name + ".key"), trusts ?? CaPem);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Delete(recursive: true);
    }
}
