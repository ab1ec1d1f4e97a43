using Akka.Actor;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;
using Rl.Distributed.Runtime;
using Serilog;

namespace Rl.Distributed.Node.Engines;

/// <summary>The machine that leads the run: a process as <c>rl train --listen</c> makes one, and after a crash one as <c>--resume</c> does,
/// with the disk that the crash left.</summary>
internal sealed class SimulatedLeader
{
    private const string Folder = "/run", EpochPath = Folder + "/epoch.txt", CheckpointsPath = Folder + "/checkpoints";
    private static readonly TimeSpan SupervisorPause = TimeSpan.FromSeconds(1);

    private readonly EmbeddedEngine.Simulation _simulation;
    private readonly TrainingConfig _config;
    private readonly RunInvariants _invariants;
    private readonly Timeline _timeline;
    private readonly ILogger _logger;
    private readonly HostPort _address;
    private readonly MemoryFileSystem _files = new();
    private readonly CheckpointStore _checkpoints;
    private readonly List<long> _metrics = [];
    private readonly int _workers;
    private readonly long _leastFrames;
    private RandomStream _random;
    private Life? _life;

    /// <param name="simulation">The world.</param>
    /// <param name="address">Its address.</param>
    /// <param name="config">The run.</param>
    /// <param name="leastFrames">How far the run must come before its end.</param>
    /// <param name="workers">Workers in its own process.</param>
    /// <param name="invariants">Told of each beginning and end.</param>
    /// <param name="timeline">Told what happens.</param>
    /// <param name="random">Decides what a crash leaves, and how long the disk takes.</param>
    public SimulatedLeader(
        EmbeddedEngine.Simulation simulation, HostPort address, TrainingConfig config, long leastFrames, int workers,
        RunInvariants invariants, Timeline timeline, RandomStream random)
    {
        (_simulation, _address, _config, _leastFrames, _workers, _invariants, _timeline, _random) =
            (simulation, address, config, leastFrames, workers, invariants, timeline, random);
        _logger = timeline.LoggerOf(address.Host);
        _checkpoints = new CheckpointStore(_files, CheckpointsPath, config.Run.KeepCheckpoints, ConfigWriter.Write(config), _logger);
    }

    /// <summary>The present system; null between two processes.</summary>
    public ActorSystem? System => _life?.System is { WhenTerminated.IsCompleted: false } system ? system : null;

    /// <summary>How often a process began.</summary>
    public int Starts { get; private set; }

    /// <summary>The last report; null before the run's end.</summary>
    public LearnerReport? Result { get; private set; }

    /// <summary>Why the run failed where it must not; null: it did not.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>A process is at work on the run.</summary>
    public bool IsRunning => _life is not null && Result is null;

    /// <summary>Begins the run, or continues it.</summary>
    public void Start()
    {
        Starts++;
        var (runId, epoch) = RunEpoch.Begin(_files, EpochPath, () => "simulated");
        var resume = Latest();
        var endpoint = new NodeEndpoint { Listen = _address, Roles = NodeRoles.Leading };
        var life = new Life(endpoint);
        var options = new TrainingRunOptions
        {
            Resume = resume,
            UnrollsConsumed = _metrics.Count == 0 ? 0 : _metrics[^1],
            Endpoint = endpoint,
            LocalWorkers = _workers,
            RunId = runId,
            LeastEpoch = epoch,
            Progress = new Rows(this),
            SegmentsPerTurn = 1,
            Logger = _logger,
        };
        var plan = RunPlan.Create(_config, options, SequentialRunner.Instance, (checkpoint, frames) => SaveAsync(life, checkpoint, frames));
        _timeline.Add($"{_address.Host} leads, epoch {plan.Epoch}"
            + (resume is null ? "" : $", from the checkpoint of {resume.Frames} frames"));
        _invariants.LeaderStarted(plan, options.UnrollsConsumed, _workers);
        life.System = EngineHost.Create(_simulation, _logger, endpoint);
        var meter = life.Meter = new ProgressMeter(
            _config, options, plan, _simulation.TimeProvider, () => life.Coordinator.Tell(SaveCheckpoint.Instance));
        TrainingRun.Join(life.System, endpoint, meter);
        life.Coordinator = life.System.ActorOf(Props.Create(() => new RunCoordinator(plan, meter)), RunCoordinator.Name);
        _life = life;
    }

