namespace Rl.Distributed.Core.Environments.Traces;

/// <summary>The lines of a trace, numbered, with a count of what has been replayed.</summary>
public sealed class TraceReader(TextReader text)
{
    /// <summary>The number of the line read last, from 1.</summary>
    public int Line { get; private set; }

    /// <summary>Steps that agreed so far.</summary>
    public int Steps { get; private set; }

    /// <summary>Episodes that ended so far.</summary>
    public int Episodes { get; private set; }

    /// <summary>Reads the next line that is not blank; false at the end.</summary>
    /// <exception cref="TraceException">The line is not a JSON object.</exception>
    public bool Next(out TraceLine line)
    {
        while (text.ReadLine() is { } read)
        {
            Line++;
            if (string.IsNullOrWhiteSpace(read)) continue;
            line = new TraceLine(read);
            return true;
        }
        line = default;
        return false;
    }

    /// <summary>Counts a step that agreed.</summary>
    public void CountStep(bool ended)
    {
        Steps++;
        if (ended) Episodes++;
    }
}
