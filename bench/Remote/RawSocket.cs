using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Rl.Distributed.Bench.Remote;

/// <summary>What transports are compared with: frames with a length on a blocking socket, one thread a side.</summary>
internal static class RawSocket
{
    private const int HeaderBytes = 8;

    /// <summary>Listens, and serves one connection after the other on a thread: sends 4 bytes back for every so many messages, or each
    /// message itself.</summary>
    public static int Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        new Thread(() =>
        {
            while (true)
            {
                using var socket = listener.Accept();
                Serve(socket);
            }
        }) { IsBackground = true }.Start();
        return ((IPEndPoint)listener.LocalEndPoint!).Port;
    }

    /// <summary>MB/s of messages of one size, at most a window of them without an answer; an answer for each quarter of the
    /// window.</summary>
    public static double Bulk(int port, int size, int window, int messages)
    {
        using var socket = Connect(port);
        var header = new byte[HeaderBytes];
        var answer = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(header, size);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), window / 4);
        List<ArraySegment<byte>> pieces = [header, new byte[size]];
        var start = Stopwatch.GetTimestamp();
        var (sent, answered) = (0, 0);
        while (answered < messages)
        {
            for (; sent < messages && sent - answered < window; sent++) socket.Send(pieces);
            if (!ReadExactly(socket, answer)) throw new IOException("The peer is gone.");
            answered += window / 4;
        }
        return (double)messages * size / 1e6 / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Microseconds of each round trip of a message.</summary>
    public static double[] PingPong(int port, int size, int trips)
    {
        using var socket = Connect(port);
        var message = new byte[HeaderBytes + size];
        BinaryPrimitives.WriteInt32LittleEndian(message, size);
        var times = new double[trips];
        for (var i = 0; i < trips; i++)
        {
            var start = Stopwatch.GetTimestamp();
            socket.Send(message);
            ReadExactly(socket, message.AsSpan(0, HeaderBytes));
            ReadExactly(socket, message.AsSpan(HeaderBytes));
            times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }
        return times;
    }

    private static Socket Connect(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private static void Serve(Socket socket)
    {
        socket.NoDelay = true;
        var buffer = new byte[16 << 20];
        for (var count = 1; ReadExactly(socket, buffer.AsSpan(0, HeaderBytes)); count++)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(buffer);
            var every = BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(4));
            if (!ReadExactly(socket, buffer.AsSpan(HeaderBytes, length))) return;
            if (every == 0) socket.Send(buffer.AsSpan(0, HeaderBytes + length));
            else if (count % every == 0) socket.Send(buffer.AsSpan(0, 4));
        }
    }

    private static bool ReadExactly(Socket socket, Span<byte> to)
    {
        while (to.Length > 0)
        {
            var count = socket.Receive(to);
            if (count == 0) return false;
            to = to[count..];
        }
        return true;
    }
}
