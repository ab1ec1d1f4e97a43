using System.Globalization;
using Rl.Distributed.Node.Training;
using Serilog;

namespace Rl.Distributed.Node.RunDirectory;

/// <summary>metrics.csv: a header, then a row a report, on the disk's way at once; a resumed run appends.</summary>
/// <remarks>
/// Columns: frames, updates, episodes since the run began, resumes included; seconds of this process; frames_per_second and
/// updates_per_second of late; mean_return_100, the mean return of the last 100 episodes; policy_lag, updates between acting and
/// learning; policy_loss, value_loss and entropy (H, nats) of the last update, per frame; gradient_norm before clipping; learning_rate;
/// unrolls_consumed, unrolls_lost (no answer in time), unrolls_rolled_back (consumed after the checkpoint that a resume began from),
/// unrolls_rejected; episodes_restarted by resumes; episodes_lost by failures of
/// environments; eval_return, the mean return of the newest evaluation's greedy episodes, and eval_frames, where the run was when it took the
/// parameters: rows repeat them until there is another; shard_skew, updates between the shard that had most and the one that had least in
/// the weights that acted, and shard_skew_max, the greatest so far. Numbers are invariant; an unknown one is empty.
/// </remarks>
internal sealed class MetricsCsv : IDisposable
{
    private static readonly (string Name, Func<TrainingProgress, double> Value)[] Columns =
    [
        ("frames", p => p.Frames),
        ("seconds", p => Math.Round(p.Elapsed.TotalSeconds, 3)),
        ("frames_per_second", p => Math.Round(p.FramesPerSecond, 1)),
        ("mean_return_100", p => p.MeanReturn100),
        ("episodes", p => p.Episodes),
        ("policy_lag", p => p.PolicyLag),
        ("updates", p => p.Updates),
        ("updates_per_second", p => Math.Round(p.UpdatesPerSecond, 2)),
        ("policy_loss", p => p.PolicyLoss),
        ("value_loss", p => p.ValueLoss),
        ("entropy", p => p.Entropy),
        ("gradient_norm", p => p.GradientNorm),
        ("learning_rate", p => p.LearningRate),
        ("unrolls_consumed", p => p.UnrollsConsumed),
        ("unrolls_lost", p => p.UnrollsLost),
        ("unrolls_rolled_back", p => p.UnrollsRolledBack),
        ("unrolls_rejected", p => p.UnrollsRejected),
        ("episodes_restarted", p => p.EpisodesRestarted),
        ("episodes_lost", p => p.EpisodesLost),
        ("eval_return", p => p.Evaluation?.MeanReturn ?? double.NaN),
        ("eval_frames", p => p.Evaluation?.Frames ?? double.NaN),
        ("shard_skew", p => p.ShardSkew),
        ("shard_skew_max", p => p.ShardSkewMax),
    ];

    private readonly StreamWriter _writer;

    /// <summary>Appends to a file, or begins one. One whose header is another, of an older version, is set aside as metrics-1.csv or so.</summary>
    /// <param name="path">The file.</param>
    /// <param name="logger">Is told of a file that is set aside.</param>
    public MetricsCsv(string path, ILogger? logger = null)
    {
        SetAsideOlder(path, logger);
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        var needsLineEnd = EndsWithinLine(stream);
        _writer = new StreamWriter(stream) { AutoFlush = true, NewLine = "\n" };
        if (needsLineEnd) _writer.WriteLine();
        if (stream.Length == 0) _writer.WriteLine(Header);
    }

    public static string Header { get; } = string.Join(',', Columns.Select(column => column.Name));

    /// <summary>Unrolls that were ever consumed, those rolled back included, as the last whole row of a file has it, or of the newest one that was
    /// set aside; 0 where there is none. A crash loses what followed it.</summary>
    public static long LastUnrollsConsumed(string path) =>
        LastConsumed(path) ?? SetAside(path).Reverse().Select(LastConsumed).FirstOrDefault(consumed => consumed is not null) ?? 0;

    public void Write(TrainingProgress progress) =>
        _writer.WriteLine(string.Join(',', Columns.Select(column => Text(column.Value(progress)))));

    public void Dispose() => _writer.Dispose();

    // Columns are those of the file's own header. Rows may be longer: they used to be appended to files of older versions.
    private static long? LastConsumed(string path)
    {
        if (!File.Exists(path) || File.ReadLines(path).FirstOrDefault()?.Split(',') is not { } columns) return null;
        var (consumed, rolledBack) = (Array.IndexOf(columns, "unrolls_consumed"), Array.IndexOf(columns, "unrolls_rolled_back"));
        if (consumed < 0) return null;
        foreach (var line in File.ReadLines(path).Reverse())
        {
            var values = line.Split(',');
            if (values.Length >= columns.Length && Number(values[consumed]) is { } unrolls)
                return unrolls + (rolledBack < 0 ? 0 : Number(values[rolledBack]) ?? 0);
        }
        return null;
    }

    private static void SetAsideOlder(string path, ILogger? logger)
    {
        if (!File.Exists(path) || (File.ReadLines(path).FirstOrDefault() ?? Header) == Header) return;
        var aside = AsideName(path, SetAside(path).Count() + 1);
        File.Move(path, aside);
        logger?.Information("{Name} has the columns of another version: it is now {Aside}, and a new one begins", Path.GetFileName(path), Path.GetFileName(aside));
    }

    /// <summary>Files that were set aside, oldest first.</summary>
    private static IEnumerable<string> SetAside(string path) =>
        Enumerable.Range(1, int.MaxValue).Select(i => AsideName(path, i)).TakeWhile(File.Exists);

    private static string AsideName(string path, int number) =>
        Path.Combine(Path.GetDirectoryName(path)!, $"{Path.GetFileNameWithoutExtension(path)}-{number}.csv");

    private static long? Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static string Text(double value) => double.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>Goes to the end; whether the last row was cut short by a crash.</summary>
    private static bool EndsWithinLine(FileStream stream)
    {
        if (stream.Length == 0) return false;
        stream.Seek(-1, SeekOrigin.End);
        return stream.ReadByte() != '\n';
    }
}
