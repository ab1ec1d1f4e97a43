using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>What a synchronous gradient server works with.</summary>
/// <param name="Intake">Makes the updates.</param>
/// <param name="Learning">What it makes them with.</param>
/// <param name="Parameters">Takes θ to the nodes, at once: a <see cref="ParameterServerActor"/>.</param>
/// <param name="Run">Learners of another run get no answer.</param>
/// <param name="Credits">Gradients that a learner may have on their way at once.</param>
/// <param name="TotalFrames">The run ends when so many are done.</param>
/// <param name="Patience">A learner that says nothing for so long is not waited for.</param>
public sealed record SynchronousServerSetup(
    SynchronousIntake Intake, GradientIntakeSetup Learning, IActorRef Parameters, string Run, int Credits, long TotalFrames, TimeSpan Patience);

/// <summary>
/// Is responsible for the updates of A2C over several nodes: waits for the gradients of all learners, makes one update of their mean, answers
/// them, and publishes the parameters at once. One that dies, leaves or falls silent is not waited for. Runs on a pinned dispatcher.
/// </summary>
public sealed class SynchronousServerActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100), LogInterval = TimeSpan.FromSeconds(10);

    private readonly SynchronousServerSetup _setup;
    private readonly Dictionary<int, IActorRef> _learners = [];
    private readonly Dictionary<GradientRejection, TimeSpan> _loggedAt = [];
    private readonly SnapshotPool _snapshots;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private IActorRef _observer = ActorRefs.Nobody;
    private TimeSpan _reportedAt;
    private bool _finished;

    public SynchronousServerActor(SynchronousServerSetup setup)
    {
        _setup = setup;
        _snapshots = new SnapshotPool(setup.Learning.Shared.Count);
        Receive<PushGradient>(OnPush);
        Receive<RegisterLearner>(OnRegister);
        Receive<LookAround>(_ => OnLookAround());
        Receive<WatchGradients>(_ => OnWatch());
        Receive<StopGradients>(_ => Finish());
        Receive<Terminated>(OnTerminated);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private SynchronousIntake Intake => _setup.Intake;

    private static TimeSpan Now => Context.System.Scheduler.MonotonicClock;

    protected override void PreStart()
    {
        _reportedAt = Now;
        Publish();
        Timers.StartPeriodicTimer(nameof(LookAround), LookAround.Instance, _setup.Patience / 4);
        if (_setup.Learning.Shared.Frames >= _setup.TotalFrames) Finish();
    }

    // A run that is resumed with all its frames done is finished before anybody watches.
    private void OnWatch()
    {
        _observer = Sender;
        if (_finished) _observer.Tell(GradientsFinished.Instance);
    }

    private void OnRegister(RegisterLearner message)
    {
        if (message.Run != _setup.Run || !Intake.TryRegister(message.Worker, message.Incarnation, Now))
        {
            LogRefusal(GradientRejection.UnknownLearner, $"Learner {message.Worker}.{message.Incarnation} of {Sender.Path.Address}, run '{message.Run}'");
            return;
        }
        if (_learners.TryGetValue(message.Worker, out var earlier) && !earlier.Equals(Sender)) Context.Unwatch(earlier);
        _learners[message.Worker] = Context.Watch(Sender);
        Sender.Tell(new LearnerRegistered(message.Worker, message.Incarnation, _setup.Credits, _setup.Learning.Shared.Frames));
    }

    private void OnPush(PushGradient message)
    {
        if (_finished) return;
        if (Intake.Take(message, Now) is { } rejection)
        {
            LogRefusal(rejection, $"Gradient {message.Id} of {Sender.Path.Address}");
            Answer(Sender, message.Id, rejection);
        }
        UpdateIfComplete();
    }

    private void UpdateIfComplete()
    {
        if (_finished || !Intake.IsComplete) return;
        var (ids, rejection) = Intake.Update(Now);
        foreach (var id in ids) Answer(_learners[id.Worker], id, rejection);
        Publish();
        if (_setup.Learning.Shared.Frames >= _setup.TotalFrames) Finish();
        else ReportIfDue();
    }

    private void Answer(IActorRef learner, UnrollId id, GradientRejection rejection) =>
        learner.Tell(new GradientAcknowledged(id, rejection, Intake.Version, _setup.Learning.Shared.Frames));

    private void Publish() => _setup.Parameters.Tell(new PublishParameters(_snapshots.Take(Intake.Version, _setup.Learning.Shared.Values)));

    private void OnLookAround()
    {
        if (_finished) return;
        var silent = Intake.DropSilent(Now - _setup.Patience);
        if (silent.Count > 0)
        {
            _log.Warning($"The update does not wait for learners {string.Join(", ", silent)}, which say nothing; "
                + $"{Intake.Silences} times so far that one was not waited for");
            UpdateIfComplete();
        }
        ReportIfDue();
    }

    // A flood of them must not fill the log.
    private void LogRefusal(GradientRejection rejection, string what)
    {
        var now = Now;
        if (_loggedAt.TryGetValue(rejection, out var at) && now - at < LogInterval) return;
        _loggedAt[rejection] = now;
        _log.Warning($"{what} is refused: {rejection}, {_setup.Learning.Shared.Rejected(rejection)} of these so far");
    }

    private void ReportIfDue()
    {
        var now = Now;
        if (now - _reportedAt < ReportInterval) return;
        _reportedAt = now;
        Report();
    }

    private void Report()
    {
        var (progress, shared) = (Intake.TakeProgress(), _setup.Learning.Shared);
        if (progress.Updates + progress.Rejected > 0) _observer.Tell(new GradientsReport(progress, shared.Frames, shared.Updates));
    }

    private void Finish()
    {
        if (_finished) return;
        _finished = true;
        Report();
        _observer.Tell(GradientsFinished.Instance);
    }

    private void OnTerminated(Terminated message)
    {
        foreach (var (worker, learner) in _learners)
        {
            if (!learner.Equals(message.ActorRef)) continue;
            _learners.Remove(worker);
            Intake.Forget(worker);
            UpdateIfComplete();
            return;
        }
    }

    private sealed record LookAround
    {
        public static readonly LookAround Instance = new();
    }
}
