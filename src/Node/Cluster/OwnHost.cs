using System.Net;
using System.Net.Sockets;

namespace Rl.Distributed.Node.Clustering;

/// <summary>Under which name others reach a node that listens on all networks of its machine and was not told.</summary>
internal static class OwnHost
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>This machine's address on the way to the first of these nodes that has one. Nothing is sent to them. Waits for a name to
    /// appear: containers of a cluster start in any order, and a container has no name before it runs.</summary>
    /// <param name="seeds">Nodes to join; empty: the machine's name is the answer, by which those who join will look for it.</param>
    /// <param name="resolve">Looks a name up; throws SocketException where it is unknown.</param>
    /// <param name="warn">Told once that it waits.</param>
    /// <param name="clock">For the waits in between.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public static async Task<string> FindAsync(
        IReadOnlyList<HostPort> seeds, Func<HostPort, IPEndPoint> resolve, Action<string> warn, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        if (seeds.Count == 0) return Dns.GetHostName();
        for (var isTold = false; ; isTold = true)
        {
            foreach (var seed in seeds)
                if (Toward(seed, resolve) is { } address) return address;
            if (!isTold) warn($"there is no way to {string.Join(", ", seeds)} yet: waiting for the name to appear.");
            await Task.Delay(Pause, clock, cancellationToken);
        }
    }

    /// <summary>Null where the name is unknown or there is no route.</summary>
    private static string? Toward(HostPort seed, Func<HostPort, IPEndPoint> resolve)
    {
        try
        {
            var target = resolve(seed);
            // Connecting a datagram socket only asks for the route.
            using var socket = new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(target);
            return ((IPEndPoint)socket.LocalEndPoint!).Address.ToString();
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
