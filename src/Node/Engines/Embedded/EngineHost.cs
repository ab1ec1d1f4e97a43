using Akka.Actor;
using Rl.Distributed.Actors;
using Rl.Distributed.Node.Training;
using Rl.Distributed.Runtime;
using Serilog;

namespace Rl.Distributed.Node.Engines;

/// <summary>Starts the embedded engine.</summary>
internal static class EngineHost
{
    /// <summary>As <c>-p:Engine</c> names it.</summary>
    public const string Name = "embedded";

    private const string SystemName = "rl";

    private static readonly EmbeddedEngine.Options Options = new()
    {
        Dispatchers = new Dictionary<string, EmbeddedEngine.DispatcherKind>
        {
            [WorkerPool.Dispatcher] = EmbeddedEngine.DispatcherKind.Pinned,
            [RunCoordinator.LearnerDispatcher] = EmbeddedEngine.DispatcherKind.Pinned,
        },
    };

    /// <summary>An actor system on threads, which logs to <paramref name="logger"/>.</summary>
    public static ActorSystem Create(ILogger logger) => WithLog(EmbeddedEngine.Create(SystemName, Options), logger);

    /// <summary>An actor system on the simulation's one thread.</summary>
    public static ActorSystem Create(EmbeddedEngine.Simulation simulation, ILogger logger) =>
        WithLog(simulation.CreateSystem(SystemName, Options), logger);

    private static ActorSystem WithLog(ActorSystem system, ILogger logger)
    {
        system.ActorOf(Props.Create(() => new LogBridge(logger)), "log");
        return system;
    }
}
