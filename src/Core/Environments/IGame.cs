namespace Rl.Distributed.Core.Environments;

/// <summary>What one step of one game gave: terminated, the task ended the episode; truncated, a limit did.</summary>
/// <remarks>The reward is exact, so that a trace can be compared; a batch rounds it to float32.</remarks>
public readonly record struct Outcome(double Reward, bool Terminated = false, bool Truncated = false)
{
    /// <summary>Whether the episode is over.</summary>
    public bool Ended => Terminated | Truncated;
}

/// <summary>One copy of a game: a struct, so that a batch of them is one array and every call is direct.</summary>
/// <remarks>
/// The verbs come in this order: Spec and Create once, then Reset, and Step until an outcome has ended; Observe and Render show the
/// game as it is. <see cref="GameBatch{TGame, TAction}"/> makes an environment of it. TAction is int for discrete actions and
/// float for a continuous action of one dimension.
/// </remarks>
public interface IGame<TSelf, TAction>
    where TSelf : struct, IGame<TSelf, TAction>
    where TAction : unmanaged
{
    /// <summary>What is seen and what may be done.</summary>
    static abstract EnvironmentSpec Spec(EnvironmentOptions options);

    /// <summary>A game before its first Reset.</summary>
    static abstract TSelf Create(EnvironmentOptions options);

    /// <summary>Starts an episode.</summary>
    void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws;

    /// <summary>Plays one action, which the caller has checked to be one of the spec's.</summary>
    Outcome Step<TDraws>(TAction action, ref TDraws draws) where TDraws : struct, IDraws;

    /// <summary>Writes the whole observation, ByteCount bytes, whatever the memory held before.</summary>
    void Observe(Span<byte> observation);

    /// <summary>Draws the game for people.</summary>
    void Render(TextCanvas canvas);
}
