using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Actors;

/// <summary>Steps a batch of environments and writes what happens straight into an unroll.</summary>
/// <remarks>
/// Not thread-safe. Stepping allocates nothing. Between unrolls it keeps the newest observations, so that observation T of an unroll
/// is observation 0 of the next.
/// <code>
/// collector.Begin(unroll);
/// while (!collector.Step(weights)) { }
/// </code>
/// </remarks>
public sealed class UnrollCollector
{
    private readonly StepAccount _account;
    private readonly LocalPolicy _policy;
    private readonly UnrollShape _shape;
    private readonly float _discount;
    private readonly byte[] _next, _final, _truncatedFinal;
    private readonly bool[] _nextReset;
    private Unroll? _unroll;
    private int _t;

    /// <param name="environments">B environments; they are reset here.</param>
    /// <param name="policy">A policy for B observations.</param>
    /// <param name="shape">The unroll's shape.</param>
    /// <param name="discount">γ.</param>
    /// <param name="rewardClip">Rewards are clipped to ± this for learning, not in episode returns; 0 leaves them.</param>
    /// <param name="rewardScale">Before that they are multiplied by this, for learning only, too.</param>
    public UnrollCollector(
        IEnvironmentBatch environments, LocalPolicy policy, UnrollShape shape, float discount, float rewardClip, float rewardScale = 1)
    {
        if (environments.Count != shape.Environments || environments.Spec.Observation != shape.Observation)
            throw new ArgumentException(
                $"{environments.Count} environments with {environments.Spec.Observation} do not fit {shape}.", nameof(environments));
        (_policy, _shape, _discount) = (policy, shape, discount);
        _account = new StepAccount(environments, new RewardTerms(discount, rewardScale, rewardClip));
        (_next, _final, _truncatedFinal) =
            (new byte[shape.ObservationRowBytes], new byte[shape.ObservationRowBytes], new byte[shape.ObservationRowBytes]);
        _nextReset = new bool[shape.Environments];
        environments.Reset(_next);
        Array.Fill(_nextReset, true);
    }

    /// <summary>Starts to fill an unroll of the collector's shape.</summary>
    public void Begin(Unroll unroll)
    {
        (_unroll, _t) = (unroll, 0);
        unroll.Poison();
        (unroll.EpisodeCount, unroll.EpisodesLost) = (0, 0);
        _next.CopyTo(unroll.ObservationsAt(0));
        _nextReset.CopyTo(unroll.Reset.AsSpan(0, _shape.Environments));
    }

    /// <summary>Takes one step of all environments; true when the unroll is full.</summary>
    public bool Step(ReadOnlySpan<float> parameters)
    {
        var unroll = _unroll ?? throw new InvalidOperationException("Begin comes before Step.");
        var count = _shape.Environments;
        var frames = new Range(_t * count, (_t + 1) * count);
        var actions = unroll.Actions.AsSpan(frames);
        var rewards = unroll.Rewards.AsSpan(frames);
        _policy.Act(parameters, unroll.ObservationsAt(_t), actions, unroll.BehaviourLogitsAt(_t));
        var truncated = _account.Step(
            actions, unroll.ObservationsAt(_t + 1), _final, rewards, unroll.Discounts.AsSpan(frames),
            unroll.Reset.AsSpan((_t + 1) * count, count), new Log(unroll));
        if (!truncated.IsEmpty) BootstrapTruncated(truncated, rewards, parameters);
        if (++_t < _shape.Steps) return false;
        unroll.ObservationsAt(_t).CopyTo(_next);
        unroll.Reset.AsSpan(_t * count, count).CopyTo(_nextReset);
        _unroll = null;
        return true;
    }

    // A limit ended these episodes, not the task: what would have followed is worth γ V(final observation).
    private void BootstrapTruncated(ReadOnlySpan<int> truncated, Span<float> rewards, ReadOnlySpan<float> parameters)
    {
        var bytes = _shape.Observation.ByteCount;
        for (var i = 0; i < truncated.Length; i++)
            _final.AsSpan(truncated[i] * bytes, bytes).CopyTo(_truncatedFinal.AsSpan(i * bytes));
        var values = _policy.Values(parameters, _truncatedFinal, truncated.Length);
        for (var i = 0; i < truncated.Length; i++) rewards[truncated[i]] += _discount * values[i];
    }

    private readonly struct Log(Unroll unroll) : IEpisodeLog
    {
        public void AddEpisode(double episodeReturn, int length)
        {
            unroll.EpisodeReturns[unroll.EpisodeCount] = (float)episodeReturn;
            unroll.EpisodeLengths[unroll.EpisodeCount++] = length;
        }

        public void AddLostEpisode() => unroll.EpisodesLost++;
    }
}
