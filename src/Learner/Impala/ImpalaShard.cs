using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Learner.Impala;

/// <summary>One lane of the learner: takes some environments of an unroll, and adds their gradient to its own.</summary>
/// <remarks>
/// Environments of an unroll are independent, so a lane runs forward, V-trace, loss and backward over its T+1 rows of n ≤ N environments in
/// one go while they are in the cache, and needs no barrier before its gradient. Not thread-safe. Allocates nothing after creation.
/// </remarks>
internal sealed class ImpalaShard
{
    private readonly PolicyValueNetwork _network;
    private readonly ImpalaLossOptions _options;
    private readonly NetworkWorkspace _workspace;
    private readonly ImpalaLossWorkspace _lossWorkspace;
    private readonly int _steps, _maxEnvironments;
    private readonly byte[] _observations;
    private readonly int[] _actions;
    private readonly float[] _behaviourLogits, _rewards, _discounts, _logitGradient, _valueGradient;

    /// <param name="network">The network.</param>
    /// <param name="options">The loss.</param>
    /// <param name="steps">T.</param>
    /// <param name="maxEnvironments">N.</param>
    public ImpalaShard(PolicyValueNetwork network, ImpalaLossOptions options, int steps, int maxEnvironments)
    {
        var (frames, rows) = (steps * maxEnvironments, (steps + 1) * maxEnvironments);
        (_network, _options, _steps, _maxEnvironments) = (network, options, steps, maxEnvironments);
        _workspace = network.CreateWorkspace(rows, training: true);
        _lossWorkspace = new ImpalaLossWorkspace(steps, maxEnvironments, network.Actions);
        _observations = new byte[rows * network.Observation.ByteCount];
        _actions = new int[frames];
        (_rewards, _discounts, _valueGradient) = (new float[frames], new float[frames], new float[frames]);
        (_behaviourLogits, _logitGradient) = (new float[frames * network.Actions], new float[frames * network.Actions]);
        Gradient = new float[network.Layout.Count];
        Moments = network.Normalizer is { } normalizer ? new ObservationMoments(normalizer.Size) : null;
    }

    /// <summary>Sum of the gradients since <see cref="Clear"/>.</summary>
    public float[] Gradient { get; }

    /// <summary>Of the observations since <see cref="Clear"/>, those that only give bootstrap values left out; null where nobody asks.</summary>
    public ObservationMoments? Moments { get; }

    /// <summary>Sums of the loss's parts since <see cref="Clear"/>.</summary>
    public ImpalaLossValues Loss { get; private set; }

    public void Clear()
    {
        Gradient.AsSpan().Clear();
        Loss = default;
        Moments?.Clear();
    }

    /// <summary>Adds the gradient of <paramref name="count"/> ≤ N environments of an unroll.</summary>
    public void Accumulate(ReadOnlySpan<float> parameters, Unroll unroll, int firstEnvironment, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _maxEnvironments);
        var (frames, actions) = (_steps * count, _network.Actions);
        Gather(unroll, firstEnvironment, count);
        _network.Forward(
            parameters, _observations.AsSpan(0, (frames + count) * _network.Observation.ByteCount), frames + count, _workspace);
        var logitGradient = _logitGradient.AsSpan(0, frames * actions);
        var valueGradient = _valueGradient.AsSpan(0, frames);
        Loss += ImpalaLoss.Compute(
            _steps, count, actions, _behaviourLogits.AsSpan(0, frames * actions), _workspace.Logits, _workspace.Values,
            _actions.AsSpan(0, frames), _rewards.AsSpan(0, frames), _discounts.AsSpan(0, frames), _options, _lossWorkspace,
            logitGradient, valueGradient);
        Moments?.Add(_observations.AsSpan(0, frames * _network.Observation.ByteCount));
        _network.Backward(parameters, frames, _workspace, logitGradient, valueGradient, Gradient);
    }

    // [T][B] of the unroll to [T][count] here.
    private void Gather(Unroll unroll, int first, int count)
    {
        var (width, actions, bytes) = (unroll.Shape.Environments, _network.Actions, _network.Observation.ByteCount);
        for (var t = 0; t <= _steps; t++)
            unroll.ObservationsAt(t).Slice(first * bytes, count * bytes).CopyTo(_observations.AsSpan(t * count * bytes));
        for (var t = 0; t < _steps; t++)
        {
            var (from, to) = (t * width + first, t * count);
            unroll.Actions.AsSpan(from, count).CopyTo(_actions.AsSpan(to));
            unroll.Rewards.AsSpan(from, count).CopyTo(_rewards.AsSpan(to));
            unroll.Discounts.AsSpan(from, count).CopyTo(_discounts.AsSpan(to));
            unroll.BehaviourLogits.AsSpan(from * actions, count * actions).CopyTo(_behaviourLogits.AsSpan(to * actions));
        }
    }
}
