using Rl.Distributed.Node.Output;

namespace Rl.Distributed.Node.Tests.Clustering;

/// <summary>What the options of nodes lead to before and after a run.</summary>
public sealed class ClusterArgumentsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Run => _directory.File("run");

    [Fact]
    public async Task An_interrupted_run_of_a_cluster_is_gone_on_with_as_a_cluster()
    {
        var first = await InterruptedAsync("train", "impala-catch", "--run-dir", Run, "--listen", "127.0.0.1:4053", "--workers", "0");
        Assert.Equal(ExitCodes.Interrupted, first.ExitCode);
        Assert.Matches("train --resume .*run --listen 127.0.0.1:4053 --workers 0\n", first.Error);
        var alone = await InterruptedAsync("train", "--resume", Run);
        Assert.Contains("this run had other nodes", alone.Error);
    }

    [Theory, InlineData("--secret-file"), InlineData("--cluster"), InlineData("--advertise")]
    public async Task A_run_without_other_nodes_refuses_options_of_a_cluster(string option)
    {
        var run = await CommandRun.RunAsync("train", "impala-catch", "--run-dir", Run, option, "localhost:1");
        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains($"{option} is for a run with other nodes: give --listen", run.Error);
        Assert.False(Directory.Exists(Run));
    }

    [Fact]
    public async Task A_node_that_joins_another_machine_has_to_listen_beyond_this_one()
    {
        var run = await CommandRun.RunAsync("node", "--join", "192.0.2.1:4053");
        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains("give --listen 0.0.0.0:0", run.Error);
    }

    [Theory]
    [InlineData("--role foo", "There are: actor, learner, replay, parameter-server.")]
    [InlineData("--workers -5", "--workers -5: give a number from 0 to 4096.")]
    [InlineData("--set learner.batch=4", "takes the run's options from the node that leads it")]
    [InlineData("--deterministic", "takes the run's options from the node that leads it")]
    public async Task A_node_that_acts_refuses_what_it_cannot_follow(string words, string expected)
    {
        var run = await CommandRun.RunAsync(["node", "--join", "127.0.0.1:4053", .. words.Split(' ')]);
        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains(expected, run.Error);
    }

    public void Dispose() => _directory.Dispose();

    private static async Task<CommandRun> InterruptedAsync(params string[] words)
    {
        using var stop = new CancellationTokenSource();
        return await CommandRun.RunAsync(FakeTraining.StopAt(640, stop), stop.Token, words);
    }
}
