using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Benchmarks;

/// <summary>Frames a second of a run, without its first moments, in which code is compiled and queues fill.</summary>
internal sealed class ThroughputMeter(TimeSpan warmUp) : IProgress<TrainingProgress>
{
    private TrainingProgress? _first;
    private TrainingProgress? _last;

    public void Report(TrainingProgress value)
    {
        if (value.Elapsed < warmUp) return;
        _first ??= value;
        _last = value;
    }

    /// <summary>Null where fewer than two reports came after the warm-up.</summary>
    public double? FramesPerSecond => _first is { } first && _last is { } last && last.Elapsed > first.Elapsed
        ? (last.Frames - first.Frames) / (last.Elapsed - first.Elapsed).TotalSeconds
        : null;
}
