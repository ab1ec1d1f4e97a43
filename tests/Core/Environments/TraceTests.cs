using Rl.Distributed.Core.Environments.Traces;

namespace Rl.Distributed.Core.Tests.Environments;

public class TraceTests
{
    [Fact]
    public void Every_trace_of_an_environment_here_replays_without_a_difference()
    {
        var replayed = 0;
        foreach (var file in Traces())
        {
            using var stream = File.OpenRead(file);
            var report = TraceChecker.Check(stream);
            if (report.Message.Contains("no environment here replays", StringComparison.Ordinal)) continue;
            Assert.True(report.Passed, $"{file}: {report}");
            Assert.True(report.Steps > 0);
            replayed++;
        }
        Assert.True(replayed > 0, $"No trace of a known environment under {OracleFiles.Root}.");
    }

    private static IEnumerable<string> Traces() =>
        Directory.EnumerateFiles(OracleFiles.Root, "*.jsonl.gz", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
}
