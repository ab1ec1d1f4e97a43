using Rl.Distributed.Actors;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Engines;

/// <summary>Akka.NET's configuration (HOCON) as text. It needs no package, so that every build can test it.</summary>
internal static class AkkaConfig
{
    /// <summary>A system that stays in its process. What it logs, the program's own subscriber takes from the event stream.</summary>
    public static string Local => $$"""
        akka {
          stdout-loglevel = OFF
          loglevel = INFO
          loggers = []
          log-dead-letters = off
          actor.provider = local
        }
        {{WorkerPool.Dispatcher}} { type = PinnedDispatcher }
        {{RunCoordinator.LearnerDispatcher}} { type = PinnedDispatcher }
        """;
}
