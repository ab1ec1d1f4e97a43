using Akka.Actor;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Environments;
using Rl.Distributed.Runtime;
using Serilog;

namespace Rl.Distributed.Node.Engines;

/// <summary>A machine at one address on which actor processes run, one after the other.</summary>
/// <param name="simulation">The world.</param>
/// <param name="address">Its address.</param>
/// <param name="seed">The address of the leading node.</param>
/// <param name="workers">Workers that it has room for.</param>
/// <param name="logger">For its log.</param>
/// <param name="starting">Told when a process begins.</param>
/// <param name="shards">Shards that it has room for.</param>
internal sealed class SimulatedActorProcess(
    EmbeddedEngine.Simulation simulation, HostPort address, HostPort seed, int workers, ILogger logger, Action<string> starting,
    int shards = 0)
{
    private Life? _life;

    public string Name => address.Host;

    /// <summary>The present system, also one that is about to leave; null where none runs.</summary>
    public ActorSystem? System => _life is { IsDead: false, System: { WhenTerminated.IsCompleted: false } system } ? system : null;

    /// <summary>A process runs and is to go on.</summary>
    public bool IsRunning => _life is { IsDead: false, Stop.IsCancellationRequested: false };

    public bool HasEnded => _life is null or { IsDead: true } or { Work.IsCompleted: true };

    /// <summary>Why the process ended by itself, which it must not; null: it did not.</summary>
    public Exception? Failure => _life is { IsDead: false, Work.IsFaulted: true } life ? life.Work.Exception!.GetBaseException() : null;

    /// <summary>A new process, which remembers nothing.</summary>
    public void Start()
    {
        starting(Name);
        var life = _life = new Life();
        var endpoint = new NodeEndpoint { Listen = address, Seeds = [seed], Roles = [NodeRoles.Actor] };
        var node = new ActorNode(
            log => life.IsDead
                ? throw new OperationCanceledException("The machine is off.")
                : life.System = EngineHost.Create(simulation, log, endpoint),
            [seed], new NodeRoom(workers, shards), KnownEnvironments.Foreign(), logger, simulation.TimeProvider);
        life.Work = node.RunAsync(life.Stop.Token);
    }

    /// <summary>The machine loses its power.</summary>
    public void Crash(bool silent)
    {
        if (_life is not { IsDead: false } life) return;
        life.IsDead = true;
        if (life.System is { } system) simulation.Crash(system, silent);
    }

    /// <summary>The process is asked to end in good order.</summary>
    /// <returns>Ends when it has.</returns>
    public Task LeaveAsync()
    {
        if (_life is not { IsDead: false } life) return Task.CompletedTask;
        life.Stop.Cancel();
        return life.Work;
    }

    private sealed class Life
    {
        public CancellationTokenSource Stop { get; } = new();

        public Task Work { get; set; } = Task.CompletedTask;

        public ActorSystem? System { get; set; }

        public bool IsDead { get; set; }
    }
}
