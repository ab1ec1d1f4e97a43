using Akka.Actor;
using Akka.Event;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Networks;

namespace Rl.Distributed.ParameterServer;

/// <summary>
/// Is responsible for one shard of a run's parameters in this process: gets its state from the owner of the run, starts the servers by which
/// others learn with it, and brings checkpoints and reports back. It needs no disk, and ends when the owner is gone.
/// </summary>
public sealed class ShardActor : ReceiveActor, IWithTimers
{
    /// <summary>In a checkpoint's metadata: nothing was applied after it.</summary>
    public const string LastKey = "last";

    private const string TargetName = "target";
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(250);

    private readonly StartShard _start;
    private readonly IActorRef _owner;
    private readonly string _dispatcher;
    private readonly StateReceiver _receiver;
    private readonly StateSender _sender;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private SharedParameters? _shared;
    private IActorRef _gradients = ActorRefs.Nobody;
    private CheckpointTaken? _next;
    private long _sending;
    private bool _stopping;

    /// <param name="start">What the owner said.</param>
    /// <param name="owner">The owner of the run.</param>
    /// <param name="dispatcher">Where gradients are applied.</param>
    public ShardActor(StartShard start, IActorRef owner, string dispatcher)
    {
        (_start, _owner, _dispatcher) = (start, owner, dispatcher);
        _receiver = new StateReceiver(ShardStates.MaxBytes(start.Range));
        _sender = new StateSender(owner, start.Shard, start.Epoch, start.Wire);
        Receive<StateChunk>(OnState);
        Receive<CheckpointTaken>(OnTaken);
        Receive<StateReceived>(OnReceived);
        Receive<GradientsReport>(OnReport);
        Receive<GradientsFinished>(_ => { });
        Receive<StopShard>(_ => OnStop());
        Receive<SaveShard>(_ => _gradients.Tell(TakeCheckpoint.Instance));
        Receive<Tick>(_ => OnTick());
        Receive<Terminated>(_ => Context.Stop(Self));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private TimeSpan Now => Context.System.Scheduler.MonotonicClock;

    protected override void PreStart()
    {
        Context.Watch(_owner);
        OnTick();
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TickInterval);
    }

    // Without one of its servers it is none; the owner has it begin anew.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Escalate);

    private void OnTick()
    {
        if (_shared is null) _owner.Tell(new ShardStarted(_start.Shard, _start.Epoch));
        else _sender.Check(Now);
    }

    // The answer to the last chunk may get lost, and all comes again.
    private void OnState(StateChunk message)
    {
        if (message.Epoch != _start.Epoch || _receiver.Take(message, out var state) is not { } answer) return;
        if (state is not null && _shared is null) Begin(ShardStates.Decode(state));
        _owner.Tell(answer);
    }

    private void Begin(Checkpoint state)
    {
        var (learning, range) = (_start.Learning, _start.Range);
        var shared = new SharedParameters(new float[range.Count], learning.Update);
        var ledger = new GradientLedger(shared);
        ledger.Load(state);
        var target = learning.TargetInterval > 0 ? new TargetParameters(shared, learning.TargetInterval, learning.TargetClock) : null;
        if (target is not null && state.TryTensor(TargetName) is { } values) target.Load(values.Floats);
        var intake = new GradientIntakeSetup(shared, ledger, target, learning.LearningRate, learning.FramesPerGradient, _start.Epoch)
        {
            Range = range,
            MaxGradientNorm = learning.MaxGradientNorm,
        };
        var parameters = Context.ActorOf(Props.Create(() => new ParameterServerActor(_start.Wire)), ServerNames.Parameters);
        var targets = target is null
            ? ActorRefs.Nobody
            : Context.ActorOf(Props.Create(() => new ParameterServerActor(_start.Wire)), ServerNames.Targets);
        var setup = new GradientServerSetup(
            new GradientIntake(intake), intake, parameters, targets, _start.Run, learning.Credits, learning.TotalFrames,
            TimeSpan.FromMilliseconds(_start.Wire.PublishMilliseconds))
        {
            Shard = _start.Shard,
            MaxRolledBackUpdates = _start.Wire.MaxRolledBackUpdates,
            Save = () => Save(ledger, target),
        };
        _gradients = Context.ActorOf(
            Props.Create(() => new GradientServerActor(setup)).WithDispatcher(_dispatcher), ServerNames.Gradients);
        _gradients.Tell(WatchGradients.Instance);
        _shared = shared;
        _log.Info($"Shard {_start.Shard}, parameters {range}, begins with {shared.Updates} updates, epoch {_start.Epoch}");
    }

    private static Checkpoint Save(GradientLedger ledger, TargetParameters? target)
    {
        var tensors = ledger.Save();
        return new Checkpoint { Tensors = target is null ? tensors : [.. tensors, new NamedTensor(TargetName, [target.Values.Length], target.Values)] };
    }

    private void OnTaken(CheckpointTaken message)
    {
        _next = message;
        SendNext();
    }

    // One is on its way at a time: the last one waits, others are not taken meanwhile.
    private void SendNext()
    {
        if (_sender.IsBusy || _next is not { } next) return;
        (_next, _sending) = (null, next.Updates);
        var state = next.IsLast ? next.State with { Metadata = new Dictionary<string, string> { [LastKey] = "1" } } : next.State;
        _sender.Begin(ShardStates.Encode(state), Now);
    }

    private void OnReceived(StateReceived message)
    {
        if (message.Epoch != _start.Epoch || !_sender.OnReceived(message, Now)) return;
        _gradients.Tell(new CheckpointHeld(_sending));
        SendNext();
    }

    private void OnReport(GradientsReport message) => _owner.Tell(new ShardReport(
        _start.Shard, _start.Epoch, message.Frames, message.Updates, _shared!.AllRejected, message.Progress));

    private void OnStop()
    {
        if (_stopping || _shared is null) return;
        _stopping = true;
        _gradients.Tell(StopGradients.Instance);
    }

    private sealed record Tick
    {
        public static readonly Tick Instance = new();
    }
}
