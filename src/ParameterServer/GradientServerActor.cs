using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>What a gradient server works with.</summary>
/// <param name="Intake">Applies gradients.</param>
/// <param name="Learning">What it applies them with.</param>
/// <param name="Parameters">Takes θ to the nodes: a <see cref="ParameterServerActor"/>.</param>
/// <param name="Targets">The same for θ⁻; nobody where there is none.</param>
/// <param name="Run">Learners of another run get no answer.</param>
/// <param name="Credits">Gradients that a learner may have on their way at once.</param>
/// <param name="TotalFrames">The run ends when so many are done, all learners together.</param>
/// <param name="PublishInterval">Between two versions.</param>
public sealed record GradientServerSetup(
    GradientIntake Intake, GradientIntakeSetup Learning, IActorRef Parameters, IActorRef Targets, string Run, int Credits, long TotalFrames,
    TimeSpan PublishInterval)
{
    /// <summary>Which shard of the parameters it has; 0 where it has all.</summary>
    public int Shard { get; init; }

    /// <summary>Takes a checkpoint, which whoever watches brings to a safe place; null: the state of the server is elsewhere anyway.</summary>
    public Func<Checkpoint>? Save { get; init; }

    /// <summary>So many updates may be applied beyond the last checkpoint that is in a safe place; with <see cref="Save"/>.</summary>
    public long MaxRolledBackUpdates { get; init; } = long.MaxValue;
}

