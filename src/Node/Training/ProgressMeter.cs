using Rl.Distributed.Actors;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Evaluation;

namespace Rl.Distributed.Node.Training;

/// <summary>Turns the learner's reports into progress at the configured interval, asks for checkpoints when time is up,
/// and holds how the run ended.</summary>
internal sealed class ProgressMeter : IRunWatcher
{
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(5), FirstCheckpoint = TimeSpan.FromSeconds(10);

    private readonly TrainingConfig _config;
    private readonly TrainingRunOptions _options;
    private readonly TimeProvider _clock;
    private readonly Action? _requestCheckpoint;
    private readonly TrainingEvaluation? _evaluation;
    private readonly TaskCompletionSource<LearnerReport> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<(int Worker, int Incarnation), WorkerReport> _workers = [];
    private readonly Queue<(TimeSpan At, long Frames, long Updates)> _recent = new();
    private readonly long _startedAt, _startFrames, _consumedBefore, _duplicateBefore, _rejectedBefore, _hundredth;
    private readonly int _firstIncarnation;
    private TimeSpan _progressAt, _checkpointAt;
    private TrainingProgress? _final;
    private GreedyReturn? _shown;
    private long _progressFrames;
    private int _workersNow, _nodesNow;

    /// <param name="config">The run's configuration.</param>
    /// <param name="options">Who hears of progress.</param>
    /// <param name="plan">The run; its learner tells where it starts.</param>
    /// <param name="clock">For rates and intervals only: nothing in the run depends on it.</param>
    /// <param name="requestCheckpoint">Called every run.checkpointSeconds; null leaves checkpoints to frames.</param>
    /// <param name="evaluation">Hears how far the run is; null: there is none.</param>
    public ProgressMeter(
        TrainingConfig config, TrainingRunOptions options, RunPlan plan, TimeProvider clock, Action? requestCheckpoint,
        TrainingEvaluation? evaluation = null)
    {
        (_config, _options, _clock, _requestCheckpoint, _evaluation) = (config, options, clock, requestCheckpoint, evaluation);
        var start = plan.Report();
        (_startedAt, _startFrames, _consumedBefore) = (clock.GetTimestamp(), start.Frames, start.UnrollsConsumed);
        (_progressFrames, _hundredth) = (start.Frames, Math.Max(1, config.Frames / 100));
        (_duplicateBefore, _rejectedBefore) = (start.UnrollsDuplicate, start.UnrollsRejected);
        _firstIncarnation = WorkerIdentity.FirstIncarnation(plan.Epoch);
        _recent.Enqueue((TimeSpan.Zero, _startFrames, start.Updates));
    }

    /// <summary>The last report; faulted where the run failed.</summary>
    public Task<LearnerReport> Finished => _finished.Task;

    private TimeSpan Elapsed => _clock.GetElapsedTime(_startedAt);

    public void OnReport(LearnerReport report)
    {
        _evaluation?.OnReport(report.Frames);
        var now = Elapsed;
        if (now - _progressAt >= TimeSpan.FromSeconds(_config.Run.MetricsSeconds)
            || report.Frames / _hundredth != _progressFrames / _hundredth || _shown != _evaluation?.Last)
        {
            (_progressAt, _progressFrames) = (now, report.Frames);
            _options.Progress?.Report(Progress(report, now));
        }
        // The first one comes early, so that a run that is killed in its first minute is not lost.
        var interval = TimeSpan.FromSeconds(_config.Run.CheckpointSeconds);
        if (_checkpointAt == TimeSpan.Zero && interval > FirstCheckpoint) interval = FirstCheckpoint;
        if (_requestCheckpoint is null || _config.Run.CheckpointSeconds <= 0
            || now - _checkpointAt < interval)
            return;
        _checkpointAt = now;
        _requestCheckpoint();
    }

    public void OnReport(WorkerReport report) => _workers[(report.Worker, report.Incarnation)] = report;

    public void OnWorkers(WorkerRoster roster)
    {
        (_workersNow, _nodesNow) = (roster.Workers, roster.Nodes);
        _options.Live?.Show(roster);
    }

    public void OnFinished(TrainingFinished end)
    {
        if (_finished.Task.IsCompleted) return;
        _final = Progress(end.Report, Elapsed);
        _options.Progress?.Report(_final);
        LogLedger(end);
        _finished.TrySetResult(end.Report);
    }

    public void OnFailed(Exception reason) => _finished.TrySetException(reason);

