using System.Numerics;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Core.Tests.Environments;

public class RepeatPreviousTests
{
    [Theory]
    [InlineData(null, null)]
    [InlineData(1, 1)]
    [InlineData(2, 32)]
    [InlineData(3, 64)]
    [InlineData(1, 51)]
    public void Every_card_is_dealt_once_and_memory_is_paid(int? decks, int? back)
    {
        const int copies = 60;
        var play = Play.Of(new EnvironmentOptions { Name = "repeat-previous", Size = decks, Length = back }, copies);
        var (cards, k) = (52 * (decks ?? 1), back ?? 4);
        var dealt = Enumerable.Range(0, copies).Select(i => new List<int> { Suit(play.Observations[i]) }).ToArray();
        var returns = new double[copies];
        for (var step = 1; step < cards; step++)
        {
            // The even copies remember, the odd ones name another suit on purpose.
            for (var i = 0; i < copies; i++) play.Actions[i] = dealt[i].Count < k ? 0 : (dealt[i][^k] + i % 2) % 4;
            play.Step();
            for (var i = 0; i < copies; i++)
            {
                Assert.Equal(step < k ? 0f : (float)((i % 2 == 0 ? 1.0 : -1.0) / (cards - k)), play.Rewards[i]);
                Assert.Equal((step == cards - 1, false), (play.Terminated[i], play.Truncated[i]));
                returns[i] += play.Rewards[i];
                dealt[i].Add(Suit(play.Terminated[i] ? play.Finals[i] : play.Observations[i]));
            }
        }
        for (var i = 0; i < copies; i++)
        {
            Assert.Equal(i % 2 == 0 ? 1 : -1, returns[i], 1e-5);
            for (var suit = 0; suit < 4; suit++) Assert.Equal(cards / 4, dealt[i].Count(card => card == suit));
        }
    }

    [Fact]
    public void Cards_come_in_any_order()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "repeat-previous" }, 4000);
        var pairs = new int[4, 4];
        var before = play.Observations.Select(Suit).ToArray();
        play.Step();
        for (var i = 0; i < 4000; i++) pairs[before[i], Suit(play.Observations[i])]++;
        for (var first = 0; first < 4; first++)
            for (var second = 0; second < 4; second++)
            {
                // Without replacement: 12 of 51 for the same suit, 13 of 51 for another.
                var mean = 4000 / 4 * (first == second ? 12.0 : 13.0) / 51;
                Assert.InRange(pairs[first, second], mean - 5 * Math.Sqrt(mean), mean + 5 * Math.Sqrt(mean));
            }
    }

    [Theory]
    [InlineData(1, 52, "Length of 'repeat-previous' is 1 to 51, but is 52")]
    [InlineData(2, 65, "Length of 'repeat-previous' is 1 to 64, but is 65")]
    [InlineData(1, 0, "Length of 'repeat-previous' is 1 to 51, but is 0")]
    [InlineData(0, 4, "Size of 'repeat-previous' is 1 to 100, but is 0")]
    public void A_setting_that_cannot_be_is_refused_by_name(int decks, int back, string message)
    {
        var options = new EnvironmentOptions { Name = "repeat-previous", Size = decks, Length = back };
        var error = Assert.Throws<ArgumentException>(() => Play.Of(options, 1));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_shows_the_last_cards()
    {
        var play = Play.Of(new EnvironmentOptions { Name = "repeat-previous" }, 1);
        List<char> dealt = ["SDCH"[Suit(play.Observations[0])]];
        for (var step = 0; step < 5; step++)
        {
            play.Step();
            dealt.Add("SDCH"[Suit(play.Observations[0])]);
            Assert.Equal($"\n {string.Join(' ', Enumerable.Repeat('.', 4).Concat(dealt).TakeLast(4))}\n ^", play.Picture(0));
        }
    }

    private static int Suit(byte observation)
    {
        Assert.Equal(1, BitOperations.PopCount(observation));
        return BitOperations.TrailingZeroCount(observation);
    }
}
