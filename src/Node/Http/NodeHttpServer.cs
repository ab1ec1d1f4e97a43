using System.Text;
using System.Text.Json;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Commands;

namespace Rl.Distributed.Node.Http;

/// <summary>Where a node's pages come from. The functions are called by the server's thread and must not wait for anything,
/// least of all for an actor: they read what others left for them.</summary>
internal sealed record NodePages
{
    public required Func<NodeHealth> Health { get; init; }

    public required Func<NodeStatus> Status { get; init; }

    public required NodeMetrics Metrics { get; init; }
}

/// <summary>Serves a node's pages: <c>/health</c>, <c>/metrics</c> and <c>/cluster</c>.</summary>
internal sealed class NodeHttpServer : IDisposable
{
    private const string Json = "application/json; charset=utf-8";

    private readonly NodePages _pages;
    private readonly HttpGetServer _server;

    private NodeHttpServer(HostPort bind, NodePages pages, HttpLimits limits)
    {
        _pages = pages;
        _server = HttpGetServer.Start(bind, Answer, limits);
    }

    /// <summary>Where it listens, with the port that was chosen.</summary>
    public HostPort Address => new(_server.EndPoint.Address.ToString(), _server.EndPoint.Port);

    /// <exception cref="CommandFailedException">One cannot listen there; the message says why and what to do.</exception>
    public static NodeHttpServer Start(HostPort bind, NodePages pages, HttpLimits? limits = null) =>
        new(bind, pages, limits ?? new HttpLimits());

    public void Dispose() => _server.Dispose();

    private HttpReply Answer(HttpRequest request)
    {
        Func<HttpReply>? page = request.Path switch
        {
            "/health" => Health,
            "/metrics" => Metrics,
            "/cluster" => Cluster,
            _ => null,
        };
        if (page is null) return HttpReply.Text(404, "There is nothing here. This node serves /health, /metrics and /cluster.");
        if (request.Method is not ("GET" or "HEAD")) return HttpReply.Text(405, "Pages can only be read.") with { Allow = "GET, HEAD" };
        try
        {
            return page();
        }
        catch (Exception e)
        {
            // Whatever goes wrong with a page, the next one has to be answered.
            return HttpReply.Text(500, $"The page could not be made: {e.GetType().Name}: {e.Message}");
        }
    }

    private HttpReply Health()
    {
        var health = _pages.Health();
        var (code, status) = health.Unhealthy is null ? (200, "ok") : (503, "unhealthy");
        var page = new HealthPage(status, health.State, health.Roles, Math.Round(health.Uptime.TotalSeconds, 3), health.Unhealthy);
        return new HttpReply(code, Json, JsonSerializer.SerializeToUtf8Bytes(page, NodeJson.Default.HealthPage));
    }

    private HttpReply Metrics() => new(200, NodeMetrics.ContentType, Encoding.UTF8.GetBytes(_pages.Metrics.ToText()));

    private HttpReply Cluster() => new(200, Json, JsonSerializer.SerializeToUtf8Bytes(_pages.Status(), NodeJson.Default.NodeStatus));
}

/// <summary>The page <c>/health</c>.</summary>
/// <param name="Status">ok or unhealthy.</param>
internal sealed record HealthPage(string Status, string State, IReadOnlyList<string> Roles, double UptimeSeconds, string? Reason);
