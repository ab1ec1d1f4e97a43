using System.Net.Sockets;
using System.Text.Json;

namespace Rl.Distributed.Processes.Tests;

/// <summary>Reads the pages that a node serves.</summary>
/// <param name="name">Of the node, for messages.</param>
/// <param name="address">Where: HOST:PORT.</param>
/// <param name="trouble">Says why there will be no answer.</param>
/// <param name="network">The network namespace that the address is in; null: this process's.</param>
internal sealed class NodePagesClient(string name, string address, Func<string?> trouble, string? network = null) : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        ConnectCallback = network is null ? null : (context, _) => NetworkNamespaces.ConnectAsync(network, context.DnsEndPoint),
    }) { BaseAddress = new Uri($"http://{address}"), Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>Asks for the cluster's state until it is as wanted.</summary>
    public Task<ClusterView> SeesAsync(string what, Func<ClusterView, bool> wanted) => Wait.ForAsync(
        $"seen by {name}: {what}", async () => await ReadAsync() is { } view && wanted(view) ? view : null, trouble);

    /// <summary>The cluster's state; null where there was no answer.</summary>
    public async Task<ClusterView?> ReadAsync()
    {
        try
        {
            using var page = JsonDocument.Parse(await _client.GetStringAsync("/cluster"));
            return ClusterView.Of(page.RootElement);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or TaskCanceledException or IOException)
        {
            return null;
        }
    }

    /// <summary>Asks for a metric until it is above a limit.</summary>
    public Task MetricAboveAsync(string metric, string labels, double limit) => Wait.ForAsync(
        $"seen at {name}: {metric} above {limit}", async () => await MetricAsync(metric, labels) > limit ? "" : null, trouble);

    /// <summary>The sum of a metric's samples whose line has this text.</summary>
    public async Task<double> MetricAsync(string metric, string labels)
    {
        var page = await _client.GetStringAsync("/metrics");
        return page.Split('\n')
            .Where(line => line.StartsWith(metric, StringComparison.Ordinal) && line.Contains(labels, StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }

    public void Dispose() => _client.Dispose();
}

/// <summary>What /cluster says.</summary>
/// <param name="Self">The node's own address.</param>
/// <param name="Members">Addresses of members that are up.</param>
/// <param name="Unreachable">Those of them that cannot be reached.</param>
/// <param name="Workers">Workers by address; empty where the node leads no run.</param>
internal sealed record ClusterView(
    string Self, IReadOnlySet<string> Members, IReadOnlySet<string> Unreachable, IReadOnlyDictionary<string, int> Workers, long Frames,
    double? MeanReturn, long Consumed, long RolledBack)
{
    public static ClusterView Of(JsonElement page)
    {
        var members = page.GetProperty("members").EnumerateArray().ToList();
        var run = page.GetProperty("run");
        var hasRun = run.ValueKind == JsonValueKind.Object;
        return new ClusterView(
            Text(page, "address"),
            members.Where(member => Text(member, "status") == "Up").Select(member => Text(member, "address")).ToHashSet(),
            members.Where(member => !member.GetProperty("reachable").GetBoolean()).Select(member => Text(member, "address")).ToHashSet(),
            hasRun ? run.GetProperty("workers").EnumerateObject().ToDictionary(node => node.Name, node => node.Value.GetInt32()) : [],
            hasRun ? run.GetProperty("frames").GetInt64() : 0,
            hasRun && run.GetProperty("meanReturn100") is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : null,
            hasRun ? run.GetProperty("unrolls").GetProperty("consumed").GetInt64() : 0,
            hasRun ? run.GetProperty("unrolls").GetProperty("rolledBack").GetInt64() : 0);
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
