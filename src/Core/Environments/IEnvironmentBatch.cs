namespace Rl.Distributed.Core.Environments;

/// <summary>What else a learner must know of a step.</summary>
[Flags]
public enum StepNotes : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Nothing that follows counts for this step (γ = 0), but the episode goes on, and so does a recurrent state: a life was lost.</summary>
    NoBootstrap = 1,

    /// <summary>Terminated for the learner only: the game goes on, and its return is not complete.</summary>
    GameGoesOn = 2,

    /// <summary>The episode broke off where it says truncated, because the environment failed: its return means nothing.</summary>
    EpisodeLost = 4,
}

/// <summary>Where one step of a batch of B environments puts its results; the caller owns the memory.</summary>
/// <remarks>
/// Observations [B × ObservationSpec.ByteCount]: what to act on next, the reset observation where an episode ended.
/// FinalObservations, same shape: written only in the rows where an episode ended: what the ended episode showed last, from
/// which a truncated return is bootstrapped. Rewards, Terminated, Truncated [B]: terminated, the task ended the episode;
/// truncated, a limit did. Both can be true. Notes [B], or empty where nobody asks: None from the caller, and written only by an
/// environment that has something to say.
/// </remarks>
public readonly ref struct StepResults
{
    /// <summary>What to act on next.</summary>
    public required Span<byte> Observations { get; init; }

    /// <summary>What ended episodes showed last.</summary>
    public required Span<byte> FinalObservations { get; init; }

    /// <summary>The rewards of this step.</summary>
    public required Span<float> Rewards { get; init; }

    /// <summary>Whether the task ended the episode.</summary>
    public required Span<bool> Terminated { get; init; }

    /// <summary>Whether a limit ended the episode.</summary>
    public required Span<bool> Truncated { get; init; }

    /// <summary>What else there is to know; may be empty.</summary>
    public Span<StepNotes> Notes { get; init; }
}

/// <summary>B copies of one environment that step together and reset themselves.</summary>
/// <remarks>
/// Not thread-safe. Every random draw comes from the stream given at creation, so the same actions give the same episodes.
/// Stepping and drawing allocate nothing. A batch that holds more than memory is also IDisposable; whoever made it disposes it.
/// <code>
/// environments.Reset(observations);
/// while (true) { Choose(observations, actions); environments.Step(actions, results); }
/// </code>
/// </remarks>
public interface IEnvironmentBatch
{
    /// <summary>What is seen and what may be done.</summary>
    EnvironmentSpec Spec { get; }

    /// <summary>B.</summary>
    int Count { get; }

    /// <summary>Starts a new episode everywhere and writes the first observations [B × ByteCount].</summary>
    void Reset(Span<byte> observations);

    /// <summary>Steps every environment with its discrete action [B]; an environment whose episode ended starts the next one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An action is outside 0 … DiscreteActions - 1.</exception>
    /// <exception cref="NotSupportedException">The environment's actions are continuous.</exception>
    void Step(ReadOnlySpan<int> actions, in StepResults results);

    /// <summary>Steps every environment with its continuous action [B × Dimensions].</summary>
    /// <exception cref="NotSupportedException">The environment's actions are discrete.</exception>
    void Step(ReadOnlySpan<float> actions, in StepResults results);

    /// <summary>Draws environment <paramref name="index"/> as it is now, for people.</summary>
    void Render(int index, TextCanvas canvas);
}
