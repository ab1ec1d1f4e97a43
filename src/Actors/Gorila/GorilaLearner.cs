using System.Runtime.InteropServices;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Returns;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Actors.Gorila;

/// <summary>The passes of Gorila's learners that take turns on one thread.</summary>
public sealed class GorilaMemory
{
    /// <param name="network">Action values.</param>
    /// <param name="options">The learners'.</param>
    /// <exception cref="ArgumentException">The network has an LSTM.</exception>
    public GorilaMemory(ActionValueNetwork network, GorilaOptions options)
    {
        if (network.StateSize > 0) throw new ArgumentException("Gorila takes a network without an LSTM.", nameof(network));
        (Network, Options) = (network, options);
        var size = options.BatchSize;
        Acting = network.CreateUnrollWorkspace(1, options.Environments, training: false);
        Online = network.CreateWorkspace(options.DoubleQ ? 2 * size : size, training: true);
        Target = network.CreateWorkspace(size, training: false);
        Batch = new TransitionBatch(network.Observation, size);
        (Targets, Gradient) = (new float[size], new float[size * network.Actions]);
        NoResets = new bool[options.Environments];
        Ends = new StepEnd[options.SegmentLength * options.Environments];
    }

    public ActionValueNetwork Network { get; }

    public GorilaOptions Options { get; }

    internal UnrollWorkspace Acting { get; }

    /// <summary>s, and for double Q-learning s'.</summary>
    internal NetworkWorkspace Online { get; }

    internal NetworkWorkspace Target { get; }

    internal TransitionBatch Batch { get; }

    internal float[] Targets { get; }

    internal float[] Gradient { get; }

    internal bool[] NoResets { get; }

    internal StepEnd[] Ends { get; }
}

/// <summary>Gorila's bundled actor-learner: it acts ε-greedily for a segment, remembers its steps, and computes the gradient of the DQN loss
/// on a minibatch of the replay memory.</summary>
/// <remarks>
/// Nair et al. 2015, Alg. 1, section 4: the loss is <see cref="ActionValueLoss.ComputeClipped"/>, a mean over the minibatch, with targets
/// r + γ max Q⁻(s', ·), or those of double Q-learning. Acting and learning use one copy of the parameters, which is replaced every
/// <see cref="GorilaOptions.FetchInterval"/> steps.
/// </remarks>
public sealed class GorilaLearner : ActorLearner
{
    private readonly GorilaMemory _memory;
    private readonly ITargetParameters _target;
    private readonly IReplayAccess _replay;
    private readonly OutlierFilter _outliers;
    private readonly LocalParameters? _own;
    private readonly int _segmentsPerFetch;
    private int _segmentsLeft;
    private RandomStream _policy;

    /// <param name="place">Which learner it is.</param>
    /// <param name="memory">Of the learner's thread.</param>
    /// <param name="target">θ⁻, of all learners.</param>
    /// <param name="replay">Its way to its own memory, or that of all learners; disposed with the learner.</param>
    /// <param name="environments">As many as the options say; they are reset here.</param>
    public GorilaLearner(
        LearnerPlace place, GorilaMemory memory, ITargetParameters target, IReplayAccess replay, IEnvironmentBatch environments)
        : base(place, memory.Options, environments)
    {
        (_memory, _target, _replay) = (memory, target, replay);
        _policy = place.Stream(StreamRole.Policy);
        _outliers = new OutlierFilter(memory.Options.OutlierDeviations);
        _segmentsPerFetch = Math.Max(1, memory.Options.FetchInterval / memory.Options.SegmentLength);
        // Applied where it is computed, a gradient leaves the local copy fresh, and others share that.
        if (place.Shared is not null && _segmentsPerFetch > 1) _own = new LocalParameters(memory.Network.Layout.Count);
    }

    /// <summary>ε of a segment that begins now.</summary>
    public float Epsilon => Exploration.At(_memory.Options.FinalEpsilon, Place.AllFrames.Frames, _memory.Options.ExplorationFrames);

    public override bool IsReady => _replay.IsReady;

    public override bool WantsParameters => _segmentsLeft == 0;

