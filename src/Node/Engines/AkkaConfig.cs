using System.Globalization;
using System.Text;
using Rl.Distributed.Actors;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Engines;

/// <summary>Akka.NET's configuration (HOCON) as text. It needs no package, so that every build can test it.</summary>
internal static class AkkaConfig
{
    /// <summary>Bytes of the largest message, its envelope included; the same on all nodes, or associations break.</summary>
    public const int MaxFrameBytes = 8 << 20;

    /// <summary>A system that stays in its process. What it logs, the program's own subscriber takes from the event stream.</summary>
    public static string Local => Common("local");

    /// <summary>A member of a cluster.</summary>
    /// <remarks>
    /// A peer that falls silent is unreachable after two seconds and what the detector adds to that, which is about two. Where a cluster splits, the side without
    /// the oldest learner downs itself, which ends its system; it waits a second for that, so that all of a side have seen
    /// the same. A member that is down holds up the end of a system for two seconds, not for ten.
    /// </remarks>
    public static string Remote(NodeEndpoint endpoint) => Common("cluster") + $$"""

        akka {
          remote {
            dot-netty.tcp {
              hostname = {{Quoted(endpoint.Listen.Host)}}
              port = {{endpoint.Listen.Port}}
              public-hostname = {{Quoted((endpoint.Advertise ?? endpoint.Listen).Host)}}
              public-port = {{endpoint.Advertise?.Port ?? 0}}
              maximum-frame-size = {{MaxFrameBytes}}b
              send-buffer-size = {{MaxFrameBytes}}b
              receive-buffer-size = {{MaxFrameBytes}}b
              connection-timeout = 5s
            }
            retry-gate-closed-for = 500ms
            shutdown-timeout = 2s
            flush-wait-on-shutdown = 1s
            watch-failure-detector {
              heartbeat-interval = 500ms
              acceptable-heartbeat-pause = 3s
            }
          }
          cluster {
            roles = [{{string.Join(", ", endpoint.Roles.Select(Quoted))}}]
            gossip-interval = 200ms
            leader-actions-interval = 200ms
            periodic-tasks-initial-delay = 200ms
            unreachable-nodes-reaper-interval = 500ms
            seed-node-timeout = 2s
            retry-unsuccessful-join-after = 2s
            allow-weakly-up-members = off
            run-coordinated-shutdown-when-down = on
            failure-detector {
              heartbeat-interval = 500ms
              acceptable-heartbeat-pause = 2s
            }
            down-removal-margin = 500ms
            downing-provider-class = "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster"
            split-brain-resolver {
              active-strategy = keep-oldest
              stable-after = 1s
              down-all-when-unstable = off
              keep-oldest {
                down-if-alone = off
                role = {{Quoted(NodeRoles.Learner)}}
              }
            }
          }
          coordinated-shutdown {
            exit-clr = off
            run-by-clr-shutdown-hook = off
            default-phase-timeout = 2s
            phases {
              cluster-leave.timeout = 2s
              cluster-exiting.timeout = 2s
              actor-system-terminate.timeout = 3s
            }
          }
        }
        """;

    private static string Common(string provider) => $$"""
        akka {
          stdout-loglevel = OFF
          loglevel = INFO
          loggers = []
          log-dead-letters = off
          log-serializer-override-on-start = off
          actor {
            provider = {{provider}}
            serialize-messages = off
            serialize-creators = off
          }
        }
        {{WorkerPool.Dispatcher}} { type = PinnedDispatcher }
        {{RunCoordinator.LearnerDispatcher}} { type = PinnedDispatcher }
        """;

    // As JSON has it: without this a host's name or a role could end its string and go on as configuration.
    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            if (c is '"' or '\\') quoted.Append('\\').Append(c);
            else if (char.IsControl(c)) quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else quoted.Append(c);
        }
        return quoted.Append('"').ToString();
    }
}
