using Rl.Distributed.Replay;

namespace Rl.Distributed.Node.Clustering;

/// <summary>How a node is reached by others, and whom it lets in: what each engine's start-up makes its settings from.</summary>
internal sealed record NodeEndpoint
{
    public NodeEndpoint()
    {
        Unrolls = new UnrollPool();
        Wire = new WireTable(Unrolls);
    }

    /// <summary>Where it listens; port 0: any free one.</summary>
    public required HostPort Listen { get; init; }

    /// <summary>Under which host and port others reach it, port 0: the one where it listens; null: where it listens.</summary>
    public HostPort? Advertise { get; init; }

    /// <summary>Nodes that a joining node asks; empty: it founds a cluster.</summary>
    public IReadOnlyList<HostPort> Seeds { get; init; } = [];

    public IReadOnlyList<string> Roles { get; init; } = NodeRoles.All;

    /// <summary>Nodes of another cluster are refused.</summary>
    public string ClusterName { get; init; } = "rl";

    /// <summary>Both sides of a connection prove that they know it; empty: none.</summary>
    public ReadOnlyMemory<byte> Secret { get; init; }

    /// <summary>Encrypts all connections, and proves both sides by certificates; null: none does.</summary>
    public NodeCertificates? Certificates { get; init; }

    /// <summary>Buffers of unrolls that come over the network.</summary>
    public UnrollPool Unrolls { get; }

    /// <summary>The messages that cross it; reads into those buffers.</summary>
    public WireTable Wire { get; }
}

/// <summary>PEM files of a node whose connections are encrypted; docs/security.md tells how to make them.</summary>
/// <param name="Certificate">Its certificate.</param>
/// <param name="Key">The certificate's private key, not encrypted.</param>
/// <param name="Authority">The cluster's own authority: whoever has a certificate of it is a member.</param>
internal sealed record NodeCertificates(string Certificate, string Key, string Authority);
