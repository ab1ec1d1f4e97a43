using System.Diagnostics;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Runtime;
using Serilog.Core;

namespace Rl.Distributed.Node.Tests.Simulation;

/// <summary>A simulated cluster is a function of its seed.</summary>
public sealed class ClusterSimulationTests
{
    [Theory]
    [InlineData(false, "impala-catch")]
    [InlineData(true, "impala-catch")]
    [InlineData(true, "a3c-cartpole")]
    [InlineData(true, "async-nstep-q-cartpole")]
    [InlineData(false, "async-sarsa-cartpole")]
    [InlineData(true, "a2c-cartpole")]
    public void The_same_seed_gives_the_same_trace_messages_and_weights(bool faults, string preset)
    {
        Simulated.SkipWithoutSimulation();
        var (first, trace) = Traced(4, faults, preset);
        var (second, traceAgain) = Traced(4, faults, preset);
        var other = Simulated.Run(5, faults, preset: preset);
        Assert.Null(first.Violation);
        Assert.True(trace == traceAgain, "The traces differ.");
        Assert.Equal(first.Timeline, second.Timeline);
        Assert.Equal((first.MessageHash, first.WeightsHash, first.Unrolls), (second.MessageHash, second.WeightsHash, second.Unrolls));
        Assert.NotEqual(first.MessageHash, other.MessageHash);
        Assert.NotEqual(first.WeightsHash, other.WeightsHash);
        Assert.Equal(faults, first.Faults > 0);
    }

    [Fact]
    public void A_run_whose_last_checkpoint_ends_in_a_crash_ends_with_its_next_process()
    {
        Simulated.SkipWithoutSimulation();
        var report = Simulated.Run(374);
        Assert.Null(report.Violation);
        Assert.Contains(report.Timeline, line => line.Contains("loses its power while it writes", StringComparison.Ordinal));
        Assert.InRange(report.Elapsed, TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void A_run_of_gradients_without_faults_loses_none()
    {
        Simulated.SkipWithoutSimulation();
        var report = Simulated.Run(1, faults: false, preset: "a3c-cartpole");
        Assert.Null(report.Violation);
        Assert.Contains(" 0 refused + 0 lost", report.Unrolls);
        Assert.Contains("0 rolled back", report.Unrolls);
    }

    [Fact]
    public void A_trace_changes_nothing()
    {
        Simulated.SkipWithoutSimulation();
        using var trace = new StringWriter();
        var (traced, untraced) = (SimulatedHost.RunCluster(Simulated.Request(4), trace), Simulated.Run(4));
        Assert.Equal((untraced.MessageHash, untraced.WeightsHash), (traced.MessageHash, traced.WeightsHash));
        Assert.Contains("InsertUnroll", trace.ToString());
    }

    [Fact]
    public void A_run_without_faults_consumes_all_but_what_was_on_its_way_at_the_end()
    {
        Simulated.SkipWithoutSimulation();
        var report = Simulated.Run(1, faults: false);
        Assert.Null(report.Violation);
        Assert.Equal(6000, report.Frames);
        Assert.Contains("750 consumed, 0 rolled back", report.Unrolls);
        Assert.Contains(" 0 lost", report.Unrolls);
    }

    [Fact]
    public async Task The_command_prints_the_same_in_another_process()
    {
        Simulated.SkipWithoutSimulation();
        var words = Simulated.Request(4).Command.Split(' ')[1..];
        var other = OutputOfProcessAsync(words);
        var run = await CommandRun.RunAsync(words);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(run.Output, (await other).ReplaceLineEndings("\n"));
        Assert.Contains("leads, epoch 0", run.Output);
        Assert.Contains("Weights ", run.Output);
    }

    [Fact]
    public void A_node_that_is_asked_to_end_between_two_systems_ends_at_once()
    {
        var simulation = EmbeddedEngine.Simulate(1);
        var address = new HostPort("10.0.0.2", 4053);
        var endpoint = new NodeEndpoint { Listen = address, Seeds = [new HostPort("10.0.0.1", 4053)], Roles = [NodeRoles.Actor] };
        var node = new ActorNode(
            log => EngineHost.Create(simulation, log, endpoint), endpoint.Seeds, new NodeRoom(1), KnownEnvironments.Foreign(), Logger.None, simulation.TimeProvider);
        using var stop = new CancellationTokenSource();
        var work = node.RunAsync(stop.Token);
        simulation.Advance(TimeSpan.FromSeconds(1));
        node.System!.Terminate();
        Assert.True(simulation.RunUntil(() => node.System is null, TimeSpan.FromSeconds(1)));
        SynchronizationContext.SetSynchronizationContext(null);
        stop.Cancel();
        Assert.True(work.IsCompletedSuccessfully);
    }

    private static (SimulationReport Report, string Trace) Traced(ulong seed, bool faults, string preset)
    {
        using var trace = new StringWriter();
        return (SimulatedHost.RunCluster(Simulated.Request(seed, faults, preset: preset), trace), trace.ToString());
    }

    private static async Task<string> OutputOfProcessAsync(string[] words)
    {
        string[] command = [Path.Combine(AppContext.BaseDirectory, "rl.dll"), .. words];
        var start = new ProcessStartInfo("dotnet", command) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        return await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
