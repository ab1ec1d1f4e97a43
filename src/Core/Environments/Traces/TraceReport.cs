namespace Rl.Distributed.Core.Environments.Traces;

/// <summary>What replaying a trace gave: that everything agrees, or the first place where something does not.</summary>
public sealed record TraceReport
{
    public required bool Passed { get; init; }

    /// <summary>Steps that agreed.</summary>
    public required int Steps { get; init; }

    /// <summary>Episodes that ended among them.</summary>
    public required int Episodes { get; init; }

    /// <summary>The line of the first difference or error, from 1; 0 where it passed.</summary>
    public int Line { get; init; }

    /// <summary>What differs, "r" or "state[2]"; empty where it passed or the trace itself is at fault.</summary>
    public string Field { get; init; } = "";

    public string Expected { get; init; } = "";

    public string Got { get; init; } = "";

    /// <summary>For people; several lines where boards are drawn.</summary>
    public required string Message { get; init; }

    public override string ToString() => Message;
}

/// <summary>How traces of one game are replayed.</summary>
/// <param name="Format">What the header's "format" says.</param>
/// <param name="Game">What the header calls the game.</param>
/// <param name="Replay">Reads the lines after the header and throws at the first one that is malformed or differs.</param>
public sealed record TraceReplay(string Format, string Game, Action<TraceReader, TraceLine> Replay);

/// <summary>A line of a trace that cannot be read, or that the game does not reproduce.</summary>
public sealed class TraceException : Exception
{
    public TraceException(string message) : base(message)
    {
    }

    public TraceException(string field, string expected, string got, string picture = "")
        : base($"{field}: expected {expected}, got {got}{picture}") => (Field, Expected, Got) = (field, expected, got);

    public string Field { get; } = "";

    public string Expected { get; } = "";

    public string Got { get; } = "";
}
