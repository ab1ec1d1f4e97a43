using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Rl.Distributed.Node.Commands;
using Rl.Distributed.Node.Http;
using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node.Tests.Http;

public sealed class ClusterCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<IDisposable> _nodes = [];

    public void Dispose()
    {
        foreach (var node in _nodes) node.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Status_shows_members_workers_and_the_run()
    {
        var node = StartNode(Samples.Status);
        var run = await RunAsync("cluster", "status", "--http", $"{node.Admin}");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(
            """
            Cluster rl: 3 members, leader 10.0.0.1:4053; engine embedded, version 0.1.0
              node           roles            status   workers  reachable
              10.0.0.1:4053  learner, replay  Up             0  yes
              10.0.0.2:4053  actor            Up             4  yes
              10.0.0.3:4053  actor            Leaving        0  no
            Run impala-catch: 12,000 / 100,000 frames  3,210 frames/s  return -  lag 1.25  60 updates
            Unrolls: 70 sent, 60 consumed, 5 lost, 1 rejected, 2 rolled back

            """,
            run.Output);
    }

    [Fact]
    public async Task Nodes_of_this_machine_are_found_and_a_cluster_is_shown_once()
    {
        StartNode(Samples.Seen(Samples.Near, 2));
        StartNode(Samples.Status);
        StartNode(Samples.Seen(Samples.Far, 3));
        StartNode(Samples.Status with { Cluster = "another", Run = null });
        StartNode(Samples.Status with { Address = "akka.tcp://rl@10.0.0.9:1", Members = [], Run = null });
        var run = await RunAsync("cluster", "status");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(
            ["Cluster another: 3 members", "Cluster rl: 3 members", "Cluster rl: 0 members"],
            run.Output.Split('\n').Where(line => line.StartsWith("Cluster ", StringComparison.Ordinal)).Select(line => line.Split(',')[0]));
        Assert.Single(run.Output.Split('\n'), line => line.StartsWith("Run impala-catch", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_that_acts_tells_whose_run_it_works_for_and_what_became_of_its_unrolls()
    {
        var node = StartNode(Samples.Seen(Samples.Near, 2) with { Work = new WorkStatus(4, 3000, 2990, 3, 1) });
        var run = await RunAsync("cluster", "status", "--http", $"{node.Admin}");
        Assert.EndsWith(
            "Asked of 10.0.0.2:4053, which acts with 4 workers for the run of 10.0.0.1:4053: 3,000 unrolls sent, 2,990 consumed, 3 lost, 1 rejected\n",
            run.Output);
    }

    [Fact]
    public async Task Json_is_one_object_on_one_line()
    {
        StartNode(Samples.Status);
        var run = await RunAsync("cluster", "status", "--json");
        using var json = JsonDocument.Parse(Assert.Single(run.Output.TrimEnd('\n').Split('\n')));
        var cluster = Assert.Single(json.RootElement.GetProperty("clusters").EnumerateArray());
        Assert.Equal(12_000, cluster.GetProperty("run").GetProperty("frames").GetInt64());
        Assert.Equal(JsonValueKind.Null, cluster.GetProperty("run").GetProperty("meanReturn100").ValueKind);
        Assert.Equal(3, cluster.GetProperty("members").GetArrayLength());
    }

    [Fact]
    public async Task A_terminal_gets_a_drawn_table_and_no_control_characters_of_others()
    {
        var node = StartNode(Samples.Status with { Cluster = "r\e[2Jl", Members = [new MemberInfo("a@\e[31mb", 1, "U\np", [], true)] });
        var run = await RunAsync(isTerminal: true, "cluster", "status", "--http", $"{node.Admin}");
        Assert.Contains("Cluster r?[2Jl: 1 member,", run.Output);
        Assert.Contains("?[31mb", run.Output);
        Assert.Contains("U?p", run.Output);
        Assert.True(run.Output.Contains('╭') || run.Output.Contains('┌') || run.Output.Contains('+'), run.Output);
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData("the node is not a member of its cluster", 1)]
    public async Task Health_is_an_exit_code(string? unhealthy, int expected)
    {
        var node = NodeAdmin.Start(null, Samples.Pages(health: () => Samples.Health with { Unhealthy = unhealthy }));
        _nodes.Add(node);
        node.Register(Samples.Learner, [_directory.Path], DateTimeOffset.UtcNow);
        foreach (var run in (CommandRun[])[await RunAsync("cluster", "health"), await RunAsync("cluster", "health", "--http", $"{node.Admin}")])
        {
            Assert.Equal(expected, run.ExitCode);
            Assert.Equal(unhealthy is null ? $"{node.Admin}: ok, up\n" : "", run.Output);
            Assert.Equal(unhealthy is null ? "" : $"rl: {node.Admin}: {unhealthy}\n", run.Error);
        }
    }

    [Fact]
    public async Task Nobody_there_is_not_healthy() => Assert.Equal(1, (await RunAsync("cluster", "health")).ExitCode);

    [Fact]
    public async Task Without_a_node_it_says_how_to_start_one()
    {
        var run = await RunAsync("cluster", "status");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("no node of this machine and user was found", run.Error);
        Assert.Contains("train PRESET --listen", run.Error);
    }

    [Fact]
    public async Task A_refused_connection_is_said()
    {
        var node = StartNode(Samples.Status);
        node.Dispose();
        var run = await RunAsync("cluster", "status", "--http", $"{node.Admin}");
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith($"rl: {node.Admin}: nothing listens there (connection refused).", run.Error);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    public async Task What_is_not_a_node_is_told_from_one(string answer)
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var serving = Task.Run(async () =>
        {
            using var client = await other.AcceptTcpClientAsync();
            await client.Client.ReceiveAsync(new byte[4096]);
            await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(answer));
        });
        var run = await RunAsync("cluster", "status", "--http", $"{other.LocalEndpoint}");
        await serving;
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith($"rl: {other.LocalEndpoint}: what listens there is not a node of this program", run.Error);
    }

    [Fact]
    public async Task A_node_that_does_not_answer_is_a_warning_beside_those_that_do()
    {
        StartNode(Samples.Status);
        var gone = new RegisteredNode(Environment.ProcessId, "http://127.0.0.1:1", Samples.Far, DateTimeOffset.UtcNow);
        using var registration = NodeRegistration.Write(gone, [_directory.Path]);
        var run = await RunAsync("cluster", "status");
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith($"warning: process {Environment.ProcessId}, {Samples.Far}: 127.0.0.1:1: nothing listens there", run.Error);
        Assert.StartsWith("Cluster rl", run.Output);
    }

    [Theory]
    [InlineData("cluster")]
    [InlineData("cluster stats")]
    [InlineData("cluster status --http 8080")]
    [InlineData("cluster status --http 0.0.0.0:80")]
    [InlineData("cluster status --jsn")]
    public async Task Wrong_usage_is_refused(string command)
    {
        var run = await RunAsync(command.Split(' '));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(command.StartsWith("cluster status", StringComparison.Ordinal) ? "`rl cluster status --help`" : "`rl cluster --help`", run.Error);
    }

    private NodeAdmin StartNode(NodeStatus status)
    {
        var node = NodeAdmin.Start(null, Samples.Pages(status));
        node.Register(status.Address, [_directory.Path], DateTimeOffset.UtcNow);
        _nodes.Add(node);
        return node;
    }

    private Task<CommandRun> RunAsync(params string[] args) => RunAsync(isTerminal: false, args);

    private async Task<CommandRun> RunAsync(bool isTerminal, params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var host = new CommandHost { Output = output, Error = error, OutputIsTerminal = isTerminal, NodeFolders = [_directory.Path] };
        var exitCode = await CommandLine.RunAsync(args, host, CancellationToken.None);
        return new CommandRun(exitCode, output.ToString(), error.ToString());
    }
}