/// <summary>
/// Is responsible for the gradients of learners on other nodes: grants credits, applies what comes or refuses it with the reason, answers
/// each, and publishes the parameters every so often. Runs on a pinned dispatcher.
/// </summary>
public sealed class GradientServerActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100), LogInterval = TimeSpan.FromSeconds(10);

    private readonly GradientServerSetup _setup;
    private readonly Dictionary<int, IActorRef> _learners = [];
    private readonly Dictionary<GradientRejection, TimeSpan> _loggedAt = [];
    private readonly SnapshotPool _snapshots;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private IActorRef _observer = ActorRefs.Nobody;
    private long _publishedUpdates = -1, _targetsPublished;
    private readonly WaitingGradients _waiting;
    private float[]? _publishedTarget;
    private long _taken, _held;
    private bool _bringing;
    private TimeSpan _reportedAt;
    private bool _finished;

    public GradientServerActor(GradientServerSetup setup)
    {
        _setup = setup;
        (_snapshots, _waiting) = (new SnapshotPool(setup.Learning.Shared.Count), new WaitingGradients(setup.Credits));
        _taken = _held = setup.Learning.Shared.Updates;
        Receive<PushGradient>(message => OnPush(message, Sender));
        Receive<CheckpointHeld>(OnCheckpointHeld);
        Receive<TakeCheckpoint>(_ => OnTakeCheckpoint());
        Receive<RegisterLearner>(OnRegister);
        Receive<Publish>(_ => OnPublish());
        Receive<WatchGradients>(_ => OnWatch());
        Receive<StopGradients>(_ => Finish());
        Receive<Terminated>(OnTerminated);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _reportedAt = Context.System.Scheduler.MonotonicClock;
        OnPublish();
        Timers.StartPeriodicTimer(nameof(Publish), Publish.Instance, _setup.PublishInterval);
    }

    // A run that is resumed with all its frames done is finished before anybody watches, and its last checkpoint went nowhere.
    private void OnWatch()
    {
        _observer = Sender;
        if (!_finished) return;
        if (_setup.Save is not null) Save(isLast: true);
        _observer.Tell(GradientsFinished.Instance);
    }

    private void OnRegister(RegisterLearner message)
    {
        if (message.Run != _setup.Run || !_setup.Intake.TryRegister(message.Worker, message.Incarnation))
        {
            LogRefusal(GradientRejection.UnknownLearner, $"Learner {message.Worker}.{message.Incarnation} of {Sender.Path.Address}, run '{message.Run}'");
            return;
        }
        if (_learners.TryGetValue(message.Worker, out var earlier) && !earlier.Equals(Sender)) Context.Unwatch(earlier);
        _learners[message.Worker] = Context.Watch(Sender);
        Sender.Tell(new LearnerRegistered(message.Worker, message.Incarnation, _setup.Credits, _setup.Learning.Shared.Frames, _setup.Shard));
    }

    // What would go beyond the bound waits for its turn; what would be refused anyway is.
    private void OnPush(PushGradient message, IActorRef from)
    {
        if (_finished) return;
        var mustWait = _setup.Save is not null && _setup.Learning.Shared.Updates - _held >= _setup.MaxRolledBackUpdates;
        if (mustWait && _setup.Intake.Knows(message.Id)) _waiting.Add(message, from);
        else Take(message, from);
    }

    private void Take(PushGradient message, IActorRef from)
    {
        if (_setup.Intake.Take(message) is not { } rejection) return;
        if (rejection != GradientRejection.None) LogRefusal(rejection, $"Gradient {message.Id} of {from.Path.Address}");
        var shared = _setup.Learning.Shared;
        from.Tell(new GradientAcknowledged(message.Id, rejection, _setup.Intake.Version, shared.Frames, _setup.Shard));
        if (_setup.Save is not null) SaveIfDue();
        if (shared.Frames >= _setup.TotalFrames) Finish();
        else ReportIfDue();
    }

    private void SaveIfDue()
    {
        if (!_bringing && _setup.Learning.Shared.Updates - _taken >= _setup.MaxRolledBackUpdates / 2) Save(isLast: false);
    }

    private void OnTakeCheckpoint()
    {
        if (_setup.Save is not null && !_bringing && !_finished) Save(isLast: false);
    }

    private void Save(bool isLast)
    {
        (_taken, _bringing) = (_setup.Learning.Shared.Updates, true);
        _observer.Tell(new CheckpointTaken(_setup.Save!(), _taken, isLast));
    }

    private void OnCheckpointHeld(CheckpointHeld message)
    {
        (_held, _bringing) = (message.Updates, false);
        if (_finished) return;
        SaveIfDue();
        foreach (var (part, from) in _waiting.TakeAll()) OnPush(part, from);
    }

    // A flood of them must not fill the log.
    private void LogRefusal(GradientRejection rejection, string what)
    {
        var now = Context.System.Scheduler.MonotonicClock;
        if (_loggedAt.TryGetValue(rejection, out var at) && now - at < LogInterval) return;
        _loggedAt[rejection] = now;
        _log.Warning($"{what} is refused: {rejection}, {_setup.Learning.Shared.Rejected(rejection)} of these so far");
    }

    private void OnPublish()
    {
        var shared = _setup.Learning.Shared;
        var version = _setup.Intake.Version;
        if (version.Counter != _publishedUpdates)
        {
            _publishedUpdates = version.Counter;
            _setup.Parameters.Tell(new PublishParameters(_snapshots.Take(version, shared.Values)));
        }
        if (_setup.Learning.Target?.Values is { } target && !ReferenceEquals(target, _publishedTarget))
        {
            _publishedTarget = target;
            var newest = new ParameterVersion(version.Epoch, _targetsPublished++);
            _setup.Targets.Tell(new PublishParameters(_snapshots.Take(newest, target)));
        }
        if (_finished) return;
        // Learners of this process may have done the last frames.
        if (shared.Frames >= _setup.TotalFrames) Finish();
        else ReportIfDue();
    }

    private void ReportIfDue()
    {
        var now = Context.System.Scheduler.MonotonicClock;
        if (now - _reportedAt < ReportInterval) return;
        _reportedAt = now;
        Report();
    }

    private void Report()
    {
        var shared = _setup.Learning.Shared;
        do
        {
            var progress = _setup.Intake.TakeProgress();
            if (progress.Updates + progress.Rejected + progress.EpisodeReturns.Length + progress.EpisodesLost > 0)
                _observer.Tell(new GradientsReport(progress, shared.Frames, shared.Updates));
        }
        while (_setup.Intake.HasEpisodes);
    }

    private void Finish()
    {
        if (_finished) return;
        _finished = true;
        _waiting.Clear();
        Report();
        if (_setup.Save is not null) Save(isLast: true);
        _observer.Tell(GradientsFinished.Instance);
    }

    private void OnTerminated(Terminated message)
    {
        foreach (var (worker, learner) in _learners)
        {
            if (!learner.Equals(message.ActorRef)) continue;
            _learners.Remove(worker);
            _setup.Intake.Forget(worker);
            _waiting.Forget(worker);
            return;
        }
    }

    private sealed record Publish
    {
        public static readonly Publish Instance = new();
    }
}
