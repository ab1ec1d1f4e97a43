using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Akka.Cluster;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Output;
using Serilog.Core;

namespace Rl.Distributed.Node.Tests.Engines;

/// <summary>From the files that the command line names to a cluster.</summary>
public sealed class NodesWithCertificatesTests : IDisposable
{
    private readonly TemporaryDirectory _files = new();

    [Fact]
    public async Task Nodes_of_one_authority_find_each_other()
    {
        var certificates = MakeCertificates();
        var seed = Start(new NodeEndpoint { Listen = new HostPort("127.0.0.1", 0), Certificates = certificates });
        var at = Cluster.Get(seed).SelfAddress;
        Cluster.Get(seed).JoinSeedNodes([at]);
        var node = Start(new NodeEndpoint { Listen = new HostPort("127.0.0.1", 0), Certificates = certificates, Roles = [NodeRoles.Actor] });
        var up = new TaskCompletionSource();
        Cluster.Get(node).RegisterOnMemberUp(up.SetResult);
        Cluster.Get(node).JoinSeedNodes([at]);
        await up.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await node.Terminate();
        await seed.Terminate();
    }

    [Fact]
    public void A_file_that_cannot_be_used_is_named()
    {
        var certificates = MakeCertificates() with { Key = _files.File("nothing.key") };
        var error = Assert.Throws<ConfigException>(() => Start(new NodeEndpoint { Listen = new HostPort("127.0.0.1", 0), Certificates = certificates }));
        Assert.Contains("nothing.key", error.Message);
    }

    [Theory, InlineData("--tls-key"), InlineData("--tls-certificate"), InlineData("--tls-ca")]
    public async Task One_file_needs_the_others(string option)
    {
        var run = await CommandRun.RunAsync("node", "--join", "127.0.0.1:4053", option, "some.pem");
        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains("go together", run.Error);
    }

    [Fact]
    public void A_port_that_is_taken_is_named_with_the_cure()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        var port = ((IPEndPoint)other.LocalEndPoint!).Port;
        var error = Assert.Throws<ConfigException>(() => Start(new NodeEndpoint { Listen = new HostPort("127.0.0.1", port) }));
        Assert.StartsWith($"Cannot listen on 127.0.0.1:{port}: ", error.Message);
        Assert.Contains("--listen", error.Message);
    }

    public void Dispose() => _files.Dispose();

    private static ActorSystem Start(NodeEndpoint endpoint) => EngineHost.Create(Logger.None, endpoint);

    private NodeCertificates MakeCertificates()
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var (from, until) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var authority = authorityRequest.CreateSelfSigned(from, until);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var own = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256).Create(authority, from, until, [1, 2, 3, 4, 5, 6, 7, 8]);
        var made = new NodeCertificates(_files.File("node.pem"), _files.File("node.key"), _files.File("ca.pem"));
        File.WriteAllText(made.Certificate, own.ExportCertificatePem());
        File.WriteAllText(made.Key, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(made.Authority, authority.ExportCertificatePem());
        return made;
    }
}
