using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Returns;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>The passes of value-based learners that take turns on one thread.</summary>
public sealed class AsyncQMemory
{
    /// <param name="network">Action values.</param>
    /// <param name="options">The learners'.</param>
    /// <exception cref="ArgumentException">The network has an LSTM.</exception>
    public AsyncQMemory(ActionValueNetwork network, AsyncQOptions options)
    {
        if (network.StateSize > 0) throw new ArgumentException("Asynchronous Q-learning takes a network without an LSTM.", nameof(network));
        (Network, Options) = (network, options);
        var (steps, environments) = (options.SegmentLength, options.Environments);
        Unroll = network.CreateUnrollWorkspace(steps + 1, environments, training: true);
        Rows = network.CreateUnrollWorkspace(1, environments, training: false);
        Segment = network.CreateUnrollWorkspace(1, steps * environments, training: false);
        (Values, Gradient) = (new float[steps * environments * network.Actions], new float[steps * environments * network.Actions]);
        (Next, NextActions, FinalActions) = (new float[(steps + 1) * environments], new int[steps * environments], new int[environments]);
        NoResets = new bool[steps * environments];
    }

    public ActionValueNetwork Network { get; }

    public AsyncQOptions Options { get; }

    internal UnrollWorkspace Unroll { get; }

    /// <summary>For one observation of each environment.</summary>
    internal UnrollWorkspace Rows { get; }

    /// <summary>For those of a segment at once.</summary>
    internal UnrollWorkspace Segment { get; }

    internal float[] Values { get; }

    internal float[] Gradient { get; }

    internal float[] Next { get; }

    internal int[] NextActions { get; }

    internal int[] FinalActions { get; }

    internal bool[] NoResets { get; }
}

/// <summary>The actor-learner of asynchronous one-step Q-learning, n-step Q-learning and one-step Sarsa.</summary>
/// <remarks>
/// Mnih et al. 2016, Alg. 1, S2 and section 4.2; the loss is <see cref="ActionValueLoss"/>, a sum over the segment and a mean over
/// environments. It explores with ε, which falls from 1 to the learner's own final value. Alg. 1 reads the shared θ at each step; here
/// all of a segment is done with one copy, so activations of acting serve the backward pass.
/// </remarks>
public sealed class AsyncQLearner : ActorLearner
{
    private readonly AsyncQMemory _memory;
    private readonly ITargetParameters _target;
    private readonly int[] _pending;
    private bool _hasPending;
    private RandomStream _random;

    /// <param name="place">Which learner it is.</param>
    /// <param name="memory">Of the learner's thread.</param>
    /// <param name="target">θ⁻, of all learners.</param>
    /// <param name="environments">As many as the options say; they are reset here.</param>
    public AsyncQLearner(LearnerPlace place, AsyncQMemory memory, ITargetParameters target, IEnvironmentBatch environments)
        : base(place, memory.Options, environments)
    {
        (_memory, _target, _random) = (memory, target, place.Stream(StreamRole.Policy));
        _pending = new int[environments.Count];
        FinalEpsilon = Exploration.DrawFinal(ref _random);
    }

    /// <summary>ε at the end of exploration: 0.1, 0.01 or 0.5.</summary>
    public float FinalEpsilon { get; }

    /// <summary>ε of a segment that begins now.</summary>
    public float Epsilon => Exploration.At(FinalEpsilon, Place.AllFrames.Frames, _memory.Options.ExplorationFrames);

    public override SegmentResult AddGradient()
    {
        var (options, unroll, epsilon) = (_memory.Options, _memory.Unroll, Epsilon);
        var steps = options.SegmentLength;
        var target = _target.Values;
        Stepper.Begin();
        for (var t = 0; t < steps; t++)
        {
            Forward(t);
            if (t == 0 && _hasPending) _pending.CopyTo(Stepper.ActionsAt(0));
            else Exploration.Choose(unroll.QAt(t), epsilon, ref _random, Stepper.ActionsAt(t));
            if (Stepper.Step(t) is { IsEmpty: false } truncated) BootstrapTruncated(truncated, Stepper.RewardsAt(t), target, epsilon);
        }
        if (options.Method == ActionValueMethod.Sarsa)
        {
            // The action that follows the last one belongs to its target, so it is chosen now, and taken first in the next segment.
            Forward(steps);
            Exploration.Choose(unroll.QAt(steps), epsilon, ref _random, _pending);
            _hasPending = true;
        }
        ComputeTargets(target);
        Learn();
        return SegmentResult.Gradient;
    }

