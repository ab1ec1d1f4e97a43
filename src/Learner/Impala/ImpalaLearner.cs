using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Learner.Impala;

/// <summary>The IMPALA update: a batch of unrolls in, better weights out.</summary>
/// <remarks>
/// Espeholt et al. 2018 (arXiv:1802.01561): V-trace targets (eq. 1), policy gradient weighted by ρ (section 4.2),
/// losses summed over T and B, global-norm clipping, RMSProp, learning rate annealed linearly to 0 over the run's
/// frames. An update is a sequence of slices, so that whoever calls it can do other things in between; a slice runs the
/// lanes in parallel. Which lane takes what, and the order in which their gradients are added, depend on the batch and
/// the number of lanes only, not on threads.
/// <code>
/// learner.Begin(batch);
/// while (!learner.Advance()) { }
/// </code>
/// </remarks>
public sealed class ImpalaLearner
{
    /// <summary>Work of one lane in one slice, in floating-point operations: some 10 ms on a CPU core.</summary>
    private const double SliceFlops = 1e9;

    private const int MaxEnvironmentsPerShard = 16;

    /// <summary>Parameters whose gradients one shard of a reduction adds up: some 100 µs a lane. Smaller networks are not worth a wake-up.</summary>
    private const int ReductionBlock = 1 << 20;

    private readonly PolicyValueNetwork _network;
    private readonly ImpalaOptions _options;
    private readonly UnrollShape _shape;
    private readonly LinearSchedule _learningRate;
    private readonly IOptimizer _optimizer;
    private readonly IParallelRunner _runner;
    private readonly ImpalaShard[] _lanes;
    private readonly Action<int> _runLane, _reduceBlock;
    private readonly int _shardEnvironments, _shardsPerUnroll;
    private Unroll[] _batch = [];
    private int _nextShard;

    /// <param name="network">The network; its parameters start as they are initialised from the run's seed.</param>
    /// <param name="options">Hyperparameters.</param>
    /// <param name="shape">The shape of the unrolls.</param>
    /// <param name="totalFrames">Frames of the whole run, over which the learning rate is annealed.</param>
    /// <param name="lanes">Parts of a slice that may run at once.</param>
    /// <param name="runner">Where they run.</param>
    /// <param name="seed">The run's seed.</param>
    /// <exception cref="ArgumentException">The batch is not made of whole unrolls.</exception>
    public ImpalaLearner(
        PolicyValueNetwork network, ImpalaOptions options, UnrollShape shape, long totalFrames,
        int lanes, IParallelRunner runner, ulong seed)
    {
        if (options.Batch < shape.Environments || options.Batch % shape.Environments != 0)
            throw new ArgumentException(
                $"learner.batch ({options.Batch}) is not a multiple of the environments of an unroll ({shape.Environments}).",
                nameof(options));
        (_network, _options, _shape, _runner) = (network, options, shape, runner);
        var shardFlops = 3.0 * network.ForwardFlopsPerSample * (shape.Steps + 1);
        var share = Math.Min(shape.Environments, (options.Batch + lanes - 1) / lanes);
        _shardEnvironments = Math.Min(share, Math.Clamp((int)(SliceFlops / shardFlops), 1, MaxEnvironmentsPerShard));
        _shardsPerUnroll = (shape.Environments + _shardEnvironments - 1) / _shardEnvironments;
        _lanes = new ImpalaShard[Math.Min(lanes, UnrollsPerUpdate * _shardsPerUnroll)];
        for (var i = 0; i < _lanes.Length; i++) _lanes[i] = new ImpalaShard(network, options.Loss, shape.Steps, _shardEnvironments);
        _learningRate = new LinearSchedule(
            options.Optimizer.LearningRate, options.AnnealLearningRate ? 0 : options.Optimizer.LearningRate, totalFrames);
        _optimizer = options.Optimizer.Create(network.Layout.TrainedCount);
        (_runLane, _reduceBlock) = (RunLane, ReduceBlock);
        Parameters = new float[network.Layout.Count];
        var random = RandomStream.Create(seed, StreamRole.Initialization);
        network.Initialize(Parameters, ref random);
    }

