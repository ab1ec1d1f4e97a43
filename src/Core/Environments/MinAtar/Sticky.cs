using System.Collections.Immutable;

namespace Rl.Distributed.Core.Environments.MinAtar;

/// <summary>A MinAtar game with sticky actions: with some probability the last action is played instead of the chosen one.</summary>
/// <remarks>
/// Each step first draws u in [0, 1), even where the probability p is 0; if u &lt; p the last action is played, and what is played
/// becomes the last action, in the numbering of six. It is 0 at first and outlives resets. After the end of a game further steps
/// still draw, but change nothing else and give nothing, until a reset.
/// </remarks>
public struct Sticky<TGame> : IGame<Sticky<TGame>, int>
    where TGame : struct, IMinAtarGame<TGame>
{
    private static readonly ImmutableArray<int> AllActions = [0, 1, 2, 3, 4, 5];

    private readonly double _probability;
    private readonly uint _actions; // Four bits an offered action: its number among the six.
    private int _last;
    private bool _over;
    private TGame _game;

    /// <param name="probability">That the last action is played again.</param>
    /// <param name="ramping">Whether the game grows harder as it goes on.</param>
    /// <param name="actions">The offered actions, by their numbers among the six.</param>
    public Sticky(double probability, bool ramping, ImmutableArray<int> actions)
    {
        _probability = probability;
        for (var i = 0; i < actions.Length; i++) _actions |= (uint)actions[i] << (4 * i);
        _game = TGame.Create(ramping);
    }

    public static EnvironmentSpec Spec(EnvironmentOptions options) => new(
        MinAtarFamily.EnvironmentName<TGame>(),
        new ObservationSpec(ElementType.Bit, Board.Size, Board.Size, TGame.Channels.Length),
        new DiscreteActionSpec(Offered(options).Length));

    public static Sticky<TGame> Create(EnvironmentOptions options) =>
        new(options.StickyActions ?? MinAtarFamily.DefaultStickyActions, options.Ramping, Offered(options));

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        _over = false;
        _game.Reset(ref draws);
    }

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        var chosen = (int)(_actions >> (4 * action)) & 15;
        _last = draws.Double() < _probability ? _last : chosen;
        if (_over) return new Outcome(0, Terminated: true);
        var outcome = _game.Step(_last, ref draws);
        _over = outcome.Terminated;
        return outcome;
    }

    public void Observe(Span<byte> observation) => _game.Observe(observation);

    public void Render(TextCanvas canvas)
    {
        var channels = TGame.Channels;
        Span<byte> observation = stackalloc byte[(Board.Cells * channels.Length + 7) / 8];
        _game.Observe(observation);
        Board.Draw(observation, channels, canvas);
    }

    private static ImmutableArray<int> Offered(EnvironmentOptions options) => options.MinimalActions == true ? TGame.MinimalActions : AllActions;
}
