using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>The passes of A3C learners that take turns on one thread.</summary>
public sealed class A3cMemory
{
    /// <param name="network">Policy and value, which share the torso.</param>
    /// <param name="options">The learners'.</param>
    public A3cMemory(PolicyValueNetwork network, A3cOptions options)
    {
        (Network, Options) = (network, options);
        var (steps, environments) = (options.SegmentLength, options.Environments);
        Unroll = network.CreateUnrollWorkspace(steps + 1, environments, training: true);
        Bootstrap = network.CreateUnrollWorkspace(1, environments, training: false);
        (Logits, Values) = (new float[steps * environments * network.Actions], new float[(steps + 1) * environments]);
        (LogitGradient, ValueGradient) = (new float[Logits.Length], new float[steps * environments]);
        NoResets = new bool[environments];
        (Uniforms, State) = (new float[environments], new float[environments * network.StateSize]);
    }

    public PolicyValueNetwork Network { get; }

    public A3cOptions Options { get; }

    internal UnrollWorkspace Unroll { get; }

    /// <summary>For values of what ended episodes showed last.</summary>
    internal UnrollWorkspace Bootstrap { get; }

    internal float[] Logits { get; }

    internal float[] Values { get; }

    internal float[] LogitGradient { get; }

    internal float[] ValueGradient { get; }

    internal float[] Uniforms { get; }

    internal bool[] NoResets { get; }

    /// <summary>A copy of a recurrent state, for steps that the learner does not take.</summary>
    internal float[] State { get; }
}

/// <summary>Advantage actor-critic: A3C's actor-learner, and A2C's.</summary>
/// <remarks>
/// Mnih et al. 2016, Alg. S3; the loss is <see cref="ActorCriticLoss"/>. The activations of acting serve the backward pass, since θ' does
/// not change within a segment. A recurrent state goes on from segment to segment, is zero where an episode begins, and gets no gradient
/// from later segments.
/// </remarks>
public sealed class A3cLearner : ActorLearner
{
    private readonly A3cMemory _memory;
    private readonly float[] _state;
    private RandomStream _random;

    /// <param name="place">Which learner it is.</param>
    /// <param name="memory">Of the learner's thread.</param>
    /// <param name="environments">As many as the options say; they are reset here.</param>
    public A3cLearner(LearnerPlace place, A3cMemory memory, IEnvironmentBatch environments)
        : base(place, memory.Options, environments)
    {
        (_memory, _random) = (memory, place.Stream(StreamRole.Policy));
        _state = new float[memory.State.Length];
    }

    public override SegmentResult AddGradient()
    {
        var (options, network, unroll) = (_memory.Options, _memory.Network, _memory.Unroll);
        ReadOnlySpan<float> parameters = Local.Values;
        Stepper.Begin();
        for (var t = 0; t < options.SegmentLength; t++)
        {
            network.ForwardStep(parameters, Stepper.ObservationsAt(t), Stepper.ResetAt(t), _state, t, unroll);
            _random.FillSingle(_memory.Uniforms);
            Categorical.Sample(unroll.LogitsAt(t), _memory.Uniforms, Stepper.ActionsAt(t));
            if (Stepper.Step(t) is { IsEmpty: false } truncated) BootstrapTruncated(truncated, Stepper.RewardsAt(t));
        }
        _state.CopyTo(_memory.State, 0);
        network.ForwardStep(
            parameters, Stepper.ObservationsAt(options.SegmentLength), Stepper.ResetAt(options.SegmentLength), _memory.State,
            options.SegmentLength, unroll);
        Learn();
        return SegmentResult.Gradient;
    }

    // A limit ended these episodes, not the task: what would have followed is worth γ V(final observation).
    private void BootstrapTruncated(ReadOnlySpan<int> truncated, Span<float> rewards)
    {
        _state.CopyTo(_memory.State, 0);
        _memory.Network.ForwardStep(
            Local.Values, Stepper.FinalObservations, _memory.NoResets, _memory.State, 0, _memory.Bootstrap);
        var values = _memory.Bootstrap.ValuesAt(0);
        foreach (var b in truncated) rewards[b] += _memory.Options.Discount * values[b];
    }

    private void Learn()
    {
        var (options, unroll, environments) = (_memory.Options, _memory.Unroll, _memory.Options.Environments);
        for (var t = 0; t < options.SegmentLength; t++)
        {
            var logits = unroll.LogitsAt(t);
            logits.CopyTo(_memory.Logits.AsSpan(t * logits.Length));
        }
        for (var t = 0; t <= options.SegmentLength; t++) unroll.ValuesAt(t).CopyTo(_memory.Values.AsSpan(t * environments));
        Place.Log.AddLoss(ActorCriticLoss.Compute(
            environments, _memory.Network.Actions, _memory.Logits, _memory.Values, Stepper.Actions, Stepper.Rewards, Stepper.Discounts,
            options.Loss, _memory.LogitGradient, _memory.ValueGradient));
        _memory.Network.Backward(
            Local.Values, options.SegmentLength, unroll, _memory.LogitGradient, _memory.ValueGradient, Local.Gradient);
    }
}