    /// <summary>The machine loses its power. What was not synced is lost; of metrics the last rows may be.</summary>
    public void Crash(bool silent)
    {
        if (_life is not { } life) return;
        life.IsDead = true;
        _life = null;
        _simulation.Crash(life.System, silent);
        _files.Restart();
        var lost = Math.Min(_metrics.Count, _random.NextInt32(3));
        _metrics.RemoveRange(_metrics.Count - lost, lost);
    }

    /// <summary>The next checkpoint, which is wanted now, ends at that step of the disk with a crash.</summary>
    public void CrashWhileSaving(int step, Action crashed)
    {
        if (_life is not { } life) return;
        life.Crashed = crashed;
        _files.StepsUntilCrash = step;
        life.Coordinator.Tell(SaveCheckpoint.Instance);
    }

    /// <summary>A machine that is off loses its newest checkpoint, where there is one before it.</summary>
    public void Damage()
    {
        var usable = CheckpointNames().Order(StringComparer.Ordinal).Select(name => $"{CheckpointsPath}/{name}").Where(IsUsable).ToList();
        if (usable.Count < 2) return;
        var bytes = _files.Read(usable[^1]);
        _files.Write(usable[^1], bytes[..(bytes.Length / 2)]);
        _timeline.Add($"{usable[^1]} is damaged");
    }

    /// <summary>The run is to end now.</summary>
    public void StopTraining() => _life?.Coordinator.Tell(Core.Runs.StopTraining.Instance);

    /// <summary>The process ends, as it does after the run.</summary>
    public void End() => _ = TrainingRun.EndAsync(_life!.System, _life.Endpoint, _simulation.TimeProvider);

    /// <summary>To be called after each step: takes note of the run's end.</summary>
    public void Check()
    {
        if (Result is not null || _life is not { Meter.Finished: { IsCompleted: true } finished } life) return;
        if (finished.IsCompletedSuccessfully)
        {
            Result = finished.Result;
            _timeline.Add($"the run is at its end: {Result.Frames} frames, {Result.Updates} updates");
            _invariants.Finished(Result, _leastFrames);
            return;
        }
        _life = null;
        var reason = finished.Exception!.GetBaseException();
        _timeline.Add($"{_address.Host} ends: {reason.Message}");
        if (reason is NodeRemovedException) _ = BeginAgainAsync(life);
        else Failure = reason;
    }

    // As whoever supervises the process does.
    private async Task BeginAgainAsync(Life life)
    {
        await TrainingRun.EndAsync(life.System, life.Endpoint, _simulation.TimeProvider).ConfigureAwait(false);
        await Task.Delay(SupervisorPause, _simulation.TimeProvider).ConfigureAwait(false);
        Start();
    }

    private LoadedCheckpoint? Latest() => CheckpointNames().Any() ? _checkpoints.LoadLatest() : null;

    private IEnumerable<string> CheckpointNames() =>
        _files.List(CheckpointsPath).Where(name => !name.EndsWith(FileSystemExtensions.AsideSuffix, StringComparison.Ordinal));

    private bool IsUsable(string path)
    {
        try
        {
            CheckpointStore.Read(_files, path);
            return true;
        }
        catch (CheckpointFormatException)
        {
            return false;
        }
    }

    // The disk takes a while, training goes on meanwhile.
    private async Task SaveAsync(Life life, Checkpoint checkpoint, long frames)
    {
        _invariants.CheckpointSaved(checkpoint, frames);
        await Task.Delay(TimeSpan.FromMilliseconds(1 + _random.NextInt32(30)), _simulation.TimeProvider).ConfigureAwait(false);
        try
        {
            if (!life.IsDead)
            {
                _checkpoints.SaveAsync(checkpoint, frames).GetAwaiter().GetResult();
                _timeline.Add($"checkpoint of {frames} frames");
                return;
            }
        }
        catch (CrashException)
        {
            _timeline.Add($"{_address.Host} loses its power while it writes the checkpoint of {frames} frames");
            Crash(silent: false);
            life.Crashed?.Invoke();
        }
        await new TaskCompletionSource().Task.ConfigureAwait(false);
    }

    /// <summary>One process.</summary>
    private sealed class Life(NodeEndpoint endpoint)
    {
        public NodeEndpoint Endpoint => endpoint;

        public ActorSystem System { get; set; } = null!;

        public ProgressMeter Meter { get; set; } = null!;

        public IActorRef Coordinator { get; set; } = ActorRefs.Nobody;

        public Action? Crashed { get; set; }

        public bool IsDead { get; set; }
    }

    /// <summary>metrics.csv, as far as a resume reads it.</summary>
    private sealed class Rows(SimulatedLeader leader) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => leader._metrics.Add(value.UnrollsConsumed + value.UnrollsRolledBack);
    }
}
