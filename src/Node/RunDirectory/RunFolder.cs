using System.Globalization;
using System.Text.Json;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Training;
using Serilog;

namespace Rl.Distributed.Node.RunDirectory;

/// <summary>The directory of one run, held by one process.</summary>
/// <remarks>config.yaml: the resolved configuration. log.txt: the log. metrics.csv: a row each metrics interval. checkpoints/: see
/// <see cref="CheckpointStore"/>. result.json: what came out. epoch.txt: how often a run over several nodes was begun. .lock: held while a
/// process trains here.</remarks>
internal sealed class RunFolder : IDisposable
{
    private const string ConfigName = "config.yaml";
    private const string CheckpointsName = "checkpoints";
    private const string EpochName = "epoch.txt";
    private const string LogName = "log.txt";
    private const string MetricsName = "metrics.csv";
    private const string LockName = ".lock";

    private readonly FileStream _lock;

    private RunFolder(string path, FileStream hold) => (Path, _lock) = (path, hold);

    public string Path { get; }

    public string LogPath => System.IO.Path.Combine(Path, LogName);

    public string MetricsPath => System.IO.Path.Combine(Path, MetricsName);

    /// <summary>Makes the directory of a new run. What a run left there that ended before it wrote its configuration is no hindrance.</summary>
    /// <param name="path">Where; null for runs/NAME-SEED-TIME, with a number behind it where that exists.</param>
    /// <param name="config">Names the directory.</param>
    /// <param name="clock">Gives the time.</param>
    /// <exception cref="ConfigException">The directory is in use, not empty, or cannot be made.</exception>
    public static RunFolder Create(string? path, TrainingConfig config, TimeProvider clock)
    {
        var directory = System.IO.Path.GetFullPath(
            path ?? Unused($"runs/{config.Preset}-{config.Seed}-{clock.GetUtcNow():yyyyMMdd-HHmmss}"));
        return Guard(directory, () =>
        {
            var isFresh = !Directory.Exists(directory)
                || Directory.EnumerateFileSystemEntries(directory).All(entry => IsRemains(System.IO.Path.GetFileName(entry)));
            Directory.CreateDirectory(directory);
            var folder = Hold(directory);
            if (isFresh) return folder;
            folder.Dispose();
            throw new ConfigException($"The run directory {directory} is not empty: name another one, or continue its run with --resume.");
        });
    }

    /// <summary>Whether a run was begun in this directory.</summary>
    public static bool HasRun(string path) => File.Exists(System.IO.Path.Combine(path, ConfigName));

    /// <summary>Opens the directory of an earlier run to continue it.</summary>
    /// <exception cref="ConfigException">It holds no run, or another process trains there.</exception>
    public static RunFolder Open(string path)
    {
        var directory = System.IO.Path.GetFullPath(path);
        if (!HasRun(directory)) throw NoRun(path);
        return Guard(directory, () => Hold(directory));
    }

    /// <summary>The configuration of a run, without taking the directory.</summary>
    public static TrainingConfig ReadConfig(string path, IReadOnlyList<ConfigOverride> overrides)
    {
        if (!HasRun(path)) throw NoRun(path);
        return ConfigLoader.Load(System.IO.Path.Combine(path, ConfigName), overrides);
    }

    /// <summary>The checkpoints of a run's directory, without taking it.</summary>
    public static CheckpointStore CheckpointsOf(string path, TrainingConfig config, ILogger logger) => new(
        PhysicalFileSystem.Instance, System.IO.Path.Combine(System.IO.Path.GetFullPath(path), CheckpointsName), config.Run.KeepCheckpoints,
        ConfigWriter.Write(config), logger);

    /// <summary>A path as people would type it here: relative where that is shorter.</summary>
    public static string Display(string path)
    {
        var relative = System.IO.Path.GetRelativePath(Environment.CurrentDirectory, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }

    public CheckpointStore Checkpoints(TrainingConfig config, ILogger logger) => CheckpointsOf(Path, config, logger);

    public void WriteConfig(TrainingConfig config) => Write(ConfigName, ConfigWriter.Write(config));

    public void WriteResult(TrainingResult result) =>
        Write("result.json", JsonSerializer.Serialize(result, Output.JsonText.Indented) + "\n");

    /// <summary>Whether the run was ever led for other nodes.</summary>
    public bool HasEpochs => File.Exists(System.IO.Path.Combine(Path, EpochName));

    /// <summary>Begins an epoch of the run that no other process has begun, even where it died before its first checkpoint.</summary>
    /// <returns>The run's identity, which stays, and the epoch.</returns>
    public (string RunId, int Epoch) BeginEpoch() =>
        RunEpoch.Begin(PhysicalFileSystem.Instance, System.IO.Path.Combine(Path, EpochName), () => Guid.NewGuid().ToString("N"));

    public void Dispose() => _lock.Dispose();

    private void Write(string name, string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        PhysicalFileSystem.Instance.WriteDurably(System.IO.Path.Combine(Path, name), stream => stream.Write(bytes));
    }

    /// <summary>Two runs that begin in the same second get two directories.</summary>
    private static string Unused(string path)
    {
        var candidate = path;
        for (var i = 2; Directory.Exists(candidate); i++) candidate = $"{path}-{i}";
        return candidate;
    }

    private static bool IsRemains(string name) =>
        name is LockName or EpochName or LogName or MetricsName || name.EndsWith(FileSystemExtensions.AsideSuffix, StringComparison.Ordinal);

    private static RunFolder Hold(string directory)
    {
        try
        {
            return new RunFolder(directory, new FileStream(
                System.IO.Path.Combine(directory, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (Directory.Exists(directory))
        {
            throw new ConfigException(
                $"The run directory {directory} is in use: another process trains there. Wait for it, or name another directory.", e);
        }
    }

    private static RunFolder Guard(string directory, Func<RunFolder> open)
    {
        try
        {
            return open();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"The run directory {directory} cannot be used: {e.Message}", e);
        }
    }

    private static ConfigException NoRun(string path) =>
        new($"{path} is no run directory: it has no {ConfigName}. `rl train PRESET` makes one below runs/.");
}
