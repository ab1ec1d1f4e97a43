using System.Globalization;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Node.Training;
using Serilog;

namespace Rl.Distributed.Node.RunDirectory;

/// <summary>A checkpoint that was read and checked.</summary>
/// <param name="Frames">Environment steps that it had learned from.</param>
public sealed record LoadedCheckpoint(Checkpoint Checkpoint, string Path, long Frames);

/// <summary>The checkpoints of a run: one file each, the newest few kept.</summary>
/// <remarks>
/// Files are written aside, synced and renamed, so that a crash at any moment leaves the previous ones usable. Their names carry the
/// frames. Thread-safe; saves run one after the other.
/// </remarks>
public sealed class CheckpointStore
{
    /// <summary>Metadata that the store adds: the resolved configuration as YAML, so that a file alone is enough to evaluate it.</summary>
    public const string ConfigKey = "config";

    /// <summary>Metadata that the store adds: the frames.</summary>
    public const string FramesKey = "frames";

    /// <summary>The parameters of the best evaluation. No run goes on from it: it holds nothing else.</summary>
    public const string BestName = "best.safetensors";

    private const string ReturnKey = "evaluation.meanReturn", DeviationKey = "evaluation.stdReturn", EpisodesKey = "evaluation.episodes";
    private const string Prefix = "checkpoint-";
    private const string Suffix = ".safetensors";
    private const string LeftBehindSuffix = ".superseded";

    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly int _keep;
    private readonly string _configYaml;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _saving = new(1, 1);

