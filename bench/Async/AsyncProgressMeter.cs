using System.Diagnostics;
using System.Globalization;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Bench.Async;

/// <summary>Adds up what the threads report, and says where the run is.</summary>
internal sealed class AsyncProgressMeter(AsyncArguments arguments)
{
    private const int Window = 100;

    private readonly Queue<float> _returns = new();
    private readonly Stopwatch _clock = new();
    private TimeSpan _cpu;
    private double _sum, _norm, _entropy;
    private long _episodes, _updates, _staleness, _stalenessMax, _nextLine, _lineFrames, _lineUpdates, _rejected;

    public long Frames { get; private set; }

    public double Mean => _returns.Count == 0 ? double.NaN : _sum / _returns.Count;

    public double Best { get; private set; } = double.NegativeInfinity;

    /// <summary>Frames at which the mean of 100 episodes first reached what was asked for.</summary>
    public long? SolvedAt { get; private set; }

    public bool IsSolved => arguments.StopWhenSolved && SolvedAt is not null;

    public double FramesPerSecond => Frames / _clock.Elapsed.TotalSeconds;

    /// <summary>Frames a second of processor time, times the threads: what the machine would give if nobody else used it.</summary>
    public double FramesPerFreeSecond => Frames / _cpu.TotalSeconds * arguments.Threads;

    public void Begin()
    {
        _cpu = -Process.GetCurrentProcess().TotalProcessorTime;
        _clock.Start();
    }

    public void End()
    {
        _cpu += Process.GetCurrentProcess().TotalProcessorTime;
        _clock.Stop();
        var solved = SolvedAt is { } frames ? string.Create(CultureInfo.InvariantCulture, $"{frames:N0}") : "-";
        var stale = (double)_staleness / Math.Max(1, _updates);
        Write($"  end {Frames,11:N0} frames, {_episodes:N0} episodes, mean {Mean:F1}, best {Best:F1}, reached at {solved}");
        Write($"      {FramesPerSecond:N0} frames/s, {FramesPerFreeSecond:N0} of free cores; {_updates:N0} updates");
        Write($"      staleness {stale:F2}, at most {_stalenessMax}; {_rejected} gradients rejected");
    }

    public void Add(LearnerProgress progress)
    {
        Frames += progress.Frames;
        _episodes += progress.EpisodeReturns.Length;
        _updates += progress.Updates;
        _rejected += progress.Rejected;
        _staleness += progress.StalenessSum;
        _stalenessMax = Math.Max(_stalenessMax, progress.StalenessMax);
        (_norm, _entropy) = (_norm + progress.GradientNormSum, _entropy + progress.Loss.Entropy);
        (_lineFrames, _lineUpdates) = (_lineFrames + progress.Frames, _lineUpdates + progress.Updates);
        foreach (var episode in progress.EpisodeReturns)
        {
            _returns.Enqueue(episode);
            _sum += episode;
            if (_returns.Count > Window) _sum -= _returns.Dequeue();
            if (_returns.Count < Window) continue;
            Best = Math.Max(Best, Mean);
            if (Mean >= arguments.Threshold) SolvedAt ??= Frames;
        }
        if (Frames < _nextLine || arguments.Quiet) return;
        _nextLine += arguments.Frames / 20;
        var (norm, entropy) = (_norm / Math.Max(1, _lineUpdates), _entropy / Math.Max(1, _lineFrames));
        Write($"  {Frames,11:N0}  mean {Mean,8:F2}  norm {norm,8:F3}  entropy {entropy:F3}  {_clock.Elapsed.TotalSeconds:F0} s");
        (_norm, _entropy, _lineFrames, _lineUpdates) = (0, 0, 0, 0);
    }

    private static void Write(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
