using System.Net;
using System.Net.Sockets;
using Rl.Distributed.Node.Clustering;

namespace Rl.Distributed.Node.Tests.Clustering;

public sealed class OwnHostTests
{
    private readonly List<string> _warnings = [];

    [Fact]
    public async Task A_node_that_joins_is_reached_at_its_address_on_the_way_there() =>
        Assert.Equal("127.0.0.1", await FindAsync([new HostPort("127.0.0.1", 9)], CancellationToken.None));

    [Fact]
    public async Task A_node_that_others_join_is_reached_by_the_machines_name() =>
        Assert.Equal(Dns.GetHostName(), await FindAsync([], CancellationToken.None));

    [Fact]
    public async Task A_seed_without_a_name_yet_is_passed_over()
    {
        Assert.Equal("127.0.0.1", await FindAsync([new HostPort("nobody", 9), new HostPort("127.0.0.1", 9)], CancellationToken.None));
        Assert.Empty(_warnings);
    }

    [Fact]
    public async Task It_waits_for_a_name_until_it_is_cancelled()
    {
        using var stop = new CancellationTokenSource();
        var found = OwnHost.FindAsync(
            [new HostPort("nobody", 9)], Resolve, warning => { _warnings.Add(warning); stop.Cancel(); }, TimeProvider.System, stop.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => found);
        Assert.Contains("nobody:9", Assert.Single(_warnings));
    }

    private Task<string> FindAsync(IReadOnlyList<HostPort> seeds, CancellationToken cancellationToken) =>
        OwnHost.FindAsync(seeds, Resolve, _warnings.Add, TimeProvider.System, cancellationToken);

    private static IPEndPoint Resolve(HostPort node) =>
        node.Host == "nobody" ? throw new SocketException((int)SocketError.HostNotFound) : node.Resolve();
}
