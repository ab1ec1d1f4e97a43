using System.CommandLine;
using System.Text.Json;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Http;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl cluster status</c>: the nodes, their workers and the run, as a node tells them.</summary>
internal sealed class ClusterCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly CommandHost _host;
    private readonly Option<HostPort?> _http = HostPortOption.ToConnect(
        "--http", "Ask the node that serves its pages here; by default all nodes of this machine and user.");
    private readonly Option<bool> _json = new("--json") { Description = "Standard output is one line with one JSON object." };

    private ClusterCommand(CommandHost host) => _host = host;

    public static Command Create(CommandHost host)
    {
        var cluster = new ClusterCommand(host);
        var status = new Command("status", "Shows members, workers and the run.") { cluster._http, cluster._json };
        status.SetAction(cluster.StatusAsync);
        var health = new Command("health", "Exit code 0 where the node is well, 1 where it is not or does not answer.") { cluster._http };
        health.SetAction(cluster.HealthAsync);
        return new Command("cluster", "Tells about running nodes.") { status, health };
    }

    private async Task<int> HealthAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var client = new NodeClient(Patience);
        var nodes = parsed.GetValue(_http) is { } given ? [given] : Registered().Select(AdminOf).ToList();
        foreach (var node in nodes)
        {
            var health = await client.ReadHealthAsync(node, cancellationToken);
            if (health.Status != "ok") throw new CommandFailedException($"{node}: {health.Reason ?? "what listens there says nothing of its health."}");
            _host.Output.WriteLine($"{node}: {health.Status}, {health.State}");
        }
        return ExitCodes.Ok;
    }

    private async Task<int> StatusAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var client = new NodeClient(Patience);
        var nodes = parsed.GetValue(_http) is { } node
            ? [await client.ReadStatusAsync(node, cancellationToken)]
            : await AskAllAsync(client, cancellationToken);
        var report = ClusterReport.Of(nodes);
        if (parsed.GetValue(_json))
        {
            _host.Output.WriteLine(JsonSerializer.Serialize(report, NodeJson.Default.ClusterReport));
            return ExitCodes.Ok;
        }
        foreach (var (i, cluster) in report.Clusters.Index())
        {
            if (i > 0) _host.Output.WriteLine();
            ClusterText.Write(cluster, _host.Output, _host.OutputIsTerminal);
        }
        return ExitCodes.Ok;
    }

    /// <summary>What the nodes of this machine say, those that answer; the others are named as warnings.</summary>
    private async Task<List<NodeStatus>> AskAllAsync(NodeClient client, CancellationToken cancellationToken)
    {
        var asked = await Task.WhenAll(Registered().Select(node => AskAsync(client, node, cancellationToken)));
        var failures = asked.Select(answer => answer.Failure).OfType<string>().ToList();
        if (failures.Count == asked.Length) throw new CommandFailedException($"no node answers:\n{string.Join('\n', failures)}");
        foreach (var failure in failures) _host.Error.WriteLine($"warning: {failure}");
        return [.. asked.Select(answer => answer.Status).OfType<NodeStatus>()];
    }

    private IReadOnlyList<RegisteredNode> Registered() => NodeRegistration.Find(_host.NodeFolders) is { Count: > 0 } found
        ? found
        : throw new CommandFailedException(
            "no node of this machine and user was found. "
            + $"Start one with `{CommandLine.Name} train PRESET --listen 127.0.0.1:4053`, "
            + "or name another machine's with --http HOST:PORT.");

    private static HostPort AdminOf(RegisteredNode node)
    {
        var admin = new Uri(node.Admin);
        return new HostPort(admin.DnsSafeHost, admin.Port);
    }

    private static async Task<(NodeStatus? Status, string? Failure)> AskAsync(
        NodeClient client, RegisteredNode node, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.ReadStatusAsync(AdminOf(node), cancellationToken), null);
        }
        catch (CommandFailedException e)
        {
            return (null, $"process {node.Pid}, {node.Address}: {e.Message}");
        }
    }
}