    private protected override void OnApplied(long before, in GradientOutcome outcome) =>
        (_target as TargetParameters)?.OnSegment(before, before + Frames, outcome);

    private void Forward(int t) => _memory.Network.ForwardStep(
        Local.Values, Stepper.ObservationsAt(t), Stepper.ResetAt(t), [], t, _memory.Unroll);

    // A limit ended these episodes, not the task: the target goes on from the final observation. For Sarsa an action is chosen there.
    private void BootstrapTruncated(ReadOnlySpan<int> truncated, Span<float> rewards, float[] target, float epsilon)
    {
        var (network, rows, chosen) = (_memory.Network, _memory.Rows, _memory.FinalActions);
        var resets = _memory.NoResets.AsSpan(0, rewards.Length);
        if (_memory.Options.Method == ActionValueMethod.Sarsa)
        {
            network.ForwardStep(Local.Values, Stepper.FinalObservations, resets, [], 0, rows);
            Exploration.Choose(rows.QAt(0), epsilon, ref _random, chosen);
            network.ForwardStep(target, Stepper.FinalObservations, resets, [], 0, rows);
        }
        else
        {
            network.ForwardStep(target, Stepper.FinalObservations, resets, [], 0, rows);
            Categorical.ArgMax(rows.QAt(0), chosen);
        }
        foreach (var b in truncated) rewards[b] += _memory.Options.Discount * rows.QAt(0)[b * network.Actions + chosen[b]];
    }

    /// <summary>Rewards become targets.</summary>
    private void ComputeTargets(float[] target)
    {
        var options = _memory.Options;
        var rewards = Stepper.Rewards;
        var environments = options.Environments;
        if (options.Method == ActionValueMethod.NStepQ)
        {
            _memory.Network.ForwardStep(
                target, Stepper.ObservationsAt(options.SegmentLength), _memory.NoResets.AsSpan(0, environments), [], 0, _memory.Rows);
            ActionValueTargets.Max(_memory.Rows.QAt(0), _memory.Next.AsSpan(rewards.Length));
            MultiStep.DiscountedReturns(rewards, Stepper.Discounts, _memory.Next, rewards, environments);
            return;
        }
        var next = _memory.Next.AsSpan(0, rewards.Length);
        _memory.Network.ForwardStep(target, Stepper.ObservationsFrom(1), _memory.NoResets, [], 0, _memory.Segment);
        if (options.Method == ActionValueMethod.Sarsa)
        {
            Stepper.Actions[environments..].CopyTo(_memory.NextActions);
            _pending.CopyTo(_memory.NextActions, rewards.Length - environments);
            Categorical.Gather(_memory.Segment.QAt(0), _memory.NextActions, next);
        }
        else
        {
            ActionValueTargets.Max(_memory.Segment.QAt(0), next);
        }
        ActionValueTargets.OneStep(rewards, Stepper.Discounts, next, rewards);
    }

    private void Learn()
    {
        var options = _memory.Options;
        for (var t = 0; t < options.SegmentLength; t++)
        {
            var values = _memory.Unroll.QAt(t);
            values.CopyTo(_memory.Values.AsSpan(t * values.Length));
        }
        var loss = ActionValueLoss.Compute(
            _memory.Values, Stepper.Actions, Stepper.Rewards, _memory.Network.Actions, 1f / options.Environments, _memory.Gradient);
        Place.Log.AddLoss(new ActorCriticLossValues(Frames, 0, loss, 0));
        _memory.Network.Backward(Local.Values, options.SegmentLength, _memory.Unroll, _memory.Gradient, Local.Gradient);
    }
}
