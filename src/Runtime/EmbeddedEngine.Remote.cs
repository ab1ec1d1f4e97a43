using System.Buffers;

namespace Rl.Distributed.Runtime;

public static partial class EmbeddedEngine
{
    /// <summary>The program's messages as bytes: a fixed table from id to codec. Nothing that is received names a type.</summary>
    /// <remarks>Thread-safe. Ids are small numbers above zero and mean the same on all nodes of one <see cref="Version"/>.</remarks>
    public interface IWireFormat
    {
        /// <summary>Nodes of different versions refuse each other, with both numbers.</summary>
        int Version { get; }

        /// <summary>False where the message has no codec: it must not leave its process.</summary>
        bool TryGetId(object message, out int id);

        /// <summary>Appends the message. Large arrays may be handed over by reference: they must not change until the
        /// message has left.</summary>
        void Write(int id, object message, IBufferWriter<byte> output);

        /// <summary>The message of these bytes, all of them. It keeps none of them: after the call they are used again.</summary>
        /// <exception cref="Exception">They are no such message. The frame is rejected and counted, nothing else happens.</exception>
        object Read(int id, in ReadOnlySequence<byte> body);
    }

    /// <summary>Bytes of one kind of message between a system and another one, since it began; headers do not count.</summary>
    /// <param name="Peer">The other system.</param>
    /// <param name="MessageId">As <see cref="IWireFormat"/> has it; 0 for the engine's own.</param>
    /// <param name="Sent">In bytes.</param>
    /// <param name="Received">In bytes.</param>
    public readonly record struct Traffic(Akka.Actor.Address Peer, int MessageId, long Sent, long Received);

    /// <summary>What a system has exchanged with others. Any thread may ask.</summary>
    public static IEnumerable<Traffic> TrafficOf(Akka.Actor.ActorSystem system) =>
        (system as Engine.EmbeddedSystem)?.Hub is { } hub
            ? hub.Peers.SelectMany(peer => peer.Meter.Used.Select(id => new Traffic(
                peer.Address, Math.Max(0, id - Remote.RemoteHub.FirstProgramId), peer.Meter.SentOf(id), peer.Meter.ReceivedOf(id))))
            : [];

    /// <summary>How a system is reached by others, and whom it lets in. Without it a system stays in its process.</summary>
    public sealed record RemoteOptions
    {
        /// <summary>The program's messages.</summary>
        public required IWireFormat Wire { get; init; }

        /// <summary>Interface to listen on.</summary>
        public string BindHost { get; init; } = "127.0.0.1";

        /// <summary>Port to listen on; 0: any free one.</summary>
        public int BindPort { get; init; }

        /// <summary>The name or number under which others reach this system; null: <see cref="BindHost"/>.</summary>
        public string Host { get; init; }

        /// <summary>The port under which others reach it; null: the one that it listens on.</summary>
        public int? Port { get; init; }

        /// <summary>Systems of different clusters refuse each other.</summary>
        public string ClusterName { get; init; } = "rl";

        /// <summary>What this node does in the cluster, as <c>Member.Roles</c> has it.</summary>
        public IReadOnlyList<string> Roles { get; init; } = [];

        /// <summary>Where a cluster splits, the side with the oldest member of this role stays; the other downs itself.</summary>
        public string KeepRole { get; init; } = "learner";

        /// <summary>Both sides prove that they know it; empty: none is asked for.</summary>
        public ReadOnlyMemory<byte> Secret { get; init; }

        /// <summary>Encrypts all connections, and proves both sides by certificates; null: none does.</summary>
        public TlsOptions Tls { get; init; }

        /// <summary>A peer from which nothing came for this long, heartbeats included, is unreachable.</summary>
        public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromSeconds(3);

        /// <summary>A peer whose connection broke has this long to be connected again before it is unreachable.</summary>
        public TimeSpan ReconnectGrace { get; init; } = TimeSpan.FromMilliseconds(300);

        /// <summary>How long the cluster's authority waits for an unreachable member before it removes it.</summary>
        public TimeSpan DownAfter { get; init; } = TimeSpan.FromMilliseconds(200);

        /// <summary>How long a member goes on without its cluster's authority before it ends. Longer than <see cref="DownAfter"/>
        /// by more than the two may differ in noticing the loss, so that the authority's side decides first.</summary>
        public TimeSpan LostAuthorityLimit { get; init; } = TimeSpan.FromSeconds(2);

        /// <summary>How long a first seed looks for a cluster that lives on before it founds one; above one second, as clusters
        /// call their absent seeds once a second.</summary>
        public TimeSpan FoundingGrace { get; init; } = TimeSpan.FromMilliseconds(1500);

        /// <summary>Bytes of the largest message; a larger one is not sent, and refused.</summary>
        public int MaxMessageBytes { get; init; } = 256 << 20;

        /// <summary>Bytes that may wait for one peer. What does not fit is dropped, counted and logged.</summary>
        public long MaxQueuedBytes { get; init; } = 512L << 20;

        /// <summary>Connections at once, those included that this system makes; more are closed at once.</summary>
        public int MaxConnections { get; init; } = 1024;

        /// <summary>Connections at once that have not come through the handshake; one more, and the oldest is closed.</summary>
        public int MaxHandshakes { get; init; } = 64;

        /// <summary>For connecting, and for the handshake.</summary>
        public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);
    }

    /// <summary>Certificates for both directions of a connection, each in a PEM file. They are read once, at the start.</summary>
    /// <param name="CertificatePem">This node's certificate, followed by those between it and the authority, if any.</param>
    /// <param name="KeyPem">Its private key, not encrypted.</param>
    /// <param name="CaPem">The cluster's own authority, one certificate or more: whoever has a certificate of it is a member, under
    /// any name and address.</param>
    public sealed record TlsOptions(string CertificatePem, string KeyPem, string CaPem);
}
