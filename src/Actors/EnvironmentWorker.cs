using Akka.Actor;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Actors;

/// <summary>What a worker needs beside the actors it talks to.</summary>
/// <param name="CreateEnvironments">Makes B environments that draw from the given stream.</param>
/// <param name="Network">The policy's network.</param>
/// <param name="Shape">The shape of its unrolls.</param>
/// <param name="RunSeed">The run's seed.</param>
/// <param name="Discount">γ.</param>
/// <param name="RewardScale">Factor of rewards for learning.</param>
/// <param name="RewardClip">± bound of rewards for learning, after that; 0 for none.</param>
/// <param name="CreditTimeout">After this long an unroll without an answer counts as lost.</param>
/// <param name="Reported">Called with each report on its worker's thread, the last one included, even where the actor system is at its end and
/// the observer hears nothing more; null: nobody wants to know.</param>
public sealed record WorkerSetup(
    Func<RandomStream, IEnvironmentBatch> CreateEnvironments,
    PolicyValueNetwork Network,
    UnrollShape Shape,
    ulong RunSeed,
    float Discount,
    float RewardScale,
    float RewardClip,
    TimeSpan CreditTimeout,
    Action<WorkerReport>? Reported = null);

/// <summary>
/// Is responsible for acting: steps a batch of environments with the node's newest weights and sends one unroll for each credit that the
/// replay actor grants. Runs on a pinned dispatcher.
/// </summary>
public sealed class EnvironmentWorker : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan SliceTime = TimeSpan.FromMilliseconds(10), RegisterInterval = TimeSpan.FromSeconds(1),
        ReportInterval = TimeSpan.FromSeconds(1);

    private readonly WorkerSetup _setup;
    private readonly IActorRef _replay, _parameters, _observer;
    private readonly ParameterCell _cell;
    private readonly IEnvironmentBatch _environments;
    private readonly UnrollCollector _collector;
    private readonly InFlightLedger<Unroll> _ledger = new();
    private readonly Stack<Unroll> _free = new();
    private readonly int _worker, _incarnation;
    private ParameterSnapshot? _weights;
    private Unroll? _unroll;
    private long _sequence;
    private int _credits;
    private bool _granted, _parametersAvailable;

    /// <param name="setup">What it needs beside the actors.</param>
    /// <param name="identity">Which worker it is.</param>
    /// <param name="replay">Takes its unrolls.</param>
    /// <param name="parameters">The node's cache, which says when there are weights.</param>
    /// <param name="cell">Where they are.</param>
    /// <param name="observer">Gets its <see cref="WorkerReport"/>s.</param>
    public EnvironmentWorker(
        WorkerSetup setup, WorkerIdentity identity, IActorRef replay, IActorRef parameters, ParameterCell cell, IActorRef observer)
    {
        (_setup, _replay, _parameters, _cell, _observer) = (setup, replay, parameters, cell, observer);
        (_worker, _incarnation) = (identity.Index, identity.BeginIncarnation());
        var policy = new LocalPolicy(setup.Network, setup.Shape.Environments, Stream(StreamRole.Policy));
        _environments = setup.CreateEnvironments(Stream(StreamRole.Environment));
        try
        {
            _collector = new UnrollCollector(_environments, policy, setup.Shape, setup.Discount, setup.RewardClip, setup.RewardScale);
        }
        catch
        {
            (_environments as IDisposable)?.Dispose();
            throw;
        }
        Receive<ParametersAvailable>(_ => OnParametersAvailable());
        Receive<CreditsGranted>(OnCreditsGranted);
        Receive<Continue>(_ => OnContinue());
        Receive<CreditReturned>(OnCreditReturned);
        Receive<ExpireCredits>(_ => OnExpireCredits());
        Receive<Register>(_ => OnRegister());
        Receive<ReportDue>(_ => Report());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        OnRegister();
        // Between nodes the first word may get lost.
        if (_replay.Path.Address.HasGlobalScope) Timers.StartPeriodicTimer(nameof(Register), Register.Instance, RegisterInterval);
        _parameters.Tell(AwaitParameters.Instance);
        Timers.StartPeriodicTimer(nameof(ExpireCredits), ExpireCredits.Instance, _setup.CreditTimeout / 4);
        Timers.StartPeriodicTimer(nameof(ReportDue), ReportDue.Instance, ReportInterval);
    }

    protected override void PostStop()
    {
        _weights?.Release();
        (_environments as IDisposable)?.Dispose();
        Report();
    }

    private RandomStream Stream(StreamRole role) => RandomStream.Create(_setup.RunSeed, role, (uint)_worker, (uint)_incarnation);

    private void OnRegister() => _replay.Tell(new RegisterWorker(_worker, _incarnation, _setup.Shape.ByteCount));

    private void OnParametersAvailable()
    {
        _parametersAvailable = true;
        BeginUnroll();
    }

    private void OnCreditsGranted(CreditsGranted message)
    {
        if (message.Incarnation != _incarnation || _granted) return;
        _granted = true;
        Timers.Cancel(nameof(Register));
        _credits = message.Count;
        BeginUnroll();
    }

    private void BeginUnroll()
    {
        if (_unroll is not null || _credits == 0 || !_parametersAvailable) return;
        _weights = _cell.Acquire() ?? throw new InvalidOperationException("The node's cell has no weights although it said so.");
        _unroll = _free.TryPop(out var free) ? free : new Unroll(_setup.Shape);
        _unroll.Id = new UnrollId(_worker, _incarnation, _sequence++);
        _unroll.Version = _weights.Version;
        _collector.Begin(_unroll);
        _credits--;
        Self.Tell(Continue.Instance);
    }

    private void OnContinue()
    {
        var clock = Context.System.Scheduler;
        var until = clock.MonotonicClock + SliceTime;
        while (!_collector.Step(_weights!.Values))
            if (clock.MonotonicClock >= until)
            {
                Self.Tell(Continue.Instance);
                return;
            }
        EndUnroll();
        BeginUnroll();
    }

    private void EndUnroll()
    {
        _weights!.Release();
        _weights = null;
        _ledger.Send(_unroll!.Id.Sequence, _unroll, Context.System.Scheduler.MonotonicClock);
        _replay.Tell(new InsertUnroll(_unroll));
        _unroll = null;
    }

    private void OnCreditReturned(CreditReturned message)
    {
        if (message.Id.Worker != _worker || message.Id.Incarnation != _incarnation) return;
        if (_ledger.Close(message.Id.Sequence, message.Outcome) is not { } buffers) return;
        _free.Push(buffers);
        _credits++;
        // A full table means a learner in trouble: collecting at once would only take the cores that it needs.
        if (message.Outcome != UnrollOutcome.TableFull) BeginUnroll();
    }

    private void OnExpireCredits()
    {
        _credits += _ledger.Expire(Context.System.Scheduler.MonotonicClock - _setup.CreditTimeout);
        BeginUnroll();
    }

    private void Report()
    {
        var report = new WorkerReport(
            _worker, _incarnation, _ledger.Sent, _ledger.Consumed, _ledger.Lost, _ledger.Count(UnrollOutcome.WrongShape),
            _ledger.Count(UnrollOutcome.TableFull), _ledger.Count(UnrollOutcome.Duplicate), _ledger.Count(UnrollOutcome.StaleIncarnation), NotFinite: 0);
        _setup.Reported?.Invoke(report);
        _observer.Tell(report);
    }

    private sealed record Continue
    {
        public static readonly Continue Instance = new();
    }

    private sealed record Register
    {
        public static readonly Register Instance = new();
    }

    private sealed record ReportDue
    {
        public static readonly ReportDue Instance = new();
    }

    private sealed record ExpireCredits
    {
        public static readonly ExpireCredits Instance = new();
    }
}