    public override SegmentResult AddGradient()
    {
        var parameters = Parameters();
        Act(parameters);
        return _replay.TrySample(_memory.Batch) ? Learn(parameters) : SegmentResult.NoneYet;
    }

    public override void Dispose()
    {
        _replay.Dispose();
        base.Dispose();
    }

    private protected override void OnApplied(long before, in GradientOutcome outcome)
    {
        (_target as TargetParameters)?.OnSegment(before, before + Frames, outcome);
        if (outcome.Rejection == GradientRejection.Stale) _segmentsLeft = 0;
    }

    private ReadOnlySpan<float> Parameters()
    {
        var isDue = WantsParameters;
        _segmentsLeft = (isDue ? _segmentsPerFetch : _segmentsLeft) - 1;
        if (_own is null) return Local.Values;
        if (isDue)
        {
            Local.Values.CopyTo(_own.Values);
            _own.Version = Local.Version;
        }
        Local.Version = _own.Version;
        return _own.Values;
    }

    private void Act(ReadOnlySpan<float> parameters)
    {
        var (options, ends, epsilon) = (_memory.Options, _memory.Ends, Epsilon);
        Array.Clear(ends);
        Stepper.Begin();
        for (var t = 0; t < options.SegmentLength; t++)
        {
            _memory.Network.ForwardStep(parameters, Stepper.ObservationsAt(t), _memory.NoResets, [], 0, _memory.Acting);
            Exploration.Choose(_memory.Acting.QAt(0), epsilon, ref _policy, Stepper.ActionsAt(t));
            var cut = Stepper.Step(t);
            var stepEnds = ends.AsSpan(t * options.Environments, options.Environments);
            var reset = Stepper.ResetAt(t + 1);
            for (var b = 0; b < reset.Length; b++)
                if (reset[b]) stepEnds[b] = StepEnd.Ended;
            foreach (var b in cut) stepEnds[b] = StepEnd.Cut;
        }
        CheckObservations();
        _replay.Insert(new TransitionSegment
        {
            Observations = Stepper.Observations,
            Actions = Stepper.Actions,
            Rewards = Stepper.Rewards,
            Discounts = Stepper.Discounts,
            Ends = ends,
        });
    }

    // One that is drawn makes a gradient of NaN, again and again. Rewards were looked at when they were earned.
    private void CheckObservations()
    {
        var spec = _memory.Network.Observation;
        if (spec.Type != ElementType.Float32) return;
        var values = MemoryMarshal.Cast<byte, float>(Stepper.Observations);
        if (FiniteCheck.FirstNotFinite(values) is >= 0 and var at)
            throw new InvalidOperationException(
                $"Environment {at * sizeof(float) / spec.ByteCount % _memory.Options.Environments} of '{Stepper.Name}' showed the observation {values[at]}.");
    }

    private SegmentResult Learn(ReadOnlySpan<float> parameters)
    {
        var (network, options, batch, online, target) = (_memory.Network, _memory.Options, _memory.Batch, _memory.Online, _memory.Target);
        var (size, targets) = (batch.Size, _memory.Targets);
        network.Forward(_target.Values, batch.Next, size, target);
        if (options.DoubleQ)
        {
            network.Forward(parameters, batch.Both, 2 * size, online);
            ActionValueTargets.OfChosen(online.Q[(size * network.Actions)..], target.Q, targets);
        }
        else
        {
            network.Forward(parameters, batch.Observations, size, online);
            ActionValueTargets.Max(target.Q, targets);
        }
        ActionValueTargets.OneStep(batch.Rewards, batch.Discounts, targets, targets);
        var (loss, error) = ActionValueLoss.ComputeClipped(
            online.Q[..(size * network.Actions)], batch.Actions, targets, network.Actions, 1f / size,
            options.ErrorClip > 0 ? options.ErrorClip : float.PositiveInfinity, _memory.Gradient);
        if (!_outliers.Accept(error / size)) return SegmentResult.Outlier;
        Place.Log.AddLoss(new ActorCriticLossValues(Frames, 0, loss / size * Frames, 0));
        network.Backward(parameters, size, online, _memory.Gradient, Local.Gradient);
        return SegmentResult.Gradient;
    }
}