    /// <summary>What came out. Evaluates the last parameters first, where the run has evaluations.</summary>
    /// <exception cref="Exception">The reason, where the run failed.</exception>
    public async Task<TrainingResult> ResultAsync()
    {
        var report = await Finished.ConfigureAwait(false);
        if (_evaluation is not null)
        {
            await _evaluation.CompleteAsync(report.Frames).ConfigureAwait(false);
            if (_shown != _evaluation.Last) _options.Progress?.Report(_final! with { Evaluation = _evaluation.Last });
        }
        var seconds = _final!.Elapsed.TotalSeconds;
        return new TrainingResult
        {
            Preset = _config.Preset,
            Environment = _config.Environment.Name,
            Seed = _config.Seed,
            Frames = report.Frames,
            Interrupted = report.Frames < _config.Frames,
            Seconds = seconds,
            FramesPerSecond = (report.Frames - _startFrames) / seconds,
            MeanReturn100 = double.IsNaN(report.MeanReturn100) ? null : report.MeanReturn100,
            Updates = report.Updates,
            PolicyLagMean = report.PolicyLagMean,
            Evaluation = _evaluation?.Last,
            BestEvaluation = _evaluation?.Best,
            ShardSkewMean = double.IsNaN(report.ShardSkewMean) ? null : report.ShardSkewMean,
            ShardSkewMax = double.IsNaN(report.ShardSkewMax) ? null : report.ShardSkewMax,
            RunDirectory = _options.RunDirectory,
        };
    }

    private TrainingProgress Progress(LearnerReport report, TimeSpan now)
    {
        var (framesPerSecond, updatesPerSecond) = Rates(report, now);
        _shown = _evaluation?.Last;
        return new TrainingProgress
        {
            Frames = report.Frames,
            TotalFrames = _config.Frames,
            FramesPerSecond = framesPerSecond,
            MeanReturn100 = report.MeanReturn100,
            Episodes = report.Episodes,
            PolicyLag = report.PolicyLag,
            ShardSkew = report.ShardSkew,
            ShardSkewMax = report.ShardSkewMax,
            Updates = report.Updates,
            UpdatesPerSecond = updatesPerSecond,
            PolicyLoss = report.PolicyLoss,
            ValueLoss = report.ValueLoss,
            Entropy = report.Entropy,
            GradientNorm = report.GradientNorm,
            LearningRate = report.LearningRate,
            Elapsed = now,
            Remaining = Remaining(report, framesPerSecond),
            UnrollsSent = Math.Max(report.UnrollsConsumed, _consumedBefore + _workers.Values.Sum(worker => worker.Sent)),
            UnrollsConsumed = report.UnrollsConsumed,
            UnrollsLost = _workers.Values.Sum(worker => worker.Lost),
            UnrollsRolledBack = report.UnrollsRolledBack,
            UnrollsRejected = report.UnrollsDuplicate + Rejected(report, 0),
            EpisodesRestarted = report.EpisodesRestarted,
            EpisodesLost = report.EpisodesLost,
            Workers = _workersNow,
            Nodes = _nodesNow,
            Evaluation = _shown,
        };
    }

    private TimeSpan? Remaining(LearnerReport report, double framesPerSecond)
    {
        var seconds = Math.Max(0, _config.Frames - report.Frames) / framesPerSecond;
        return seconds < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;
    }

    // Sent = consumed + discarded + refused + lost. What is discarded was queued or on its way when the learner had enough, or when its node
    // was lost; the last words of such a node's workers may be old, but what was consumed was sent.
    private void LogLedger(TrainingFinished end)
    {
        var sentBy = _workers.ToDictionary(entry => entry.Key, entry => entry.Value.Sent);
        foreach (var least in end.Consumed)
            if (sentBy.TryGetValue((least.Worker, least.Incarnation), out var sent))
                sentBy[(least.Worker, least.Incarnation)] = Math.Max(sent, least.Unrolls);
            else if (least.Incarnation >= _firstIncarnation) sentBy[(least.Worker, least.Incarnation)] = least.Unrolls;
        var lost = _workers.Values.Sum(worker => worker.Lost);
        var rejected = end.Report.UnrollsDuplicate - _duplicateBefore + Rejected(end.Report, _rejectedBefore);
        var (total, consumed) = (sentBy.Values.Sum(), end.Report.UnrollsConsumed - _consumedBefore);
        // A gradient that one shard has and another has not is refused, or lost.
        consumed = Math.Min(consumed, Math.Max(0, total - rejected - lost));
        _options.Logger.Information(
            "Unrolls since this process began: {Sent} sent = {Consumed} consumed + {Discarded} discarded at the end or with their node "
            + "+ {Rejected} refused + {Lost} lost",
            total, consumed, total - consumed - rejected - lost, rejected, lost);
    }

    // What a queue refuses its workers know; of a gradient that is refused both sides know.
    private long Rejected(LearnerReport report, long before) =>
        Math.Max(report.UnrollsRejected - before, _workers.Values.Sum(worker => worker.Rejected));

    private (double FramesPerSecond, double UpdatesPerSecond) Rates(LearnerReport report, TimeSpan now)
    {
        while (_recent.Count > 1 && now - _recent.Peek().At > RateWindow) _recent.Dequeue();
        var (at, frames, updates) = _recent.Peek();
        _recent.Enqueue((now, report.Frames, report.Updates));
        var seconds = Math.Max(1e-9, (now - at).TotalSeconds);
        return ((report.Frames - frames) / seconds, (report.Updates - updates) / seconds);
    }
}
