using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>What a learner needs whose gradients are applied by gradient servers, beside the actors it talks to.</summary>
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

/// <summary>The weights of a node whose learners' gradients are applied by a server: of one shard, or of all.</summary>
/// <param name="Range">Which parameters.</param>
/// <param name="Parameters">θ.</param>
/// <param name="Target">θ⁻; null where the algorithm has none.</param>
public sealed record LearnerCells(ShardRange Range, ParameterCell Parameters, ParameterCell? Target);

/// <summary>What a learner knows of the run from the answers to its gradients. For one thread.</summary>
internal sealed class RemoteRun : IFrameCount, ITargetParameters
{
    private readonly LearnerCells[] _cells;
    private readonly ParameterVersion?[] _versions;
    private readonly float[]? _assembled;
    private ParameterSnapshot? _target;

    /// <param name="cells">Of all shards, in order.</param>
    public RemoteRun(LearnerCells[] cells)
    {
        (_cells, _versions) = (cells, new ParameterVersion?[cells.Length]);
        if (cells.Length > 1 && cells[0].Target is not null) _assembled = new float[cells[0].Range.Total];
    }

    public long Frames { get; private set; }

    public float[] Values => _assembled ?? _target?.Values ?? throw new InvalidOperationException("There are no target parameters.");

    /// <summary>Answers may overtake each other; frames do not go back.</summary>
    public void OnFrames(long frames) => Frames = Math.Max(Frames, frames);

    /// <summary>Takes the newest θ⁻ for the segment that begins; false where there is none yet.</summary>
    public bool HoldTarget()
    {
        for (var i = 0; i < _cells.Length; i++)
        {
            if (_cells[i].Target is not { } cell) return true;
            if (cell.Acquire() is not { } newest) return false;
            if (_assembled is null)
            {
                _target = newest;
                return true;
            }
            if (newest.Version != _versions[i]) newest.Values.CopyTo(_assembled, _cells[i].Range.Start);
            _versions[i] = newest.Version;
            newest.Release();
        }
        return true;
    }

    /// <summary>Ends the use of θ⁻.</summary>
    public void ReleaseTarget()
    {
        _target?.Release();
        _target = null;
    }
}
