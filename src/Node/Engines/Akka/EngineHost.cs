using Akka.Actor;
using Akka.Configuration;
using Rl.Distributed.Node.Training;
using Serilog;

namespace Rl.Distributed.Node.Engines;

/// <summary>Starts Akka.NET.</summary>
internal static class EngineHost
{
    /// <summary>As <c>-p:Engine</c> names it.</summary>
    public const string Name = "akka";

    private const string SystemName = "rl";

    /// <summary>An actor system on threads, which logs to <paramref name="logger"/>.</summary>
    public static ActorSystem Create(ILogger logger)
    {
        var system = ActorSystem.Create(SystemName, ConfigurationFactory.ParseString(AkkaConfig.Local));
        system.ActorOf(Props.Create(() => new LogBridge(logger)), "log");
        return system;
    }
}
