using System.Collections.Immutable;
using Rl.Distributed.Core.Environments.Traces;

namespace Rl.Distributed.Core.Environments.MinAtar;

/// <summary>How one channel of a board is drawn: its meaning, a character, one of 256 colours.</summary>
public readonly record struct ChannelLook(string Meaning, char Glyph, byte Color);

/// <summary>One MinAtar game, without the sticky actions that surround it.</summary>
/// <remarks>
/// Every game is played on 10 × 10 cells with six actions: 0 no-op, 1 left, 2 up, 3 right, 4 down, 5 fire; one that a game has no
/// use for acts as no-op. A game ends only by its own rules. Its observation is Bit[10, 10, channels], see <see cref="Board"/>.
/// </remarks>
public interface IMinAtarGame<TSelf>
    where TSelf : struct, IMinAtarGame<TSelf>
{
    /// <summary>The name in traces, "breakout"; the environment's is "minatar-breakout".</summary>
    static abstract string Name { get; }

    static abstract string Description { get; }

    /// <summary>The channels of a cell; where several are set, pictures show the first.</summary>
    static abstract ImmutableArray<ChannelLook> Channels { get; }

    /// <summary>The actions that have an effect, in ascending order.</summary>
    static abstract ImmutableArray<int> MinimalActions { get; }

    /// <summary>A game before its first Reset.</summary>
    /// <param name="ramping">Whether it grows harder as it goes on.</param>
    static abstract TSelf Create(bool ramping);

    void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws;

    /// <summary>Plays one of the six actions; never truncated.</summary>
    Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws;

    void Observe(Span<byte> observation);
}

/// <summary>What the MinAtar games share (Young and Tian 2019, arXiv:1903.03176).</summary>
public static class MinAtarFamily
{
    /// <summary>The probability of a sticky action where the options leave it open.</summary>
    public const double DefaultStickyActions = 0.1;

    /// <summary>The registry's entry of a game.</summary>
    public static EnvironmentEntry Entry<TGame>() where TGame : struct, IMinAtarGame<TGame> => new()
    {
        Name = EnvironmentName<TGame>(),
        Description = TGame.Description,
        Spec = Sticky<TGame>.Spec,
        Create = (options, count, random) => new GameBatch<Sticky<TGame>, int>(options, count, random),
        Options = [nameof(EnvironmentOptions.StickyActions), nameof(EnvironmentOptions.Ramping), nameof(EnvironmentOptions.MinimalActions)],
        Trace = new TraceReplay(MinAtarTrace.Format, TGame.Name, MinAtarTrace.Replay<TGame>),
    };

    /// <summary>"minatar-breakout".</summary>
    public static string EnvironmentName<TGame>() where TGame : struct, IMinAtarGame<TGame> => "minatar-" + TGame.Name.Replace('_', '-');
}
