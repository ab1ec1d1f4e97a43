using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Actors;

/// <summary>What learning makes of the rewards of B environments, and of how they are scaled and cut.</summary>
/// <param name="Discount">γ.</param>
/// <param name="Scale">Factor on rewards.</param>
/// <param name="Clip">± bound of scaled rewards; 0 for none.</param>
public readonly record struct RewardTerms(float Discount, float Scale, float Clip);

/// <summary>Steps B environments and turns each step into what is learned from: rewards, discounts, resets; and keeps account of whole
/// games.</summary>
/// <remarks>Not thread-safe; stepping allocates nothing. <see cref="StepNotes"/> says what differs from an ordinary end.</remarks>
/// <param name="environments">The environments.</param>
/// <param name="terms">What learning makes of rewards.</param>
internal sealed class StepAccount(IEnvironmentBatch environments, RewardTerms terms)
{
    private readonly bool[] _terminated = new bool[environments.Count], _truncated = new bool[environments.Count];
    private readonly StepNotes[] _notes = new StepNotes[environments.Count];
    private readonly int[] _truncatedRows = new int[environments.Count], _lengths = new int[environments.Count];
    private readonly double[] _returns = new double[environments.Count];

    /// <summary>Takes one step.</summary>
    /// <param name="actions">[B].</param>
    /// <param name="observations">[B × ByteCount], what to act on next.</param>
    /// <param name="finalObservations">[B × ByteCount], written where an episode ended.</param>
    /// <param name="rewards">[B], scaled and clipped.</param>
    /// <param name="discounts">[B]: γ, or 0 where an episode ended or nothing that follows counts.</param>
    /// <param name="reset">[B]: the observation starts an episode.</param>
    /// <param name="log">Hears of games that end.</param>
    /// <returns>Environments whose episode a limit ended: what would have followed is worth γ V(final observation).</returns>
    /// <exception cref="InvalidOperationException">A reward is not finite.</exception>
    public ReadOnlySpan<int> Step<TLog>(
        ReadOnlySpan<int> actions, Span<byte> observations, Span<byte> finalObservations, Span<float> rewards, Span<float> discounts,
        Span<bool> reset, TLog log)
        where TLog : IEpisodeLog
    {
        Array.Clear(_notes);
        environments.Step(actions, new StepResults
        {
            Observations = observations,
            FinalObservations = finalObservations,
            Rewards = rewards,
            Terminated = _terminated,
            Truncated = _truncated,
            Notes = _notes,
        });
        var truncated = 0;
        for (var b = 0; b < rewards.Length; b++)
        {
            if (!float.IsFinite(rewards[b]))
                throw new InvalidOperationException($"Environment {b} of '{environments.Spec.Name}' gave the reward {rewards[b]}.");
            _returns[b] += rewards[b];
            _lengths[b]++;
            rewards[b] *= terms.Scale;
            if (terms.Clip > 0) rewards[b] = Math.Clamp(rewards[b], -terms.Clip, terms.Clip);
            var ended = reset[b] = _terminated[b] | _truncated[b];
            discounts[b] = ended || (_notes[b] & StepNotes.NoBootstrap) != 0 ? 0 : terms.Discount;
            if (!ended) continue;
            if (!_terminated[b]) _truncatedRows[truncated++] = b;
            if ((_notes[b] & StepNotes.GameGoesOn) == 0) EndGame(b, log);
        }
        return _truncatedRows.AsSpan(0, truncated);
    }

    private void EndGame<TLog>(int environment, TLog log)
        where TLog : IEpisodeLog
    {
        if ((_notes[environment] & StepNotes.EpisodeLost) != 0) log.AddLostEpisode();
        else log.AddEpisode(_returns[environment], _lengths[environment]);
        (_returns[environment], _lengths[environment]) = (0, 0);
    }
}
