using Akka.Actor;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>Which learner it is, and what it shares with whom.</summary>
/// <param name="Index">Number of the learner in the run; its random streams depend on it.</param>
/// <param name="Incarnation">How often it was started anew.</param>
/// <param name="RunSeed">The run's seed.</param>
/// <param name="TotalFrames">Frames of the whole run, over which the learning rate is annealed.</param>
/// <param name="Shared">θ, of all learners of the process; null where its gradients are applied elsewhere.</param>
/// <param name="Local">θ' and the gradient; learners of one thread that take turns share them.</param>
/// <param name="Log">Adds up what it does; of the same thread.</param>
public sealed record LearnerPlace(
    int Index, int Incarnation, ulong RunSeed, long TotalFrames, SharedParameters? Shared, LocalParameters Local, LearnerLog Log)
{
    /// <summary>Frames of all learners, as far as they are known here.</summary>
    public IFrameCount AllFrames { get; init; } = Shared!;

    /// <summary>Runs the learner, and is told <see cref="LearnerReady"/>; nobody where the learner never waits.</summary>
    public IActorRef Runner { get; init; } = ActorRefs.Nobody;

    public RandomStream Stream(StreamRole role) => RandomStream.Create(RunSeed, role, (uint)Index, (uint)Incarnation);
}

/// <summary>What a segment gave.</summary>
public enum SegmentResult
{
    Gradient,

    /// <summary>There is not enough yet to learn from.</summary>
    NoneYet,

    /// <summary>Its loss was far above the usual: the learner kept the gradient.</summary>
    Outlier,
}

/// <summary>One logical actor-learner: it acts for t_max steps with its copy of the parameters, turns them into a gradient, and applies
/// that to the shared parameters.</summary>
/// <remarks>
/// Mnih et al. 2016 (arXiv:1602.01783), Alg. 1, S2, S3. Not thread-safe; several that share their local memory take turns on one thread:
/// between two segments a learner keeps nothing there. What differs from the paper: a segment does not stop where an episode ends,
/// the next one begins within it.
/// </remarks>
public abstract class ActorLearner : IDisposable
{
    private readonly AlignedFloats? _statistics;
    private readonly LinearSchedule _learningRate;
    private readonly float _maxNorm;

    private protected ActorLearner(LearnerPlace place, AsyncLearnerOptions options, IEnvironmentBatch environments)
    {
        Place = place;
        Stepper = new SegmentStepper(environments, options, place.Log);
        _statistics = place.Shared?.CreateStatistics();
        _learningRate = Schedule(options, place.TotalFrames);
        (_maxNorm, Frames) = (options.MaxGradientNorm, options.SegmentLength * options.Environments);
    }

    /// <summary>Frames of a segment.</summary>
    public int Frames { get; }

    public LocalParameters Local => Place.Local;

    private protected LearnerPlace Place { get; }

    private protected SegmentStepper Stepper { get; }

    /// <summary>What the next segment needs is there; else the learner's runner is told <see cref="LearnerReady"/> when it is.</summary>
    public virtual bool IsReady => true;

    /// <summary>The next segment wants the newest parameters; else it goes on with those that the learner has.</summary>
    public virtual bool WantsParameters => true;

    /// <summary>Acts for a segment and adds its gradient, where it has one, to the local one: for who applies it elsewhere.</summary>
    /// <returns>Whether there is a gradient; without one the local gradient is as it was.</returns>
    public abstract SegmentResult AddGradient();

    /// <summary>Acts for a segment, and applies its gradient. The local copy is fresh then.</summary>
    /// <exception cref="InvalidOperationException">The learner has no shared parameters.</exception>
    public void RunSegment()
    {
        var shared = Place.Shared ?? throw new InvalidOperationException("This learner's gradients are applied elsewhere.");
        var result = AddGradient();
        var before = shared.AddFrames(Frames);
        if (result == SegmentResult.Gradient)
        {
            var outcome = shared.Apply(Place.Local, (float)_learningRate.At(before), _maxNorm, _statistics);
            Place.Log.AddGradient(outcome);
            OnApplied(before, outcome);
            return;
        }
        if (result == SegmentResult.Outlier)
        {
            shared.Reject(GradientRejection.OutlierLoss);
            Place.Log.AddKeptBack(1);
        }
        shared.CopyTo(Place.Local);
    }

    public virtual void Dispose() => Stepper.Dispose();

    /// <summary>η as a function of the frames of all learners.</summary>
    public static LinearSchedule Schedule(AsyncLearnerOptions options, long totalFrames) =>
        new(options.LearningRate, options.AnnealLearningRate ? 0 : options.LearningRate, totalFrames);

    /// <summary>The frames before … before + Frames of all learners were this segment's, and this became of its gradient.</summary>
    private protected virtual void OnApplied(long before, in GradientOutcome outcome)
    {
    }
}
