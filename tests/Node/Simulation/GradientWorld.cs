using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;
using Rl.Distributed.Node.RunDirectory;
using Rl.Distributed.Node.Training;
using Rl.Distributed.Runtime;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Rl.Distributed.Node.Tests.Simulation;

/// <summary>A simulated cluster with a small run whose learners send gradients: a node that leads, and others.</summary>
internal sealed class GradientWorld : ILogEventSink
{
    private static readonly HostPort Address = new("10.0.0.1", 4053);

    private readonly string _algorithm;
    private readonly ILogger _logger;

    public GradientWorld(string algorithm, ulong seed, long frames, params string[] more)
    {
        _algorithm = algorithm;
        string[] words = [
            "network.hidden=[16]", "parameterServer.chunkKilobytes=1", "parameterServer.publishMilliseconds=20", "workers.creditTimeoutSeconds=1",
            $"frames={frames}", $"seed={seed}",
            .. algorithm switch
            {
                "a3c" or "a2c" => Array.Empty<string>(),
                "gorila" => ["learner.targetInterval=50", "learner.replayStart=40", "learner.replayCapacity=400", "learner.batchSize=4", "environment.name=catch", "network.torso=mlp"],
                _ => ["learner.targetInterval=1000"],
            },
            .. more];
        Config = ConfigLoader.Load(algorithm == "gorila" ? "gorila-breakout" : $"{algorithm}-cartpole", [.. words.Select(ConfigOverride.Parse)]);
        _logger = new LoggerConfiguration().WriteTo.Sink(this).CreateLogger();
        Simulation = EmbeddedEngine.Simulate(seed);
        Simulation.MessageCost = TimeSpan.FromMilliseconds(2);
    }

    public TrainingConfig Config { get; set; }

    public EmbeddedEngine.Simulation Simulation { get; }

    public List<SimulatedActorProcess> Nodes { get; } = [];

    /// <summary>What the leading node logged.</summary>
    public List<string> Log { get; } = [];

    public ActorSystem Leader { get; private set; } = null!;

    public IActorRef Coordinator { get; private set; } = ActorRefs.Nobody;

    public AsyncState State { get; private set; } = null!;

    public RunWatcher Run { get; private set; } = new();

    /// <summary>The last checkpoint, and the updates in it.</summary>
    public SavedRun? Saved { get; private set; }

    /// <summary>Two nodes with a learner each.</summary>
    public void Act()
    {
        while (Nodes.Count < 2) AddNode(workers: 1);
        foreach (var node in Nodes) node.Start();
    }

    public SimulatedActorProcess AddNode(int workers, int shards = 0)
    {
        var node = new SimulatedActorProcess(
            Simulation, new HostPort($"10.0.0.{Nodes.Count + 2}", 4053), Address, workers, Logger.None, _ => { }, shards);
        Nodes.Add(node);
        return node;
    }

    public void Lead(int localWorkers = 0, SavedRun? resume = null, int? localShards = null)
    {
        var endpoint = new NodeEndpoint { Listen = Address, Roles = NodeRoles.Leading };
        var run = Run = new RunWatcher();
        var plan = AsyncRunPlan.Create(
            Config,
            new TrainingRunOptions
            {
                Endpoint = endpoint,
                LocalWorkers = localWorkers,
                LocalShards = localShards,
                RunId = "run",
                Resume = resume is null ? null : new LoadedCheckpoint(resume.Checkpoint, "", 0),
            },
            SequentialRunner.Instance,
            (checkpoint, _) =>
            {
                Saved = new SavedRun(checkpoint, checkpoint.Tensor("counters").Int64s[1]);
                return Task.CompletedTask;
            });
        State = plan.State;
        var system = Leader = EngineHost.Create(Simulation, _logger, endpoint);
        Akka.Cluster.Cluster.Get(system).JoinSeedNodes([EngineHost.AddressOf(Address)]);
        Coordinator = system.ActorOf(Props.Create(() => new RunCoordinator(plan, run)), RunCoordinator.Name);
    }

    /// <summary>The same run in one process, to its end.</summary>
    public AsyncState Alone(int learners)
    {
        var run = Run = new RunWatcher();
        var plan = AsyncRunPlan.Create(
            Config, new TrainingRunOptions { LocalWorkers = learners }, SequentialRunner.Instance, (_, _) => Task.CompletedTask);
        State = plan.State;
        EngineHost.Create(Simulation, _logger).ActorOf(Props.Create(() => new RunCoordinator(plan, run)), RunCoordinator.Name);
        Until(() => run.End is not null);
        return plan.State;
    }

    public void Until(Func<bool> condition) => Assert.True(
        Simulation.RunUntil(() => Run.Failure is not null || condition(), TimeSpan.FromMinutes(5)) && Run.Failure is null,
        $"{Run.Failure} {State.Frames} frames, {State.Shared.Updates} updates, {State.Gradients.Applied} of other nodes, {Run.Nodes} nodes of {_algorithm}\n"
            + string.Join('\n', Log.TakeLast(30)));

    /// <summary>Stops the run and waits for its end.</summary>
    public void End()
    {
        Coordinator.Tell(StopTraining.Instance);
        Until(() => Run.End is not null);
    }

    /// <summary>Each update has the frames of a segment, whoever made it.</summary>
    public void AssertAddsUp() => Assert.Equal(State.Shared.Frames, State.Shared.Updates * Config.Workers.UnrollLength);

    void ILogEventSink.Emit(LogEvent logEvent) => Log.Add(logEvent.RenderMessage());
}

internal sealed record SavedRun(Checkpoint Checkpoint, long Updates);

internal sealed class RunWatcher : IRunWatcher
{
    public int Nodes { get; private set; }

    public int MostNodes { get; private set; }

    public TrainingFinished? End { get; private set; }

    public Exception? Failure { get; private set; }

    public void OnReport(LearnerReport report)
    {
    }

    public void OnReport(WorkerReport report)
    {
    }

    public void OnWorkers(WorkerRoster roster) => (Nodes, MostNodes) = (roster.Nodes, Math.Max(MostNodes, roster.Nodes));

    public void OnFinished(TrainingFinished end) => End ??= end;

    public void OnFailed(Exception reason) => Failure ??= reason;
}