    /// <summary>The weights; they change only inside <see cref="Advance"/>.</summary>
    public float[] Parameters { get; }

    public IOptimizer Optimizer => _optimizer;

    /// <summary>Frames consumed since the run began.</summary>
    public long Frames { get; set; }

    /// <summary>Updates since the run began.</summary>
    public long Updates { get; set; }

    /// <summary>Global norm of the last gradient before clipping.</summary>
    public float GradientNorm { get; private set; }

    /// <summary>The last update's loss, summed over its frames.</summary>
    public ImpalaLossValues Loss { get; private set; }

    /// <summary>Learning rate of the next update.</summary>
    public float LearningRate => (float)_learningRate.At(Frames);

    /// <summary>Unrolls in a batch.</summary>
    public int UnrollsPerUpdate => _options.Batch / _shape.Environments;

    /// <summary>Begins an update; the batch's buffers are read until <see cref="Advance"/> returns true.</summary>
    public void Begin(Unroll[] batch)
    {
        (_batch, _nextShard) = (batch, 0);
        foreach (var lane in _lanes) lane.Clear();
    }

    /// <summary>Runs the next slice; true when the update is done.</summary>
    /// <exception cref="TrainingDivergedException">The loss or its gradient is not finite. The weights are still the
    /// last good ones.</exception>
    public bool Advance()
    {
        if (_nextShard < _batch.Length * _shardsPerUnroll)
        {
            _runner.Run(_lanes.Length, _runLane);
            _nextShard += _lanes.Length;
            return false;
        }
        Apply();
        return true;
    }

    private void RunLane(int lane)
    {
        var shard = _nextShard + lane;
        if (shard >= _batch.Length * _shardsPerUnroll) return;
        var first = shard % _shardsPerUnroll * _shardEnvironments;
        _lanes[lane].Accumulate(
            Parameters, _batch[shard / _shardsPerUnroll], first, Math.Min(_shardEnvironments, _shape.Environments - first));
    }

    // Adds the other lanes' gradients to the first one's, lane by lane.
    private void ReduceBlock(int block)
    {
        var first = block * ReductionBlock;
        var count = Math.Min(ReductionBlock, Parameters.Length - first);
        for (var i = 1; i < _lanes.Length; i++)
            VectorOps.Axpy(1, _lanes[i].Gradient.AsSpan(first, count), _lanes[0].Gradient.AsSpan(first, count));
    }

    private void Apply()
    {
        var gradient = _lanes[0].Gradient.AsSpan(0, _network.Layout.TrainedCount);
        var loss = _lanes[0].Loss;
        if (_lanes.Length > 1) _runner.Run((gradient.Length + ReductionBlock - 1) / ReductionBlock, _reduceBlock);
        for (var i = 1; i < _lanes.Length; i++) loss += _lanes[i].Loss;
        (Loss, GradientNorm) = (loss, GradientClipping.ByGlobalNorm(gradient, _options.MaxGradientNorm));
        if (!float.IsFinite(GradientNorm) || !double.IsFinite(loss.Total))
            throw new TrainingDivergedException(
                $"Update {Updates + 1} at {Frames:N0} frames: "
                + $"the loss ({loss.Total}) or its gradient's norm ({GradientNorm}) is not finite. "
                + "Try a lower learner.optimizer.learningRate or learner.maxGradientNorm.");
        _optimizer.Step(Parameters.AsSpan(0, gradient.Length), gradient, LearningRate);
        UpdateStatistics();
        Updates++;
        Frames += (long)_batch.Length * _shape.Frames;
        _batch = [];
    }

    // Lane by lane, as the gradients.
    private void UpdateStatistics()
    {
        if (_network.Normalizer is not { } normalizer) return;
        var moments = _lanes[0].Moments!;
        for (var i = 1; i < _lanes.Length; i++) moments.Add(_lanes[i].Moments!);
        normalizer.Update(Parameters, moments);
    }
}
