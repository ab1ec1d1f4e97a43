using Akka.Actor;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Actors;

/// <summary>Is responsible for a node's workers: starts them, restarts one that fails, and gives up with the reason
/// when one keeps failing.</summary>
public sealed class WorkerPool : ReceiveActor
{
    /// <summary>The dispatcher on which each worker has a thread of its own.</summary>
    public const string Dispatcher = "rl.worker-dispatcher";

    private const int MaxRestarts = 5;
    private static readonly TimeSpan RestartWindow = TimeSpan.FromMinutes(1);

    private readonly Func<WorkerIdentity, Props> _worker;
    private readonly IReadOnlyList<WorkerIdentity> _identities;
    private Exception? _lastFailure;

    /// <param name="worker">Makes a worker.</param>
    /// <param name="identities">One a worker; they outlive the pool.</param>
    public WorkerPool(Func<WorkerIdentity, Props> worker, IReadOnlyList<WorkerIdentity> identities)
    {
        (_worker, _identities) = (worker, identities);
        Receive<Terminated>(message => throw new WorkerFailedException(
            $"Worker '{message.ActorRef.Path.Name}' failed {MaxRestarts + 1} times within {RestartWindow.TotalSeconds:0} s; "
            + $"the last failure of a worker: {_lastFailure?.Message}", _lastFailure));
    }

    protected override void PreStart()
    {
        foreach (var identity in _identities)
            Context.Watch(Context.ActorOf(_worker(identity).WithDispatcher(Dispatcher), $"worker-{identity.Index}"));
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(MaxRestarts, RestartWindow, Decide);

    private Directive Decide(Exception reason)
    {
        _lastFailure = reason;
        return IsFinal(reason) ? Directive.Escalate : Directive.Restart;
    }

    /// <summary>Whether another incarnation would not help: one that cannot even be made, or environments that have given up after more
    /// failures than they were to bear, however long these took.</summary>
    internal static bool IsFinal(Exception reason) => reason is ActorInitializationException or EnvironmentException { IsFinal: true };
}

/// <summary>A worker keeps failing; the run cannot have the workers that it was to have.</summary>
public sealed class WorkerFailedException(string message, Exception? inner) : Exception(message, inner);
