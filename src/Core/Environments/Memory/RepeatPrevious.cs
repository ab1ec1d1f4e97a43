using System.Runtime.CompilerServices;

namespace Rl.Distributed.Core.Environments.Memory;

/// <summary>POPGym's RepeatPrevious: cards are dealt one by one; name the suit of one dealt before.</summary>
/// <remarks>
/// One or more decks of 52 cards are shuffled together (<see cref="EnvironmentOptions.Size"/>, 1 by default): n cards, a quarter of each
/// of four suits. The reset deals one card, every step deals the next, and the episode ends with the last card, after n - 1 steps. The
/// action, 0 … 3, names the suit of the k-th last of the cards that have been dealt (<see cref="EnvironmentOptions.Length"/>, 4 by
/// default): k = 1 is the card in sight, k = 4 the one shown three steps before. Reward 1/(n - k) if it is right, -1/(n - k) if not,
/// and 0 while fewer than k cards have been dealt; so returns are between -1 and 1. Observation: Bit[4], the suit of the newest card.
/// Rules after popgym/envs/repeat_previous.py (Morad et al. 2023, arXiv:2303.01859), which shows the suit as a number. Its easy variant is
/// the default, medium is 2 decks and k = 32, hard is 3 decks and k = 64.
/// </remarks>
public struct RepeatPrevious : IGame<RepeatPrevious, int>
{
    private const string Name = "repeat-previous";
    private const int Suits = 4, DeckSize = 52, MaxK = 64;

    private static readonly OptionRange Lengths = new(Name, nameof(EnvironmentOptions.Length), Default: 4, Least: 1, Most: MaxK);
    private static readonly OptionRange Decks = new(Name, nameof(EnvironmentOptions.Size), Default: 1, Least: 1, Most: 100);

    private readonly int _cards, _k;

    // Bit i of both is the suit of the card that was dealt i cards before the newest.
    private ulong _low, _high;
    private int _dealt;
    private SuitCounts _left;

    private RepeatPrevious(int cards, int k) => (_cards, _k) = (cards, k);

    public static EnvironmentEntry Entry { get; } = new()
    {
        Name = Name,
        Description = "Name the suit of the card that was shown k - 1 steps before (POPGym RepeatPrevious); best return 1.",
        Spec = Spec,
        Create = (options, count, random) => new GameBatch<RepeatPrevious, int>(options, count, random),
        Options = [Lengths.Option, Decks.Option],
        Ranges = [Lengths, Decks],
    };

    public static EnvironmentSpec Spec(EnvironmentOptions options)
    {
        Setting(options);
        return new EnvironmentSpec(Name, new ObservationSpec(ElementType.Bit, Suits), new DiscreteActionSpec(Suits));
    }

    public static RepeatPrevious Create(EnvironmentOptions options)
    {
        var (cards, k) = Setting(options);
        return new RepeatPrevious(cards, k);
    }

    public void Reset<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        (_dealt, _low, _high) = (0, 0, 0);
        for (var suit = 0; suit < Suits; suit++) _left[suit] = _cards / Suits;
        Deal(ref draws);
    }

    public Outcome Step<TDraws>(int action, ref TDraws draws) where TDraws : struct, IDraws
    {
        var reward = _dealt < _k ? 0 : (action == Suit(_k - 1) ? 1.0 : -1.0) / (_cards - _k);
        Deal(ref draws);
        return new Outcome(reward, Terminated: _dealt == _cards);
    }

    public readonly void Observe(Span<byte> observation) => observation[0] = (byte)(1 << Suit(0));

    public readonly void Render(TextCanvas canvas)
    {
        canvas.Clear(2 * _k + 1, 3);
        for (var back = 0; back < _k; back++)
        {
            var x = 2 * (_k - back) - 1;
            if (back >= _dealt) canvas.Put(x, 1, '.', 8);
            else canvas.Put(x, 1, "SDCH"[Suit(back)], (byte)(back > 0 ? 8 : Suit(back) is 1 or 3 ? 9 : 15));
        }
        canvas.Put(1, 2, '^', (byte)(_dealt < _k ? 8 : 10));
    }

    private void Deal<TDraws>(ref TDraws draws) where TDraws : struct, IDraws
    {
        var card = draws.Integer(_cards - _dealt);
        var suit = 0;
        while (card >= _left[suit]) card -= _left[suit++];
        _left[suit]--;
        _dealt++;
        (_low, _high) = ((_low << 1) | ((uint)suit & 1), (_high << 1) | ((uint)suit >> 1));
    }

    private readonly int Suit(int back) => (int)(_low >> back & 1) | (int)(_high >> back & 1) << 1;

    private static (int Cards, int K) Setting(EnvironmentOptions options)
    {
        var cards = DeckSize * Decks.Value(options.Size);
        return (cards, Lengths.Value(options.Length, most: cards - 1));
    }

    /// <summary>How many cards of each suit are still in the deck.</summary>
    [InlineArray(Suits)]
    private struct SuitCounts
    {
        private int _first;
    }
}
