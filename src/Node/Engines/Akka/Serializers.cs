using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Akka.Cluster.Serialization;
using Akka.Dispatch.SysMsg;
using Akka.Remote.Serialization;
using Akka.Serialization;
using Rl.Distributed.Node.Clustering;

namespace Rl.Distributed.Node.Engines;

/// <summary>Which serializers a node has: an own one in every place that the packages fill.</summary>
/// <remarks>
/// In 1.5.30 a peer chooses the serializer by its number, and many of the packages' own load a type by a name from the
/// network: JSON, protobuf, exceptions, remote deployment, delivery. So each number of theirs is either refused, or let
/// through for the messages that membership, remote watch, selections and their failure detectors are made of. That also
/// refuses remote deployment, and a peer's PoisonPill, Kill, and commands of a supervisor.
/// </remarks>
internal static class Serializers
{
    /// <summary>Replaces the packages' serializers under their own names, so that their bindings lead to these.</summary>
    public static SerializationSetup Create(NodeEndpoint endpoint) => SerializationSetup.Create(system =>
    {
        // Part of every message of the cluster: a node of another cluster or of another wire version cannot join.
        var prefix = string.Create(CultureInfo.InvariantCulture, $"{endpoint.ClusterName}:{WireTable.Version}:");
        return
        [
            Entry("wire", new WireSerializer(system, endpoint.Wire), typeof(object)),
            Entry("null", new NullSerializer(system)),
            Refused("json", "JSON", 1),
            Refused("proto", "A protobuf message", 2),
            Refused("daemon-create", "Remote deployment", 3),
            Refused("bytes", "A bare byte array", 4),
            Refused("reliable-delivery", "Akka.Delivery", 36),
            Entry("akka-containers", new GuardedSerializer(system, new MessageContainerSerializer(system), typeof(ActorSelectionMessage))),
            Entry("akka-misc", new GuardedSerializer(system, new MiscMessageSerializer(system), "", "ID", "AID", "RWHB", "RWHR")),
            Entry("akka-system-msg", new GuardedSerializer(
                system, new SystemMessageSerializer(system), typeof(Watch), typeof(Unwatch), typeof(DeathWatchNotification))),
            Entry("akka-cluster", new GuardedSerializer(
                system, new ClusterMessageSerializer(system), prefix,
                Internal("Join"), Internal("Welcome"), Internal("InitJoin"), Internal("InitJoinAck"), Internal("InitJoinNack"),
                Internal("ExitingConfirmed"), "Akka.Cluster.ClusterUserAction+Leave, Akka.Cluster",
                "Akka.Cluster.ClusterUserAction+Down, Akka.Cluster", "Akka.Cluster.GossipStatus, Akka.Cluster",
                "Akka.Cluster.GossipEnvelope, Akka.Cluster", "HB", "HBR")),
        ];

        SerializerDetails Refused(string alias, string what, int id) => Entry(alias, new RefusingSerializer(system, what, id));
    });

    private static string Internal(string name) => $"Akka.Cluster.InternalClusterAction+{name}, Akka.Cluster";

    private static SerializerDetails Entry(string alias, Serializer serializer, params ReadOnlySpan<Type> bound) =>
        SerializerDetails.Create(alias, serializer, ImmutableHashSet.Create(bound));
}
