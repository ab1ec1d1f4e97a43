using System.Net;
using System.Net.Sockets;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>Ports that nobody takes between the end of a system and its successor's start.</summary>
internal static class FreePort
{
    /// <summary>Below those that connections are given, on Linux.</summary>
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
