using System.Net;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Commands;

namespace Rl.Distributed.Node.Http;

/// <summary>A node's web servers, one of which is always reached on loopback, and the file by which it is found there.</summary>
internal sealed class NodeAdmin : IDisposable
{
    private readonly NodeHttpServer? _wide;
    private readonly NodeHttpServer? _loopback;
    private NodeRegistration? _registration;

    private NodeAdmin(HostPort? http, NodePages pages)
    {
        if (http is { IsLoopback: false })
        {
            _wide = NodeHttpServer.Start(http, pages);
            Http = _wide.Address;
        }
        if (http is { IsAny: true }) Admin = Local(_wide!.Address);
        else
        {
            _loopback = NodeHttpServer.Start(http is { IsLoopback: true } ? http : new HostPort("127.0.0.1", 0), pages);
            Admin = _loopback.Address;
            if (http is { IsLoopback: true }) Http = Admin;
        }
    }

    /// <summary>What <c>--http</c> became, with the port that was chosen; null where it was not given.</summary>
    public HostPort? Http { get; }

    /// <summary>Where programs of this machine ask.</summary>
    public HostPort Admin { get; }

    /// <summary>Serves the pages at <paramref name="http"/>, and at a free port of loopback where that does not reach loopback.</summary>
    /// <exception cref="CommandFailedException">One cannot listen there; the message says why and what to do.</exception>
    public static NodeAdmin Start(HostPort? http, NodePages pages) => new(http, pages);

    /// <summary>Lets <c>rl cluster status</c> find the node, from when it has its address.</summary>
    /// <param name="address">The node's, as others know it.</param>
    /// <param name="folders"><see cref="NodeRegistration.DefaultFolders"/>.</param>
    /// <param name="now">The present time.</param>
    /// <exception cref="IOException">No file can be left; the node works as well without.</exception>
    public void Register(string address, IReadOnlyList<string> folders, DateTimeOffset now)
    {
        _registration?.Dispose();
        _registration = NodeRegistration.Write(new RegisteredNode(Environment.ProcessId, $"http://{Admin}", address, now), folders);
    }

    public void Dispose()
    {
        _registration?.Dispose();
        _loopback?.Dispose();
        _wide?.Dispose();
    }

    private static HostPort Local(HostPort any) =>
        any with { Host = (any.Address!.Equals(IPAddress.Any) ? IPAddress.Loopback : IPAddress.IPv6Loopback).ToString() };
}
