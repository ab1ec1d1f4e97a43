using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>What a learner needs whose gradients are applied on another node, beside the actors it talks to.</summary>
/// <param name="Create">Makes the learner at a place; it reads θ⁻ where the algorithm has one.</param>
/// <param name="Parameters">Parameters of the network.</param>
/// <param name="Run">The run.</param>
/// <param name="RunSeed">The run's seed.</param>
/// <param name="MaxGradientNorm">A gradient is scaled down to this Euclidean norm before it is sent.</param>
/// <param name="Wire">How gradients are written.</param>
/// <param name="CreditTimeout">After this long a gradient without an answer counts as lost.</param>
/// <param name="Reported">Called with each report on its learner's thread, the last one included, even where the actor system is at its end
/// and the observer hears nothing more; null: nobody wants to know.</param>
public sealed record RemoteLearnerSetup(
    Func<LearnerPlace, ITargetParameters, ActorLearner> Create, int Parameters, string Run, ulong RunSeed, float MaxGradientNorm,
    ParameterServerOptions Wire, TimeSpan CreditTimeout, Action<WorkerReport>? Reported = null);

/// <summary>The weights of a node whose learners' gradients are applied elsewhere.</summary>
/// <param name="Parameters">θ.</param>
/// <param name="Target">θ⁻; null where the algorithm has none.</param>
public sealed record LearnerCells(ParameterCell Parameters, ParameterCell? Target);

/// <summary>What a learner knows of the run from the answers to its gradients. For one thread.</summary>
internal sealed class RemoteRun : IFrameCount, ITargetParameters
{
    private ParameterSnapshot? _target;

    public long Frames { get; private set; }

    public float[] Values => _target?.Values ?? throw new InvalidOperationException("There are no target parameters.");

    /// <summary>Answers may overtake each other; frames do not go back.</summary>
    public void OnFrames(long frames) => Frames = Math.Max(Frames, frames);

    /// <summary>The θ⁻ of the segment that begins; null ends its use.</summary>
    public void Hold(ParameterSnapshot? target)
    {
        _target?.Release();
        _target = target;
    }
}
