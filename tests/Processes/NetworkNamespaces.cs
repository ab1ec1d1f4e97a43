using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Processes.Tests;

/// <summary>Networks that only this test is in: a hub and nodes, each behind a link of its own with a limited speed. They go with this.</summary>
/// <remarks>The hub has 10.99.0.1, the nodes 10.99.0.2 and so on.</remarks>
internal sealed partial class NetworkNamespaces : IAsyncDisposable
{
    private const int NewNetwork = 0x40000000;

    private readonly List<string> _names = [];

    /// <summary>The hub's namespace.</summary>
    public string Hub { get; } = $"rl{Environment.ProcessId}-hub";

    /// <summary>The hub's address.</summary>
    public const string HubAddress = "10.99.0.1";

    /// <summary>The address of a node, counted from 0.</summary>
    public static string Address(int node) => $"10.99.0.{node + 2}";

    /// <summary>The namespace of a node.</summary>
    public string Node(int node) => $"rl{Environment.ProcessId}-n{node}";

    /// <summary>What runs a command in a namespace.</summary>
    public static string[] In(string network) => ["ip", "netns", "exec", network];

    /// <summary>Makes them.</summary>
    /// <returns>Null where this is not permitted here, and why.</returns>
    public static async Task<(NetworkNamespaces? Networks, string Reason)> CreateAsync(int nodes, int megabitsPerSecond)
    {
        var networks = new NetworkNamespaces();
        var reason = await networks.MakeAsync(nodes, megabitsPerSecond);
        if (reason is null) return (networks, "");
        await networks.DisposeAsync();
        return (null, reason);
    }

    /// <summary>Lets nothing through to a node and back, or all again.</summary>
    public async Task SetLinkAsync(int node, bool isUp) =>
        Assert.Null(await FailureAsync("ip", "-n", Hub, "link", "set", $"port{node}", isUp ? "up" : "down"));

    /// <summary>A connection from within a namespace.</summary>
    public static ValueTask<Stream> ConnectAsync(string network, DnsEndPoint to)
    {
        var connected = new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously);
        // A socket belongs to the namespace of the thread that made it. The thread ends: no other work meets it.
        new Thread(() =>
        {
            try
            {
                using (var handle = File.OpenHandle($"/run/netns/{network}"))
                    if (EnterNamespace((int)handle.DangerousGetHandle(), NewNetwork) != 0) throw new IOException($"no way into {network}");
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Connect(new IPEndPoint(IPAddress.Parse(to.Host), to.Port));
                connected.SetResult(new NetworkStream(socket, ownsSocket: true));
            }
            catch (Exception e)
            {
                connected.SetException(e);
            }
        }) { IsBackground = true }.Start();
        return new ValueTask<Stream>(connected.Task);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var name in _names) await Launcher.RunAsync("ip", "netns", "delete", name);
    }

    private async Task<string?> MakeAsync(int nodes, int megabitsPerSecond)
    {
        if (await AddAsync(Hub) is { } failure) return failure;
        if (await InHubAsync("link", "add", "hub", "type", "bridge") is { } noBridge) return noBridge;
        if (await InHubAsync("addr", "add", $"{HubAddress}/24", "dev", "hub") is { } noAddress) return noAddress;
        await InHubAsync("link", "set", "hub", "up");
        for (var node = 0; node < nodes; node++)
        {
            var (name, port) = (Node(node), $"port{node}");
            if (await AddAsync(name) is { } noNode) return noNode;
            if (await InHubAsync("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name) is { } noLink) return noLink;
            await InHubAsync("link", "set", port, "master", "hub", "up");
            await FailureAsync("ip", "-n", name, "addr", "add", $"{Address(node)}/24", "dev", "eth0");
            await FailureAsync("ip", "-n", name, "link", "set", "eth0", "up");
            foreach (var (side, device) in new[] { (Hub, port), (name, "eth0") })
                if (await FailureAsync(
                    "tc", "-n", side, "qdisc", "add", "dev", device, "root", "tbf", "rate", $"{megabitsPerSecond}mbit", "burst", "64kb", "latency", "50ms")
                    is { } noLimit) return noLimit;
        }
        return null;
    }

    private async Task<string?> AddAsync(string name)
    {
        if (await FailureAsync("ip", "netns", "add", name) is { } failure) return failure;
        _names.Add(name);
        return await FailureAsync("ip", "-n", name, "link", "set", "lo", "up");
    }

    private Task<string?> InHubAsync(params string[] command) => FailureAsync(["ip", "-n", Hub, .. command]);

    private static async Task<string?> FailureAsync(params string[] command)
    {
        var (exitCode, text) = await Launcher.RunAsync(command);
        return exitCode == 0 ? null : $"{string.Join(' ', command)}: {text.Trim()}";
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int EnterNamespace(int descriptor, int kind);
}
