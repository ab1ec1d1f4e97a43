using System.Text.Json;

namespace Rl.Distributed.Core.Environments.Traces;

/// <summary>Feeds a game the draws that a trace logged, and notes the first one that the game wants otherwise.</summary>
/// <remarks>After a problem it answers 0, which every draw may be, so that the game can finish its step. Mutable: pass by ref.</remarks>
internal struct RecordedDraws(JsonElement[] logged) : IDraws
{
    private int _next;

    /// <summary>The first draw that did not fit; null while all have.</summary>
    public TraceException? Problem { get; private set; }

    public double Double()
    {
        var value = Take("double", null);
        if (Problem is not null) return 0;
        if (value is >= 0 and < 1) return value;
        Problem = new TraceException($"draw {_next} must be in [0, 1), but is {TraceLine.Show(value)}");
        return 0;
    }

    public int Integer(int count)
    {
        var value = Take("int", count);
        if (Problem is not null) return 0;
        if (value >= 0 && value < count && value == Math.Floor(value)) return (int)value;
        Problem = new TraceException($"draw {_next} must be a whole number from 0 to {count - 1}, but is {TraceLine.Show(value)}");
        return 0;
    }

    /// <exception cref="TraceException">A draw did not fit, or some are left over.</exception>
    public readonly void ThrowUnlessAllFitted()
    {
        if (Problem is not null) throw Problem;
        if (_next == logged.Length) return;
        throw new TraceException("draws", $"{logged.Length} draws", $"{_next}; left over is {logged[_next].GetRawText()}");
    }

    private double Take(string kind, int? count)
    {
        if (Problem is not null) return 0;
        var wanted = count is null ? "a double" : $"an integer below {count}";
        if (_next == logged.Length)
        {
            Problem = new TraceException("draws", $"{logged.Length} draws", $"{_next + 1} or more; the game wants {wanted} next");
            return 0;
        }
        var draw = logged[_next];
        var field = $"draws[{_next++}]";
        if (draw.ValueKind != JsonValueKind.Array || draw.GetArrayLength() != 3 || TraceLine.AsNumber(draw[2]) is not { } value)
        {
            Problem = TraceLine.Wrong(field, "[kind, n, value]", draw);
            return 0;
        }
        var sameRange = count is null ? draw[1].ValueKind == JsonValueKind.Null : TraceLine.AsNumber(draw[1]) == count;
        if (TraceLine.AsText(draw[0]) == kind && sameRange) return value;
        Problem = new TraceException(field, draw.GetRawText(), $"a game that wants {wanted}");
        return 0;
    }
}
