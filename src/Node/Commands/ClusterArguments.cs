using System.CommandLine;
using System.Net;
using Rl.Distributed.Node.Clustering;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;

namespace Rl.Distributed.Node.Commands;

/// <summary>The options of commands whose process is one node of several.</summary>
internal sealed class ClusterArguments
{
    private readonly Option<HostPort?> _listen = HostPortOption.ToListen(
        "--listen", "Where other nodes reach this one; makes it a node of a cluster.");
    private readonly Option<HostPort?> _advertise = HostPortOption.ToConnect(
        "--advertise",
        "Under which name and port others reach it; by default where it listens, and for 0.0.0.0 this machine's address towards --join, or its "
        + "name.");
    private readonly Option<string[]> _join = new("--join")
    {
        Description = "A node of the cluster to join. Repeatable.",
        HelpName = "host:port",
    };
    private readonly Option<string> _cluster = new("--cluster")
    {
        Description = "The cluster's name; nodes of another one are refused.",
        HelpName = "name",
        DefaultValueFactory = _ => "rl",
    };
    private readonly Option<string?> _secretFile = new("--secret-file")
    {
        Description = $"File with the secret that all nodes share, at least {NodeSafety.MinSecretBytes} bytes; "
            + $"or the variable {NodeSafety.SecretVariable}.",
        HelpName = "file",
    };
    private readonly Option<string?> _certificate = new("--tls-certificate")
    {
        Description = "PEM file with this node's certificate; connections are then encrypted. Goes with --tls-key and --tls-ca.",
        HelpName = "file",
    };
    private readonly Option<string?> _key = new("--tls-key")
    {
        Description = "PEM file with that certificate's private key.",
        HelpName = "file",
    };
    private readonly Option<string?> _authority = new("--tls-ca")
    {
        Description = "PEM file with the cluster's own authority: whoever has a certificate of it is a member.",
        HelpName = "file",
    };
    private readonly Option<bool> _insecure = new("--insecure")
    {
        Description = "Lets a node be reached from other machines without a secret: for networks that nobody else is in.",
    };
    private readonly Option<HostPort?> _http = HostPortOption.ToListen("--http", "Where to serve /health, /metrics and /cluster.");

    public void AddTo(Command command)
    {
        foreach (var option in Options) command.Options.Add(option);
    }

    /// <summary>Whether other nodes are meant to be there.</summary>
    public bool IsNode(ParseResult parsed) => parsed.GetValue(_listen) is not null || parsed.GetValue(_join) is { Length: > 0 };

    public HostPort? Http(ParseResult parsed) => parsed.GetValue(_http);

    /// <summary>How this node is reached.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="roles">What it does.</param>
    /// <param name="warn">Told what is allowed but unwise.</param>
    /// <param name="clock">For waiting until the name of a node to join is known.</param>
    /// <param name="cancellationToken">Ends that.</param>
    /// <exception cref="ConfigException">It would let strangers in, or an address or the secret is wrong.</exception>
    public async Task<NodeEndpoint> EndpointAsync(
        ParseResult parsed, IReadOnlyList<string> roles, Action<string> warn, TimeProvider clock, CancellationToken cancellationToken)
    {
        var listen = parsed.GetValue(_listen) ?? new HostPort("127.0.0.1", 0);
        var secret = NodeSafety.ReadSecret(parsed.GetValue(_secretFile), Environment.GetEnvironmentVariable);
        if (secret.Warning is { } warning) warn(warning);
        var certificates = Certificates(parsed);
        var isProtected = certificates is not null || !secret.Bytes.IsEmpty;
        NodeSafety.CheckBind(listen.Host, isProtected, parsed.GetValue(_insecure), EngineHost.HasSecrets, Dns.GetHostAddresses);
        IReadOnlyList<HostPort> seeds = [.. (parsed.GetValue(_join) ?? []).Select(HostPort.Parse)];
        if (parsed.GetValue(_listen) is null && seeds.FirstOrDefault(IsElsewhere) is { } elsewhere)
        {
            throw new ConfigException(
                $"{elsewhere} is not this machine's loopback, where this node would listen: give {_listen.Name} 0.0.0.0:0, so that others reach it.");
        }
        return new NodeEndpoint
        {
            Listen = listen,
            Advertise = parsed.GetValue(_advertise)
                ?? (listen.IsAny
                    ? listen with { Host = await OwnHost.FindAsync(seeds, seed => seed.Resolve(), warn, clock, cancellationToken) }
                    : null),
            Seeds = seeds,
            Roles = roles,
            ClusterName = parsed.GetValue(_cluster)!,
            Secret = secret.Bytes,
            Certificates = certificates,
        };
    }

    /// <summary>The options that were given, as they would be typed again.</summary>
    public IEnumerable<string> Given(ParseResult parsed) =>
        from option in Options
        where parsed.GetResult(option) is { Implicit: false }
        select string.Join(' ', [option.Name, .. parsed.GetResult(option)!.Tokens.Select(token => token.Value)]);

    /// <summary>A process that is no node of a cluster has no use for them.</summary>
    /// <exception cref="ConfigException">One was given.</exception>
    public void Refuse(ParseResult parsed)
    {
        if (Options.FirstOrDefault(option => option != _http && parsed.GetResult(option) is { Implicit: false }) is { } given)
            throw new ConfigException($"{given.Name} is for a run with other nodes: give {_listen.Name} HOST:PORT too, or leave it out.");
    }

    private System.CommandLine.Option[] Options =>
        [_listen, _advertise, _join, _cluster, _secretFile, _certificate, _key, _authority, _insecure, _http];

    private static bool IsElsewhere(HostPort seed)
    {
        try
        {
            return !NodeSafety.IsLoopback(seed.Host, Dns.GetHostAddresses);
        }
        catch (ConfigException)
        {
            return false; // a name that is not known yet
        }
    }

    private NodeCertificates? Certificates(ParseResult parsed) =>
        (parsed.GetValue(_certificate), parsed.GetValue(_key), parsed.GetValue(_authority)) switch
        {
            (null, null, null) => null,
            ({ } certificate, { } key, { } authority) => new NodeCertificates(certificate, key, authority),
            _ => throw new ConfigException(
                $"{_certificate.Name}, {_key.Name} and {_authority.Name} go together: all of them, or none. "
                + "docs/security.md tells how to make the files."),
        };
}
