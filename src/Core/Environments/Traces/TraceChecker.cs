using System.IO.Compression;
using System.Text;

namespace Rl.Distributed.Core.Environments.Traces;

/// <summary>Replays recorded traces on the environments here and reports the first difference.</summary>
/// <remarks>The formats are those of tests/Oracles/minatar/SPEC.md, section 6, and tests/Oracles/classic/SPEC.md: a header, then resets and
/// steps, one JSON object a line. A malformed trace gives a report too, never an exception.</remarks>
public static class TraceChecker
{
    /// <summary>Replays a trace, compressed with gzip or not.</summary>
    /// <param name="trace">The file's content.</param>
    /// <param name="environment">The environment that must reproduce it; null for the one that the header names.</param>
    /// <param name="registry">The environments; null for those that come with the system.</param>
    public static TraceReport Check(Stream trace, string? environment = null, EnvironmentRegistry? registry = null)
    {
        ArgumentNullException.ThrowIfNull(trace);
        var content = new MemoryStream();
        trace.CopyTo(content);
        var zipped = content.Length >= 2 && content.GetBuffer() is [0x1f, 0x8b, ..];
        content.Position = 0;
        using var reader = new StreamReader(zipped ? new GZipStream(content, CompressionMode.Decompress) : content, Encoding.UTF8);
        return Check(reader, environment, registry);
    }

    /// <inheritdoc cref="Check(Stream, string?, EnvironmentRegistry?)"/>
    public static TraceReport Check(TextReader trace, string? environment = null, EnvironmentRegistry? registry = null)
    {
        var reader = new TraceReader(trace);
        try
        {
            Replay(reader, environment, registry ?? EnvironmentRegistry.Default);
            return new TraceReport
            {
                Passed = true,
                Steps = reader.Steps,
                Episodes = reader.Episodes,
                Message = $"{reader.Steps} steps and {reader.Episodes} whole episodes agree.",
            };
        }
        catch (TraceException error)
        {
            return Failure(reader, error);
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            return Failure(reader, new TraceException($"the file cannot be decompressed ({error.Message}); is it cut short?"));
        }
    }

    private static void Replay(TraceReader reader, string? environment, EnvironmentRegistry registry)
    {
        if (!reader.Next(out var header)) throw new TraceException("the trace is empty; the first line must be its header");
        var format = header.Text("format");
        var known = registry.Entries.Where(entry => entry.Trace is not null).ToArray();
        var ofFormat = known.Where(entry => entry.Trace!.Format == format).ToArray();
        if (ofFormat.Length == 0)
        {
            var formats = known.Select(entry => entry.Trace!.Format).Distinct();
            throw new TraceException($"the format '{format}' is unknown; known are: {string.Join(", ", formats)}");
        }

        var game = header.Text(header.Has("game") ? "game" : "env");
        var games = string.Join(", ", ofFormat.Select(entry => entry.Trace!.Game));
        var entry = ofFormat.FirstOrDefault(entry => entry.Trace!.Game == game)
            ?? throw new TraceException($"no environment here replays traces of '{game}'; replayed are those of: {games}");
        if (environment is not null && environment != entry.Name)
            throw new TraceException($"the trace is of '{game}', that is environment '{entry.Name}', not of '{environment}'");
        entry.Trace!.Replay(reader, header);
    }

    private static TraceReport Failure(TraceReader reader, TraceException error)
    {
        var line = Math.Max(1, reader.Line);
        return new TraceReport
        {
            Passed = false,
            Steps = reader.Steps,
            Episodes = reader.Episodes,
            Line = line,
            Field = error.Field,
            Expected = error.Expected,
            Got = error.Got,
            Message = $"line {line}: {error.Message}",
        };
    }
}
