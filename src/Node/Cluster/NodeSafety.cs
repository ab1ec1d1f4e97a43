using System.Net;
using System.Net.Sockets;
using System.Text;
using Rl.Distributed.Node.Configuration;

namespace Rl.Distributed.Node.Clustering;

/// <summary>The secret that the nodes of a cluster share.</summary>
/// <param name="Bytes">Empty where there is none.</param>
/// <param name="Warning">What the user should know about how it is kept; null: nothing.</param>
internal sealed record NodeSecret(ReadOnlyMemory<byte> Bytes, string? Warning);

/// <summary>Rules that keep strangers out of a run.</summary>
internal static class NodeSafety
{
    public const string SecretVariable = "RL_SECRET";
    public const int MinSecretBytes = 16, MaxSecretBytes = 4096;

    private const string HowToMake = "Make one with `(umask 077; openssl rand -hex 32 > secret.txt)` and give the same to all nodes.";

    /// <summary>The secret from a file, or else from the environment variable; the newline at its end does not count.</summary>
    /// <param name="file">As given by --secret-file; null where it was not.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <exception cref="ConfigException">The file cannot be read, or the secret is too short or far too long.</exception>
    public static NodeSecret ReadSecret(string? file, Func<string, string?> variable)
    {
        if (file is not null)
        {
            var (content, mode) = ReadFile(file);
            return new NodeSecret(Checked(content, $"The secret in '{file}'"), WarnOf(file, mode));
        }
        return variable(SecretVariable) is { Length: > 0 } text
            ? new NodeSecret(Checked(Encoding.UTF8.GetBytes(text), $"The secret in {SecretVariable}"), null)
            : new NodeSecret(ReadOnlyMemory<byte>.Empty, null);
    }

    /// <summary>Refuses to be reached from other machines by everybody.</summary>
    /// <param name="host">Name or number of the interface to listen on.</param>
    /// <param name="isProtected">There is a secret, or TLS with certificates on both sides.</param>
    /// <param name="isInsecure">The user said --insecure.</param>
    /// <param name="canBeProtected">The engine knows secrets.</param>
    /// <param name="resolve">Addresses of a name; throws SocketException where there are none.</param>
    /// <exception cref="ConfigException">The host is unknown, or more than loopback and neither protected nor said to be insecure.</exception>
    public static void CheckBind(string host, bool isProtected, bool isInsecure, bool canBeProtected, Func<string, IPAddress[]> resolve)
    {
        if (isProtected || isInsecure || IsLoopback(host, resolve)) return;
        throw new ConfigException(
            $"Listening on {host} without a secret would let anybody who reaches this machine join the run, read its data and steer it. "
            + (canBeProtected
                ? $"Give a secret with --secret-file PATH or in {SecretVariable}; {char.ToLowerInvariant(HowToMake[0])}{HowToMake[1..]} Or listen"
                : "This build's engine has no secrets: listen")
            + " on 127.0.0.1. Or say --insecure, if nobody else can reach this network.");
    }

    /// <summary>All that the host stands for is this machine, seen from itself.</summary>
    /// <exception cref="ConfigException">The host is unknown.</exception>
    public static bool IsLoopback(string host, Func<string, IPAddress[]> resolve)
    {
        if (IPAddress.TryParse(host, out var address)) return IsLoopback(address);
        try
        {
            var addresses = resolve(host);
            return addresses.Length > 0 && addresses.All(IsLoopback);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new ConfigException($"'{host}' is no address to listen on: {e.Message}", e);
        }
    }

    private static bool IsLoopback(IPAddress address) =>
        IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    private static (byte[] Content, UnixFileMode Mode) ReadFile(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            // A little more than is allowed, so that a wrong file shows, however large.
            var content = new byte[MaxSecretBytes + 3];
            var count = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return (content[..count], OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(stream.SafeFileHandle));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ConfigException($"The secret cannot be read: {e.Message} {HowToMake}", e);
        }
    }

    private static ReadOnlyMemory<byte> Checked(byte[] content, string what)
    {
        var secret = content.AsMemory().TrimEnd("\r\n"u8);
        if (secret.Length > MaxSecretBytes) throw new ConfigException($"{what} has more than {MaxSecretBytes} bytes: is it the right one?");
        return secret.Length >= MinSecretBytes
            ? secret
            : throw new ConfigException($"{what} has {secret.Length} bytes, at least {MinSecretBytes} are needed. {HowToMake}");
    }

    internal static string? WarnOf(string path, UnixFileMode mode)
    {
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        // Containers find their secrets there, with a mode that somebody else chose; nobody else is in the container.
        var isContainers = path.StartsWith("/run/secrets/", StringComparison.Ordinal);
        return (mode & others) == 0 || isContainers ? null : $"The secret in '{path}' can be read by other users of this machine: `chmod 600 {path}`.";
    }
}
