using Akka.Actor;
using Akka.Cluster;
using Rl.Distributed.Actors;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Evaluation;
using Rl.Distributed.Node.Threading;

namespace Rl.Distributed.Node.Training;

/// <summary>Trains an agent in this process: what <c>rl train</c> does, as a library call.</summary>
public static class TrainingRun
{
    private static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(2);

    /// <summary>Trains, and writes nothing to disk.</summary>
    public static Task<TrainingResult> RunAsync(TrainingConfig config, CancellationToken cancellationToken = default) =>
        RunAsync(config, new TrainingRunOptions(), cancellationToken);

    /// <summary>Trains until the configured frames are done or the token is cancelled; then saves a checkpoint and returns.</summary>
    /// <exception cref="ArgumentException">Environment, network and batches cannot be made as configured.</exception>
    /// <exception cref="NotSupportedException">A deterministic run on an engine that has no simulation.</exception>
    /// <exception cref="WorkerFailedException">A worker failed again and again.</exception>
    /// <exception cref="TrainingDivergedException">The loss became infinite or no number.</exception>
    /// <exception cref="NodeRemovedException">The cluster went on without this node.</exception>
    /// <exception cref="Core.Checkpoints.CheckpointFormatException">The checkpoint to resume from does not fit.</exception>
    public static async Task<TrainingResult> RunAsync(
        TrainingConfig config, TrainingRunOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(options);
        var clock = TimeProvider.System;
        using var failures = KnownEnvironments.LogFailures(options.Logger);
        if (options.Deterministic)
        {
            if (SimulatedHost.Missing is { } reason) throw new NotSupportedException(reason);
            var plan = RunPlan.Create(config, options, SequentialRunner.Instance, SaveAndWait(options));
            options.Started?.Invoke();
            var meter = new ProgressMeter(
                config, options, plan, clock, requestCheckpoint: null, TrainingEvaluation.Create(config, options, plan, cancellationToken));
            SimulatedHost.Run(plan, meter, config.Seed, options.Logger, cancellationToken);
            return await meter.ResultAsync().ConfigureAwait(false);
        }
        using var runner = new ThreadedRunner(RunPlan.Lanes(config));
        var threaded = RunPlan.Create(config, options, runner, Save(options));
        return await RunOnThreadsAsync(config, options, threaded, clock, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<TrainingResult> RunOnThreadsAsync(
        TrainingConfig config, TrainingRunOptions options, RunPlan plan, TimeProvider clock, CancellationToken cancellationToken)
    {
        var system = EngineHost.Create(options.Logger, options.Endpoint);
        // An evaluation ends with its run, however that ends.
        using var evaluating = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            options.Live?.Started(system);
            options.Started?.Invoke();
            IActorRef coordinator = ActorRefs.Nobody;
            var meter = new ProgressMeter(
                config, options, plan, clock, () => coordinator.Tell(SaveCheckpoint.Instance),
                TrainingEvaluation.Create(config, options, plan, evaluating.Token));
            if (options.Endpoint is { } endpoint) Join(system, endpoint, meter);
            coordinator = system.ActorOf(Props.Create(() => new RunCoordinator(plan, meter)), RunCoordinator.Name);
            await using var stop = cancellationToken.Register(() => coordinator.Tell(StopTraining.Instance)).ConfigureAwait(false);
            return await meter.ResultAsync().ConfigureAwait(false);
        }
        finally
        {
            await evaluating.CancelAsync().ConfigureAwait(false);
            await EndAsync(system, options.Endpoint, clock).ConfigureAwait(false);
        }
    }

    // The node that leads a run is the first that others ask for the cluster, unless it is told of others.
    internal static void Join(ActorSystem system, NodeEndpoint endpoint, ProgressMeter meter)
    {
        var cluster = Cluster.Get(system);
        cluster.RegisterOnMemberRemoved(() => meter.OnFailed(
            new NodeRemovedException("This node was removed from its cluster: the others could not reach it, or another node leads a run there.")));
        cluster.JoinSeedNodes(endpoint.Seeds.Count == 0 ? [cluster.SelfAddress] : endpoint.Seeds.Select(EngineHost.AddressOf));
    }

    /// <summary>Ends the system of a run; others hear that it leaves, if it can be said in time.</summary>
    internal static async Task EndAsync(ActorSystem system, NodeEndpoint? endpoint, TimeProvider clock)
    {
        if (endpoint is not null && !system.WhenTerminated.IsCompleted)
            await Task.WhenAny(Cluster.Get(system).LeaveAsync(), Task.Delay(LeaveLimit, clock, CancellationToken.None)).ConfigureAwait(false);
        // An environment that hangs keeps its worker, but not the process: the last checkpoint is written.
        await Task.WhenAny(system.Terminate(), Task.Delay(LeaveLimit, clock, CancellationToken.None)).ConfigureAwait(false);
    }

    private static CheckpointWriter Save(TrainingRunOptions options) =>
        (checkpoint, frames) => options.Checkpoints?.SaveAsync(checkpoint, frames) ?? Task.CompletedTask;

    // On the simulation's one thread, so that the order of its messages does not depend on the disk.
    private static CheckpointWriter SaveAndWait(TrainingRunOptions options) => (checkpoint, frames) =>
    {
        options.Checkpoints?.SaveAsync(checkpoint, frames).GetAwaiter().GetResult();
        return Task.CompletedTask;
    };
}

/// <summary>The node that leads a run is no member of its cluster any more: it cannot go on, a new process can.</summary>
public sealed class NodeRemovedException(string message) : Exception(message);
