using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace Rl.Distributed.Bench;

/// <summary>Kernels take microseconds: short iterations in this process, of which the best counts on a shared machine.</summary>
internal class ShortInProcess : ManualConfig
{
    public ShortInProcess()
    {
        AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance)
            .WithWarmupCount(3)
            .WithIterationCount(30)
            .WithIterationTime(TimeInterval.FromMilliseconds(5)));
        WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(40));
        AddColumn(StatisticColumn.Min);
        HideColumns(Column.Error, Column.StdDev, Column.Median);
    }
}
