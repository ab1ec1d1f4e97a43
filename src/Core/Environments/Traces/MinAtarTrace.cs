using System.Collections.Immutable;
using System.Text;
using Rl.Distributed.Core.Environments.MinAtar;

namespace Rl.Distributed.Core.Environments.Traces;

/// <summary>Replays a MinAtar trace to the bit: fed the logged actions and draws, the game must show every logged state.</summary>
internal static class MinAtarTrace
{
    public const string Format = "minatar-trace-1";

    public static void Replay<TGame>(TraceReader reader, TraceLine header) where TGame : struct, IMinAtarGame<TGame>
    {
        var channels = TGame.Channels;
        if (header.Integer("channels") != channels.Length)
            throw new TraceException($"{TGame.Name} has {channels.Length} channels, the header says {header.Integer("channels")}");
        var sticky = header.Number("sticky");
        if (sticky is not (>= 0 and <= 1))
            throw new TraceException($"\"sticky\" must be a probability, 0 to 1, but is {TraceLine.Show(sticky)}");
        var game = new Sticky<TGame>(sticky, header.Flag("ramping"), [0, 1, 2, 3, 4, 5]);
        var observation = new byte[(Board.Cells * channels.Length + 7) / 8];

        if (!reader.Next(out var line) || !line.Has("reset")) throw new TraceException("a reset must follow the header");
        do
        {
            var resets = line.Has("reset");
            var draws = new RecordedDraws(line.Elements(resets ? "reset" : "draws"));
            var outcome = default(Outcome);
            if (resets) game.Reset(ref draws);
            else outcome = game.Step(Action(line), ref draws);
            draws.ThrowUnlessAllFitted();
            game.Observe(observation);
            CompareState(line, channels, observation);
            if (resets) continue;
            var (reward, done) = (line.Number("r"), line.Flag("done"));
            if (reward != outcome.Reward) throw new TraceException("r", TraceLine.Show(reward), TraceLine.Show(outcome.Reward));
            if (done != outcome.Terminated) throw new TraceException("done", done ? "1" : "0", outcome.Terminated ? "1" : "0");
            reader.CountStep(outcome.Terminated);
        }
        while (reader.Next(out line));

        var announced = header.Has("steps") ? header.Integer("steps") : reader.Steps;
        if (announced != reader.Steps)
            throw new TraceException($"the header announces {announced} steps, there are {reader.Steps}; is the trace cut short?");
    }

    private static int Action(TraceLine line) => line.Integer("a") is >= 0 and < 6 and var action
        ? action
        : throw new TraceException($"\"a\" must be one of the six actions, 0 to 5, but is {line.Integer("a")}");

    private static void CompareState(TraceLine line, ImmutableArray<ChannelLook> channels, ReadOnlySpan<byte> observation)
    {
        var hex = line.Text("s");
        var expected = new byte[observation.Length];
        if (hex.Length != 2 * expected.Length || Convert.FromHexString(hex, expected, out _, out _) != System.Buffers.OperationStatus.Done)
            throw new TraceException($"\"s\" must be {2 * expected.Length} hexadecimal digits, but is '{hex}'");
        // Traces put the first bit of a byte highest, observations lowest.
        foreach (ref var value in expected.AsSpan()) value = Reversed(value);
        if (observation.SequenceEqual(expected)) return;

        for (var y = 0; y < Board.Size; y++)
            for (var x = 0; x < Board.Size; x++)
                for (var channel = 0; channel < channels.Length; channel++)
                {
                    var wanted = Board.IsSet(expected, channels.Length, x, y, channel);
                    if (wanted == Board.IsSet(observation, channels.Length, x, y, channel)) continue;
                    var field = $"s at row {y}, column {x}, channel {channel} ({channels[channel].Meaning})";
                    throw new TraceException(field, wanted ? "1" : "0", wanted ? "0" : "1", SideBySide(expected, observation, channels));
                }
        throw new TraceException($"\"s\" has bits set behind its last cell: '{hex}'");
    }

    private static byte Reversed(byte value)
    {
        var reversed = 0;
        for (var bit = 0; bit < 8; bit++) reversed |= (value >> bit & 1) << (7 - bit);
        return (byte)reversed;
    }

    private static string SideBySide(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> got, ImmutableArray<ChannelLook> channels)
    {
        var text = new StringBuilder("\n  expected      got\n");
        for (var y = 0; y < Board.Size; y++)
        {
            text.Append("  ");
            AppendRow(text, expected, y, channels);
            text.Append("    ");
            AppendRow(text, got, y, channels);
            text.Append('\n');
        }
        var legend = channels.Select(channel => $"{channel.Glyph} {channel.Meaning}");
        return text.Append("  ").AppendJoin(", ", legend).Append(", - nothing").ToString();
    }

    private static void AppendRow(StringBuilder text, ReadOnlySpan<byte> board, int y, ImmutableArray<ChannelLook> channels)
    {
        for (var x = 0; x < Board.Size; x++)
        {
            var channel = Board.FirstSet(board, channels.Length, x, y);
            text.Append(channel < 0 ? '-' : channels[channel].Glyph);
        }
    }
}
