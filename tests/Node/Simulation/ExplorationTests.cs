using System.Collections.Concurrent;
using System.Globalization;
using Rl.Distributed.Node.Engines;

namespace Rl.Distributed.Node.Tests.Simulation;

/// <summary>Many clusters with random faults; each keeps what the ring promises.</summary>
public sealed class ExplorationTests
{
    private const int ShownFailures = 10;

    private static bool IsSlow => Environment.GetEnvironmentVariable("RL_SLOW_TESTS") == "1";

    [Theory]
    [InlineData("impala-catch", 200, 10_000)]
    [InlineData("a3c-cartpole", 20, 1000)]
    [InlineData("async-q-cartpole", 20, 1000)]
    [InlineData("a2c-cartpole", 20, 1000)]
    public void Every_seed_keeps_the_invariants(string preset, int usual, int many)
    {
        Simulated.SkipWithoutSimulation();
        var first = ulong.Parse(Environment.GetEnvironmentVariable("RL_FIRST_SEED") ?? "1", CultureInfo.InvariantCulture);
        var reports = Explore(preset, first, IsSlow ? many : usual);
        var worst = reports.OrderByDescending(entry => entry.Report.LongestPause).First();
        TestContext.Current.TestOutputHelper?.WriteLine(Summary(reports.ConvertAll(entry => entry.Report)));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"Longest pause: {worst.Report.LongestPause.TotalSeconds:0.0} s; {Simulated.Request(worst.Seed, preset: preset).Command}");
        var failed = reports.Where(entry => entry.Report.Violation is not null).ToList();
        if (IsSlow || failed.Count > 0) Keep(preset, (failed.Count > 0 ? failed[0] : worst).Seed);
        Assert.True(failed.Count == 0, $"{failed.Count} of {reports.Count} seeds broke an invariant, the first ones:\n"
            + string.Join('\n', failed.Take(ShownFailures).Select(entry => entry.Report.Violation)));
        // Seeds that explore nothing would be no test.
        Assert.True(reports.Average(entry => entry.Report.Faults) > 2, "Too few faults.");
        Assert.True(reports.Average(entry => entry.Report.LeaderStarts) > 1.3, "Too few crashes of the leading node.");
    }

    /// <summary>One simulation a thread, as many threads as cores.</summary>
    private static List<(ulong Seed, SimulationReport Report)> Explore(string preset, ulong first, int count)
    {
        var reports = new ConcurrentDictionary<ulong, SimulationReport>();
        var next = -1;
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < count;)
            {
                var seed = first + (ulong)i;
                try
                {
                    reports[seed] = Simulated.Run(seed, preset: preset);
                }
                catch (Exception e)
                {
                    reports[seed] = Broken(preset, seed, e);
                }
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return [.. reports.OrderBy(entry => entry.Key).Select(entry => (entry.Key, entry.Value))];
    }

    private static SimulationReport Broken(string preset, ulong seed, Exception reason) => new()
    {
        Timeline = [], Violation = $"The simulation does not fail: {reason}\nto see it again: {Simulated.Request(seed, preset: preset).Command}",
        Frames = 0, Updates = 0, Faults = 0, LeaderStarts = 0, Things = "", Unrolls = "", Elapsed = default, Messages = 0, LongestPause = default,
        WeightsHash = 0, MessageHash = 0,
    };

    private static string Summary(List<SimulationReport> reports) => string.Create(CultureInfo.InvariantCulture,
        $"{reports.Count} runs: {reports.Average(report => report.Faults):0.0} faults, "
        + $"{reports.Average(report => report.LeaderStarts):0.00} starts of the leading node, "
        + $"{reports.Average(report => report.Messages):0} messages and "
        + $"{reports.Average(report => report.Elapsed.TotalSeconds):0.0} s each");

    /// <summary>Leaves the trace of a seed beside the tests.</summary>
    private static void Keep(string preset, ulong seed)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "simulation-worst-seed.txt");
        using (var trace = new StreamWriter(path)) SimulatedHost.RunCluster(Simulated.Request(seed, preset: preset), trace);
        TestContext.Current.TestOutputHelper?.WriteLine($"Trace of seed {seed}: {path}");
    }
}
