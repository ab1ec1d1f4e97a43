namespace Rl.Distributed.Core.Environments;

/// <summary>A batch of games, or a single <see cref="IEnvironment"/>, with several lives: what <see cref="LifeLoss"/> needs to know.</summary>
public interface IHasLives
{
    /// <summary>What each copy [B] has left after the last step or reset, those of the next game where one ended; empty where the games
    /// know no lives after all.</summary>
    ReadOnlySpan<int> Lives { get; }
}

/// <summary>What a lost life, short of the game's end, means to the learner.</summary>
public enum LifeLoss
{
    /// <summary>Nothing: only the end of the game is an end.</summary>
    None,

    /// <summary>The end of an episode, terminated; the next one begins where the game stands. Returns are still those of whole games.</summary>
    Reset,

    /// <summary>Nothing that follows counts for the step, but the episode goes on, and so does a recurrent state.</summary>
    Roll,
}
