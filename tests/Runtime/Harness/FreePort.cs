using System.Net;
using System.Net.Sockets;

namespace Rl.Distributed.Tests;

/// <summary>Ports that nobody takes between the end of a system and its successor's start: not those that Linux gives to connections. A node
/// that looks for its seed there could get it, and be connected with itself.</summary>
internal static class FreePort
{
    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(15_000, 32_000);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // somebody listens there
            }
        }
    }
}
