using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;
using Serilog;

namespace Rl.Distributed.Node.Evaluation;

/// <summary>Greedy episodes with the newest parameters every run.evaluateFrames frames, while training goes on.</summary>
/// <remarks>
/// On a thread of its own, one evaluation at a time: one that falls due meanwhile is left out. In a deterministic run within the call that
/// finds it due. Either way it takes nothing from training's random streams: it plays the episodes of <c>rl eval</c> with the run's seed, the
/// same each time. What fails in it is logged, and training goes on.
/// </remarks>
internal sealed class TrainingEvaluation
{
    /// <summary>As <c>rl eval</c> has it unless it is told otherwise.</summary>
    public const long MaxSteps = 100_000;

    private readonly TrainingConfig _config;
    private readonly RunPlan _plan;
    private readonly CheckpointStore? _checkpoints;
    private readonly ILogger _logger;
    private readonly bool _isInTurn;
    private readonly CancellationToken _cancellation;
    private readonly AgentNetwork _network;
    private readonly float[] _parameters;
    private volatile GreedyReturn? _last, _best;
    private Task _playing = Task.CompletedTask;
    private long _dueAt;

    private TrainingEvaluation(TrainingConfig config, TrainingRunOptions options, RunPlan plan, CancellationToken cancellation)
    {
        (_config, _plan, _checkpoints, _logger) = (config, plan, options.Checkpoints, options.Logger);
        (_isInTurn, _cancellation) = (options.Deterministic, cancellation);
        _network = Algorithms.Find(config.Algorithm).CreateNetwork(config.Network, KnownEnvironments.All.Spec(config.Environment));
        _parameters = new float[_network.Layout.Count];
        _best = options.Resume is null ? null : _checkpoints?.LoadBest();
        _dueAt = NextAfter(plan.Report().Frames);
    }

    /// <summary>The newest one; null before the first.</summary>
    public GreedyReturn? Last => _last;

    /// <summary>The highest mean, the first of equals, those before a resume included; null before the first.</summary>
    public GreedyReturn? Best => _best;

    /// <summary>The evaluations of a run; null where it has none.</summary>
    /// <param name="config">The run's configuration.</param>
    /// <param name="options">Where the best parameters go, and whether the run is deterministic.</param>
    /// <param name="plan">Gives the parameters.</param>
    /// <param name="cancellation">Ends an evaluation without a result.</param>
    public static TrainingEvaluation? Create(
        TrainingConfig config, TrainingRunOptions options, RunPlan plan, CancellationToken cancellation) =>
        config.Run.EvaluateEpisodes == 0 ? null : new TrainingEvaluation(config, options, plan, cancellation);

    /// <summary>Begins an evaluation where one is due; the end of a run is <see cref="CompleteAsync"/>'s. Called by one thread at a time.</summary>
    public void OnReport(long frames)
    {
        if (frames < _dueAt || frames >= _config.Frames) return;
        _dueAt = NextAfter(frames);
        if (_playing.IsCompleted && _plan.CopyParameters(_parameters, isOver: false)) Begin(frames);
    }

    /// <summary>Evaluates the parameters with which training ended, unless the run was cancelled.</summary>
    public async Task CompleteAsync(long frames)
    {
        await _playing.WaitAsync(_cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_cancellation.IsCancellationRequested || !_plan.CopyParameters(_parameters, isOver: true)) return;
        Begin(frames);
        await _playing.WaitAsync(_cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private long NextAfter(long frames)
    {
        var interval = _config.Run.EvaluateFrames;
        var next = frames / interval * interval;
        return next > long.MaxValue - interval ? long.MaxValue : next + interval;
    }

    private void Begin(long frames)
    {
        if (_isInTurn) Play(frames);
        else _playing = Task.Factory.StartNew(() => Play(frames), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Play(long frames)
    {
        try
        {
            var episodes = _config.Run.EvaluateEpisodes;
            var environments = KnownEnvironments.All.Create(
                _config.Environment, Evaluator.EnvironmentsFor(episodes), RandomStream.Create(_config.Seed, StreamRole.EvaluationEnvironment));
            using var disposed = environments as IDisposable;
            var player = new AgentPlayer(
                environments, _network, _parameters, RandomStream.Create(_config.Seed, StreamRole.EvaluationPolicy), sample: false);
            var result = Evaluator.Run(player, episodes, MaxSteps, _cancellation);
            Took(new GreedyReturn(frames, result.MeanReturn, result.StdReturn, result.Episodes));
        }
        catch (OperationCanceledException) when (_cancellation.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            _logger.Warning(e, "The evaluation at {Frames} frames failed: {Reason}", frames, e.Message);
        }
    }

    private void Took(GreedyReturn result)
    {
        _logger.Information(
            "Evaluation at {Frames} frames: mean return {MeanReturn:0.##} ± {StdReturn:0.##} over {Episodes} greedy episodes",
            result.Frames, result.MeanReturn, result.StdReturn, result.Episodes);
        _last = result;
        if (_best is { } best && result.MeanReturn <= best.MeanReturn) return;
        // Whoever reads of it finds its parameters, even after a crash.
        _checkpoints?.SaveBest(_parameters, result);
        _best = result;
    }
}
