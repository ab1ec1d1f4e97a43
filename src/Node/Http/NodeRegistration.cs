using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace Rl.Distributed.Node.Http;

/// <summary>A node of this machine and user, as its file says.</summary>
/// <param name="Admin">Where it serves its pages, on loopback: <c>http://127.0.0.1:port</c>.</param>
/// <param name="Address">As the other nodes of its cluster know it.</param>
internal sealed record RegisteredNode(int Pid, string Admin, string Address, DateTimeOffset Started);

/// <summary>The file by which other processes of this user find a node; it goes when this is disposed.</summary>
internal sealed class NodeRegistration : IDisposable
{
    private const UnixFileMode OnlyMe = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _path;

    private NodeRegistration(string path) => _path = path;

    /// <summary>Where nodes leave their files: the first folder that can be used. Readers look into all of them.</summary>
    public static IReadOnlyList<string> DefaultFolders { get; } =
    [
        .. Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } folder && Directory.Exists(folder)
            ? (string[])[Path.Combine(folder, "rl-distributed")]
            : [],
        Path.Combine(Path.GetTempPath(), $"rl-distributed-{string.Concat(Environment.UserName.Split(Path.GetInvalidFileNameChars()))}"),
    ];

    /// <summary>Leaves a file, which readers see whole or not at all.</summary>
    /// <exception cref="IOException">None of the folders can be used.</exception>
    public static NodeRegistration Write(RegisteredNode node, IReadOnlyList<string> folders)
    {
        var failures = new List<Exception>();
        foreach (var folder in folders)
        {
            try
            {
                Claim(folder);
                var path = Path.Combine(folder, $"{node.Pid}-{new Uri(node.Admin).Port}.json");
                File.WriteAllBytes($"{path}.new", JsonSerializer.SerializeToUtf8Bytes(node, NodeJson.Default.RegisteredNode));
                File.Move($"{path}.new", path, overwrite: true);
                return new NodeRegistration(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failures.Add(e);
            }
        }
        throw new IOException(string.Join(' ', failures.Select(failure => failure.Message)), failures[0]);
    }

    /// <summary>The nodes whose processes live. Files of others go on the way.</summary>
    public static IReadOnlyList<RegisteredNode> Find(IReadOnlyList<string> folders)
    {
        var found = new List<RegisteredNode>();
        foreach (var folder in folders)
        {
            try
            {
                if (!Directory.Exists(folder)) continue;
                Claim(folder);
                foreach (var path in Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal))
                {
                    if (Read(path) is not { } node) continue;
                    if (Lives(node)) found.Add(node);
                    else File.Delete(path);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A folder that is not ours holds nothing that we would believe.
            }
        }
        return found;
    }

    public void Dispose()
    {
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Readers find out by themselves that this process is gone.
        }
    }

    /// <summary>Makes the folder ours alone. Only its owner may set its mode: in a place where everybody writes,
    /// a folder that somebody else made fails here.</summary>
    private static void Claim(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }
        Directory.CreateDirectory(folder, OnlyMe);
        if (new DirectoryInfo(folder).LinkTarget is not null) throw new IOException($"{folder} is a link.");
        File.SetUnixFileMode(folder, OnlyMe);
    }

    /// <summary>Null where the file is no registration; whoever wrote it may be of another version, so it stays.</summary>
    private static RegisteredNode? Read(string path)
    {
        try
        {
            var node = JsonSerializer.Deserialize(File.ReadAllBytes(path), NodeJson.Default.RegisteredNode);
            return node is { Admin: not null, Address: not null } && Uri.TryCreate(node.Admin, UriKind.Absolute, out var admin)
                && admin is { Scheme: "http", IsLoopback: true } ? node : null;
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            return null;
        }
    }

    private static bool Lives(RegisteredNode node)
    {
        try
        {
            using var process = Process.GetProcessById(node.Pid);
            // A process that is younger than the file got the number of the one that wrote it. Start times are rounded.
            return process.StartTime.ToUniversalTime() < node.Started.UtcDateTime + TimeSpan.FromSeconds(2);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return false;
        }
        catch (Win32Exception)
        {
            // It is there, and will not say since when.
            return true;
        }
    }
}