    /// <param name="files">Where files live.</param>
    /// <param name="directory">The directory of the checkpoints; made at the first save.</param>
    /// <param name="keep">How many are kept, at least 1.</param>
    /// <param name="configYaml">The run's resolved configuration, put into every file.</param>
    /// <param name="logger">Hears of saves and of files that cannot be used.</param>
    public CheckpointStore(IFileSystem files, string directory, int keep, string configYaml, ILogger logger)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(keep);
        (_files, _directory, _keep, _configYaml, _logger) = (files, directory, keep, configYaml, logger);
    }

    /// <summary>Writes a checkpoint on a thread of the pool; it is on the disk when the task ends. Then removes the oldest.</summary>
    /// <remarks>The checkpoint's arrays must not change until then.</remarks>
    /// <returns>The path of the file.</returns>
    public async Task<string> SaveAsync(Checkpoint checkpoint, long frames, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentOutOfRangeException.ThrowIfNegative(frames);
        await _saving.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Save(checkpoint, frames), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _saving.Release();
        }
    }

    /// <summary>Writes the parameters of the best evaluation, in place of those of the one before; it is on the disk on return.</summary>
    public void SaveBest(float[] parameters, GreedyReturn evaluation)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(evaluation);
        var metadata = new Dictionary<string, string>
        {
            [ReturnKey] = evaluation.MeanReturn.ToString("R", CultureInfo.InvariantCulture),
            [DeviationKey] = evaluation.StdReturn.ToString("R", CultureInfo.InvariantCulture),
            [EpisodesKey] = evaluation.Episodes.ToString(CultureInfo.InvariantCulture),
        };
        var tensors = new NamedTensor[] { new("parameters", [parameters.Length], parameters) };
        Write(BestName, new Checkpoint { Metadata = metadata, Tensors = tensors }, evaluation.Frames);
    }

    /// <summary>What <see cref="SaveBest"/> wrote last; null where there is none that can be read.</summary>
    public GreedyReturn? LoadBest()
    {
        if (!_files.List(_directory).Contains(BestName)) return null;
        var path = Path.Combine(_directory, BestName);
        try
        {
            var best = Read(_files, path);
            return new GreedyReturn(
                long.Parse(best.Text(FramesKey), CultureInfo.InvariantCulture), double.Parse(best.Text(ReturnKey), CultureInfo.InvariantCulture),
                double.Parse(best.Text(DeviationKey), CultureInfo.InvariantCulture), int.Parse(best.Text(EpisodesKey), CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is CheckpointFormatException or IOException or UnauthorizedAccessException or FormatException)
        {
            _logger.Warning("Skipped {Path}: {Reason}", path, e.Message);
            return null;
        }
    }

    /// <summary>A checkpoint of so many frames is on the disk; raised on the thread that wrote it.</summary>
    public event Action<long>? Saved;

    /// <summary>Whether there is no checkpoint, usable or not.</summary>
    public bool IsEmpty => Names().Count == 0;

    /// <summary>Reads the newest usable checkpoint; logs why newer ones are not usable.</summary>
    /// <exception cref="CheckpointFormatException">There is none; the message lists each file with what is wrong with it.</exception>
    public LoadedCheckpoint LoadLatest()
    {
        var problems = new List<string>();
        foreach (var (name, frames) in Names())
        {
            var path = Path.Combine(_directory, name);
            try
            {
                return new LoadedCheckpoint(Read(_files, path), path, frames);
            }
            catch (Exception e) when (e is CheckpointFormatException or IOException or UnauthorizedAccessException)
            {
                _logger.Warning("Skipped checkpoint {Path}: {Reason}", path, e.Message);
                problems.Add($"{name}: {e.Message}");
            }
        }
        throw new CheckpointFormatException(problems.Count == 0
            ? $"There is no checkpoint in {_directory}: the run ended before its first one. Train anew."
            : $"No checkpoint in {_directory} can be used:{string.Concat(problems.Select(problem => $"\n  {problem}"))}");
    }

    /// <summary>Reads one file.</summary>
    public static Checkpoint Read(IFileSystem files, string path)
    {
        using var stream = files.OpenRead(path);
        return Safetensors.Read(stream);
    }

    private string Save(Checkpoint checkpoint, long frames)
    {
        var path = Write($"{Prefix}{frames.ToString("D15", CultureInfo.InvariantCulture)}{Suffix}", checkpoint, frames);
        Prune(frames);
        Saved?.Invoke(frames);
        return path;
    }

    private string Write(string name, Checkpoint checkpoint, long frames)
    {
        var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in checkpoint.Metadata) metadata[key] = value;
        metadata[ConfigKey] = _configYaml;
        metadata[FramesKey] = frames.ToString(CultureInfo.InvariantCulture);

        _files.CreateDirectory(_directory);
        var path = Path.Combine(_directory, name);
        _files.WriteDurably(path, stream => Safetensors.Write(stream, checkpoint with { Metadata = metadata }));
        _logger.Information("Saved checkpoint {Path}", path);
        return path;
    }

    /// <summary>Removes all but the newest few up to these frames. A file of more frames was not usable when the run resumed from an
    /// older one: it is set aside, not deleted, so that it neither counts as kept nor hides what is newer now.</summary>
    private void Prune(long frames)
    {
        var kept = 0;
        foreach (var (name, itsFrames) in Names())
        {
            var path = Path.Combine(_directory, name);
            if (itsFrames > frames) _files.Rename(path, path + LeftBehindSuffix);
            else if (++kept > _keep) _files.Delete(path);
        }
        foreach (var name in _files.List(_directory))
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal)
                && name.EndsWith(FileSystemExtensions.AsideSuffix, StringComparison.Ordinal))
            {
                _files.Delete(Path.Combine(_directory, name));
            }
        }
    }

    /// <summary>Names and frames of the checkpoints, the most frames first.</summary>
    private List<(string Name, long Frames)> Names()
    {
        var names = new List<(string Name, long Frames)>();
        foreach (var name in _files.List(_directory))
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal)
                && long.TryParse(
                    name.AsSpan(Prefix.Length, name.Length - Prefix.Length - Suffix.Length),
                    NumberStyles.None, CultureInfo.InvariantCulture, out var frames))
            {
                names.Add((name, frames));
            }
        }
        names.Sort((a, b) => b.Frames.CompareTo(a.Frames));
        return names;
    }
}
