using System.Globalization;
using System.Text.RegularExpressions;

namespace Rl.Distributed.Processes.Tests;

/// <summary>What the learner's log says at the end of a process about the unrolls that were sent to it.</summary>
internal sealed partial record Ledger(long Sent, long Consumed, long Discarded, long Refused, long Lost)
{
    /// <summary>Reads <c>5 sent = 3 consumed + 2 discarded at the end or with their node + 0 refused + 0 lost</c>.</summary>
    public static Ledger Parse(string line)
    {
        var numbers = Line().Match(line);
        Assert.True(numbers.Success, $"no ledger: {line}");
        long Number(int group) => long.Parse(numbers.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
        return new Ledger(Number(1), Number(2), Number(3), Number(4), Number(5));
    }

    /// <summary>Nothing came from nowhere, nothing went without a reason.</summary>
    public void AddsUp()
    {
        Assert.Equal(Sent, Consumed + Discarded + Refused + Lost);
        Assert.All([Sent, Consumed, Discarded, Refused, Lost], number => Assert.True(number >= 0, ToString()));
    }

    [GeneratedRegex("(-?\\d+) sent = (-?\\d+) consumed \\+ (-?\\d+) discarded.* \\+ (-?\\d+) refused \\+ (-?\\d+) lost")]
    private static partial Regex Line();
}
