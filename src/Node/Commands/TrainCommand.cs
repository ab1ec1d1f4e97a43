using System.CommandLine;
using System.Text.Json;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Output;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;
using Serilog;

namespace Rl.Distributed.Node.Commands;

/// <summary><c>rl train</c>: trains, shows how it goes, and leaves a run directory.</summary>
internal sealed class TrainCommand
{
    private readonly CommandHost _host;
    private readonly Argument<string?> _preset = new("PRESET")
    {
        Description = "A preset's name (`rl list`), or the path of a YAML file.",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly ConfigArguments _config = new();
    private readonly ClusterArguments _cluster = new();
    private readonly Option<string?> _runDirectory = new("--run-dir")
    {
        Description = "Where to write; by default below runs/.",
        HelpName = "directory",
    };
    private readonly Option<string?> _resume = new("--resume")
    {
        Description = "Continues the run of this directory.",
        HelpName = "directory",
    };
    private readonly Option<bool> _continue = new("--continue")
    {
        Description = "Goes on with the run in --run-dir where there is one, and begins it otherwise: for whatever starts a process again "
            + "that died.",
    };
    private readonly Option<bool> _deterministic = new("--deterministic")
    {
        Description = "One thread, a fixed order: the same seed gives the same weights.",
    };
    private readonly Option<bool> _json = new("--json") { Description = "The last line of standard output is one JSON object." };

    public TrainCommand(CommandHost host) => _host = host;

    public ConfigArguments Config => _config;

    public ClusterArguments Cluster => _cluster;

    public static Command Create(CommandHost host)
    {
        var train = new TrainCommand(host);
        var command = new Command("train", "Trains an agent.");
        train.AddTo(command);
        command.SetAction((parsed, cancellationToken) => train.RunAsync(
            parsed, train._cluster.IsNode(parsed) ? NodeRoles.Leading : null, train._config.Workers(parsed), cancellationToken));
        return command;
    }

    public void AddTo(Command command)
    {
        command.Arguments.Add(_preset);
        System.CommandLine.Option[] options = [_runDirectory, _resume, _continue, _deterministic, _json];
        foreach (var option in options) command.Options.Add(option);
        _config.AddTo(command);
        _cluster.AddTo(command);
    }

    /// <summary>Options of a run make no sense for a node that leads none.</summary>
    public void RefuseRunOptions(ParseResult parsed)
    {
        var given = parsed.GetValue(_preset) ?? parsed.GetValue(_runDirectory) ?? parsed.GetValue(_resume)
            ?? new[] { _continue, _deterministic, _json }.FirstOrDefault(parsed.GetValue)?.Name
            ?? _config.RunOptions(parsed);
        if (given is not null)
            throw new ConfigException($"{given}: a node that acts takes the run's options from the node that leads it.");
    }

    /// <summary>Trains.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="roles">What this process is to the other nodes of its cluster, beside acting; null: it is alone.</param>
    /// <param name="localWorkers">Workers in this process where there are other nodes; null: as many as the configuration says.</param>
    /// <param name="cancellationToken">Ends training with a checkpoint.</param>
    public async Task<int> RunAsync(ParseResult parsed, IReadOnlyList<string>? roles, int? localWorkers, CancellationToken cancellationToken)
    {
        if (roles is null) _cluster.Refuse(parsed);
        var endpoint = roles is null ? null : await _cluster.EndpointAsync(
            parsed, localWorkers == 0 ? roles : [.. roles, NodeRoles.Actor], warning => _host.Error.WriteLine($"warning: {warning}"),
            _host.Clock, cancellationToken);
        if (endpoint is not null && parsed.GetValue(_deterministic))
            throw new ConfigException("--deterministic is one process on one thread: leave the cluster's options out.");
        var (config, folder, goesOn) = Prepare(parsed, isNode: endpoint is not null);
        using var _ = folder;
        var (runId, epoch) = endpoint is null ? ("", 0) : folder.BeginEpoch();
        var json = parsed.GetValue(_json);
        using var display = TrainingDisplay.Create(_host, config, json);
        using var logger = Logs.Create(folder.LogPath, config.Run.LogLevel, display.People);
        var unrollsConsumed = MetricsCsv.LastUnrollsConsumed(folder.MetricsPath);
        using var metrics = new MetricsCsv(folder.MetricsPath, logger);
        var live = new LiveNode(endpoint, config, _host.Clock);
        try
        {
            using var admin = endpoint is null && _cluster.Http(parsed) is null ? null : live.Serve(_cluster.Http(parsed), logger);
            var checkpoints = folder.Checkpoints(config, logger);
            checkpoints.Saved += live.Saved;
            // A run that died before its first checkpoint begins again; nobody is there to tell it to.
            var resume = goesOn && !(parsed.GetValue(_continue) && checkpoints.IsEmpty) ? checkpoints.LoadLatest() : null;
            if (resume is not null && resume.Frames >= config.Frames)
            {
                if (parsed.GetValue(_continue))
                {
                    _host.Error.WriteLine($"The run in {RunFolder.Display(folder.Path)} is complete: {resume.Frames:N0} frames.");
                    return ExitCodes.Ok;
                }
                throw new ConfigException(
                    $"The run is at {resume.Frames:N0} frames, and {config.Frames:N0} is not more: give more with --frames.");
            }
            display.Start(folder.Path, resume);
            if (endpoint is not null)
            {
                live.Say = display.People.WriteLine;
            }
            else if (folder.HasEpochs)
            {
                display.People.WriteLine(
                    "warning: this run had other nodes. For them to find it again, resume it with the --listen, --workers and other options that it had.");
            }
            logger.Information(
                "rl {Version} {Verb} {Preset} (seed {Seed}) on {Environment} from {From} to {Frames} frames; {Cores} cores",
                CommandLine.Version, resume is null ? "trains" : "continues", config.Preset, config.Seed, config.Environment.Name,
                resume?.Frames ?? 0, config.Frames, Environment.ProcessorCount);
            var result = await _host.Train(
                config,
                new TrainingRunOptions
                {
                    RunDirectory = folder.Path,
                    Checkpoints = checkpoints,
                    Resume = resume,
                    UnrollsConsumed = unrollsConsumed,
                    Started = () => folder.WriteConfig(config),
                    Deterministic = parsed.GetValue(_deterministic),
                    Endpoint = endpoint,
                    LocalWorkers = endpoint is null ? null : localWorkers,
                    LocalShards = _config.Shards(parsed),
                    RunId = runId,
                    LeastEpoch = epoch,
                    Live = live,
                    Progress = new Reports(metrics, display, live),
                    Logger = logger,
                },
                cancellationToken);
            logger.Information(
                "Ended at {Frames} of {TotalFrames} frames after {Seconds:0.0} s: {FramesPerSecond:0} frames/s, mean return {MeanReturn100:0.##}",
                result.Frames, config.Frames, result.Seconds, result.FramesPerSecond, result.MeanReturn100);
            if (result.ShardSkewMean is { } skew)
                logger.Information("Skew of the shards in the weights that acted: {Mean:0.##} updates, {Max} at most", skew, result.ShardSkewMax);
            return Finish(parsed, folder, display, result, json);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            display.Stop();
            return Interrupted(parsed, folder);
        }
        catch (CheckpointFormatException e)
        {
            display.Stop();
            throw new CommandFailedException(e.Message, e);
        }
        catch (Exception e) when (e is not ConfigException)
        {
            display.Stop();
            logger.Fatal(e, "The run failed");
            throw new CommandFailedException($"{e.Message}\nThe log has more: {folder.LogPath}", e);
        }
    }

    /// <summary>The configuration, the directory, and whether there is a run in it.</summary>
    private (TrainingConfig Config, RunFolder Folder, bool GoesOn) Prepare(ParseResult parsed, bool isNode)
    {
        var (preset, resume, directory) = (parsed.GetValue(_preset), parsed.GetValue(_resume), parsed.GetValue(_runDirectory));
        if (parsed.GetValue(_deterministic) && SimulatedHost.Missing is { } reason) throw new ConfigException($"--deterministic: {reason}");
        var overrides = _config.Overrides(parsed);
        if (resume is not null)
        {
            if (preset is not null)
                throw new ConfigException(
                    "--resume continues a run with its own configuration: leave PRESET out, and change options with --set.");
            if (directory is not null) throw new ConfigException("--resume continues in the run's own directory: leave --run-dir out.");
            if (parsed.GetValue(_continue)) throw new ConfigException("--continue is for PRESET and --run-dir; --resume needs it not.");
            return (Checked(RunFolder.ReadConfig(resume, overrides), isNode), RunFolder.Open(resume), true);
        }
        if (preset is null)
            throw new ConfigException($"Name a preset: {string.Join(", ", Presets.Names)}; or continue a run with --resume DIRECTORY.");
        var config = Checked(ConfigLoader.Load(preset, overrides), isNode);
        if (!parsed.GetValue(_continue)) return (config, RunFolder.Create(directory, config, _host.Clock), false);
        if (directory is null) throw new ConfigException("--continue: name the run's directory with --run-dir.");
        if (!RunFolder.HasRun(directory)) return (config, RunFolder.Create(directory, config, _host.Clock), false);
        var begun = RunFolder.ReadConfig(directory, overrides);
        return begun.Preset == config.Preset
            ? (begun, RunFolder.Open(directory), true)
            : throw new ConfigException($"--continue: {directory} holds a run of {begun.Preset}, not of {config.Preset}: name another directory.");
    }

    // Other nodes may bring the workers that this process lacks.
    private static TrainingConfig Checked(TrainingConfig config, bool isNode)
    {
        ConfigRules.CheckMemory(config, KnownEnvironments.All, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        if (!isNode) ConfigRules.CheckWorkers(config, KnownEnvironments.All);
        return config;
    }

    private int Finish(ParseResult parsed, RunFolder folder, TrainingDisplay display, TrainingResult result, bool json)
    {
        display.Stop();
        folder.WriteResult(result);
        display.Summarize(result);
        if (json) _host.Output.WriteLine(JsonSerializer.Serialize(result, JsonText.OneLine));
        return result.Interrupted ? Interrupted(parsed, folder) : ExitCodes.Ok;
    }

    private int Interrupted(ParseResult parsed, RunFolder folder)
    {
        string[] workers = _config.Workers(parsed) is { } count ? [$"--workers {count}"] : [];
        string[] shards = _config.Shards(parsed) is { } room ? [$"--shards {room}"] : [];
        string[] words = [$"{CommandLine.Name} train --resume", Shell(RunFolder.Display(folder.Path)), .. _cluster.Given(parsed), .. workers, .. shards];
        _host.Error.WriteLine($"Interrupted. Continue with: {string.Join(' ', words)}");
        return ExitCodes.Interrupted;
    }

    private static string Shell(string path) => path.Contains(' ', StringComparison.Ordinal) ? $"'{path}'" : path;

    private sealed class Reports(MetricsCsv metrics, TrainingDisplay display, LiveNode live) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            live.Progress = value;
            metrics.Write(value);
            display.Show(value);
        }
    }
}
