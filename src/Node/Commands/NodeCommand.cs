using System.CommandLine;
using Rl.Distributed.Core;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl node</c>: one node of a cluster, which acts for a run that another node leads, or leads one.</summary>
internal sealed class NodeCommand(CommandHost host)
{
    private readonly Option<string> _role = new("--role")
    {
        Description = $"{NodeRoles.Actor}: acts for the cluster's run. "
            + $"{string.Join(",", NodeRoles.Leading)}: leads a run, as `rl train PRESET --listen` does.",
        HelpName = "roles",
        DefaultValueFactory = _ => NodeRoles.Actor,
    };
    private readonly TrainCommand _train = new(host);

    public static Command Create(CommandHost host)
    {
        var node = new NodeCommand(host);
        var command = new Command("node", "Joins a cluster, and acts there or leads its run.");
        command.Options.Add(node._role);
        node._train.AddTo(command);
        command.SetAction(node.RunAsync);
        return command;
    }

    private Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var roles = Roles(parsed.GetValue(_role)!);
        var workers = _train.Config.Workers(parsed);
        if (roles.Contains(NodeRoles.Learner))
            return _train.RunAsync(parsed, NodeRoles.Leading, roles.Contains(NodeRoles.Actor) ? workers : 0, cancellationToken);
        _train.RefuseRunOptions(parsed);
        var environments = Environments(_train.Config.Environments(parsed));
        // A node that has shards need not act.
        var shards = _train.Config.Shards(parsed) ?? 0;
        var room = new NodeRoom(workers ?? 0, shards);
        if (room.Workers == 0 && (shards == 0 || workers is null)) room = room with { Workers = Environment.ProcessorCount };
        return ActAsync(parsed, room, environments, cancellationToken);
    }

    private async Task<int> ActAsync(ParseResult parsed, NodeRoom room, EnvironmentRegistry environments, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> roles = [.. room.Workers > 0 ? [NodeRoles.Actor] : Array.Empty<string>(), .. room.Shards > 0 ? [NodeRoles.ParameterServer] : Array.Empty<string>()];
        var endpoint = await _train.Cluster.EndpointAsync(
            parsed, roles, warning => host.Error.WriteLine($"warning: {warning}"), host.Clock, cancellationToken);
        if (endpoint.Seeds.Count == 0)
            throw new ConfigException("A node that acts needs a cluster to join: --join HOST:PORT, where `rl train PRESET --listen HOST:PORT` runs.");
        using var logger = Logs.ToPeople(host.Error, Serilog.Events.LogEventLevel.Information);
        using var failures = KnownEnvironments.LogFailures(logger);
        var live = new LiveNode(endpoint, config: null, host.Clock);
        using var admin = live.Serve(_train.Cluster.Http(parsed), logger);
        logger.Information(
            "This node has room for {Workers} workers{Shards} and looks for the cluster at {Seeds}", room.Workers,
            room.Shards > 0 ? $" and {room.Shards} shards" : "", string.Join(", ", endpoint.Seeds));
        var node = new ActorNode(log => live.Started(EngineHost.Create(log, endpoint)), endpoint.Seeds, room, environments, logger, host.Clock);
        live.Acts = node.History;
        await node.RunAsync(cancellationToken);
        return ExitCodes.Ok;
    }

    private static EnvironmentRegistry Environments(IReadOnlyList<string> names)
    {
        try
        {
            return KnownEnvironments.Foreign(names);
        }
        catch (Exception e) when (e is EnvironmentException or ArgumentException)
        {
            throw new ConfigException($"--env: {e.Message}", e);
        }
    }

    private static IReadOnlyList<string> Roles(string text)
    {
        var roles = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (roles.Length == 0) throw new ConfigException($"--role: name one or more of {string.Join(", ", NodeRoles.All)}.");
        foreach (var role in roles)
            if (!NodeRoles.All.Contains(role))
                throw new ConfigException($"--role {text}: there is no role '{role}'{NearestName.Hint(role, NodeRoles.All)} There are: {string.Join(", ", NodeRoles.All)}.");
        var leading = roles.Intersect(NodeRoles.Leading).ToList();
        if (leading.Count > 0 && leading.Count < NodeRoles.Leading.Count)
            throw new ConfigException(
                $"--role {text}: {string.Join(", ", NodeRoles.Leading)} share a node: experience and weights stay in one process. Name all of them.");
        return roles;
    }
}
