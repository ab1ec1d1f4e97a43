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
    private readonly IEnvironmentBatch _environments;
    private readonly LocalPolicy _policy;
    private readonly UnrollShape _shape;
    private readonly float _discount, _rewardClip, _rewardScale;
    private readonly byte[] _next, _final, _truncatedFinal;
    private readonly bool[] _nextReset, _terminated, _truncated;
    private readonly StepNotes[] _notes;
    private readonly int[] _truncatedRows, _episodeLength;
    private readonly double[] _episodeReturn;
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
        (_environments, _policy, _shape) = (environments, policy, shape);
        (_discount, _rewardClip, _rewardScale) = (discount, rewardClip, rewardScale);
        var count = shape.Environments;
        (_next, _final, _truncatedFinal) =
            (new byte[shape.ObservationRowBytes], new byte[shape.ObservationRowBytes], new byte[shape.ObservationRowBytes]);
        (_nextReset, _terminated, _truncated) = (new bool[count], new bool[count], new bool[count]);
        _notes = new StepNotes[count];
        (_truncatedRows, _episodeLength, _episodeReturn) = (new int[count], new int[count], new double[count]);
        _environments.Reset(_next);
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
        Array.Clear(_notes);
        _policy.Act(parameters, unroll.ObservationsAt(_t), actions, unroll.BehaviourLogitsAt(_t));
        _environments.Step(actions, new StepResults
        {
            Observations = unroll.ObservationsAt(_t + 1),
            FinalObservations = _final,
            Rewards = rewards,
            Terminated = _terminated,
            Truncated = _truncated,
            Notes = _notes,
        });
        Account(unroll, rewards, unroll.Discounts.AsSpan(frames), unroll.Reset.AsSpan((_t + 1) * count, count), parameters);
        if (++_t < _shape.Steps) return false;
        unroll.ObservationsAt(_t).CopyTo(_next);
        unroll.Reset.AsSpan(_t * count, count).CopyTo(_nextReset);
        _unroll = null;
        return true;
    }

    private void Account(Unroll unroll, Span<float> rewards, Span<float> discounts, Span<bool> reset, ReadOnlySpan<float> parameters)
    {
        var truncatedCount = 0;
        for (var b = 0; b < rewards.Length; b++)
        {
            if (!float.IsFinite(rewards[b]))
                throw new InvalidOperationException($"Environment {b} of '{_environments.Spec.Name}' gave the reward {rewards[b]}.");
            _episodeReturn[b] += rewards[b];
            _episodeLength[b]++;
            rewards[b] *= _rewardScale;
            if (_rewardClip > 0) rewards[b] = Math.Clamp(rewards[b], -_rewardClip, _rewardClip);
            var ended = reset[b] = _terminated[b] | _truncated[b];
            var notes = _notes[b];
            discounts[b] = ended || (notes & StepNotes.NoBootstrap) != 0 ? 0 : _discount;
            if (!ended) continue;
            if (!_terminated[b]) _truncatedRows[truncatedCount++] = b;
            if ((notes & StepNotes.GameGoesOn) == 0) EndEpisode(unroll, b, lost: (notes & StepNotes.EpisodeLost) != 0);
        }
        if (truncatedCount > 0) BootstrapTruncated(rewards, truncatedCount, parameters);
    }

    private void EndEpisode(Unroll unroll, int environment, bool lost)
    {
        if (lost)
        {
            unroll.EpisodesLost++;
        }
        else
        {
            unroll.EpisodeReturns[unroll.EpisodeCount] = (float)_episodeReturn[environment];
            unroll.EpisodeLengths[unroll.EpisodeCount++] = _episodeLength[environment];
        }
        (_episodeReturn[environment], _episodeLength[environment]) = (0, 0);
    }

    // A limit ended these episodes, not the task: what would have followed is worth γ V(final observation).
    private void BootstrapTruncated(Span<float> rewards, int count, ReadOnlySpan<float> parameters)
    {
        var bytes = _shape.Observation.ByteCount;
        for (var i = 0; i < count; i++)
            _final.AsSpan(_truncatedRows[i] * bytes, bytes).CopyTo(_truncatedFinal.AsSpan(i * bytes));
        var values = _policy.Values(parameters, _truncatedFinal, count);
        for (var i = 0; i < count; i++) rewards[_truncatedRows[i]] += _discount * values[i];
    }
}
