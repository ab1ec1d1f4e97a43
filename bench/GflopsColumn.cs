using System.Diagnostics;
using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Bench;

/// <summary>GFLOP/s of the best iteration, and its share of what one core can do, measured when the table is made.</summary>
internal sealed class GflopsColumn(bool isShare) : IColumn
{
    private static readonly Lazy<double> Peak = new(MeasurePeak);

    public string Id => ColumnName;

    public string ColumnName => isShare ? "of peak" : "GFLOP/s";

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => isShare ? 1 : 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend => isShare ? $"GFLOP/s relative to one core's {Peak.Value:f0}" : "2mnk / minimum time";

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, summary.Style);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style)
    {
        var shape = (GemmShape)benchmarkCase.Parameters.Items.Single(p => p.Value is GemmShape).Value!;
        if (summary[benchmarkCase]?.ResultStatistics is not { } statistics) return "-";
        var gflops = shape.Flops / statistics.Min;
        return (isShare ? gflops / Peak.Value : gflops).ToString(isShare ? "P0" : "F1", CultureInfo.InvariantCulture);
    }

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    private static double MeasurePeak()
    {
        var best = 0.0;
        for (var i = 0; i < 100; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var flops = FmaPeak.Run(100_000);
            best = Math.Max(best, flops / Stopwatch.GetElapsedTime(start).TotalNanoseconds);
        }
        return best;
    }
}
