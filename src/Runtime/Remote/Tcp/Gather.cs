using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>Sends several pieces of memory by one call, whatever they are made of: sockets of .NET do it for byte arrays only.</summary>
/// <remarks>Uses sendmsg of Linux; elsewhere the pieces are sent one by one.</remarks>
internal static unsafe partial class Gather
{
    private const int NoSignal = 0x4000, DontWait = 0x40, Interrupted = 4, WouldBlock = 11, MaxPieces = 64;

    private static readonly bool IsNative = OperatingSystem.IsLinux() && IntPtr.Size == 8;

    [ThreadStatic]
    private static MemoryHandle[] t_pins;

    [StructLayout(LayoutKind.Sequential)]
    private struct Piece
    {
        public void* Start;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Header
    {
        public void* Name;
        public uint NameLength;
        public Piece* Pieces;
        public nuint Count;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>Sends all of it, however long it takes. False when the connection is gone.</summary>
    /// <param name="socket">Blocking.</param>
    /// <param name="pieces">In this order.</param>
    /// <param name="hasBegun">Whether anything of it left.</param>
    public static bool Send(Socket socket, List<ReadOnlyMemory<byte>> pieces, out bool hasBegun)
    {
        hasBegun = false;
        if (IsNative && pieces.Count <= MaxPieces) return SendNative(socket, pieces, ref hasBegun);
        foreach (var piece in pieces)
        {
            for (var rest = piece.Span; rest.Length > 0;)
            {
                var sent = socket.Send(rest, SocketFlags.None, out var error);
                if (error != SocketError.Success) return false;
                hasBegun = true;
                rest = rest[sent..];
            }
        }
        return true;
    }

    /// <summary>Sends what fits without waiting, and returns its length; -1 when the connection is gone.</summary>
    public static int TrySend(Socket socket, ReadOnlySpan<byte> bytes)
    {
        if (IsNative)
        {
            fixed (byte* start = bytes)
            {
                var sent = send(socket.SafeHandle, start, (nuint)bytes.Length, NoSignal | DontWait);
                if (sent >= 0) return (int)sent;
                return Marshal.GetLastPInvokeError() is WouldBlock or Interrupted ? 0 : -1;
            }
        }
        if (!socket.Poll(0, SelectMode.SelectWrite)) return 0;
        var count = socket.Send(bytes[..Math.Min(bytes.Length, 4096)], SocketFlags.None, out var error);
        return error == SocketError.Success ? count : -1;
    }

    private static bool SendNative(Socket socket, List<ReadOnlyMemory<byte>> pieces, ref bool hasBegun)
    {
        var pins = t_pins ??= new MemoryHandle[MaxPieces];
        var vector = stackalloc Piece[pieces.Count];
        for (var i = 0; i < pieces.Count; i++)
        {
            pins[i] = pieces[i].Pin();
            vector[i] = new Piece { Start = pins[i].Pointer, Length = (nuint)pieces[i].Length };
        }
        try
        {
            return SendAll(socket, vector, pieces.Count, ref hasBegun);
        }
        finally
        {
            for (var i = 0; i < pieces.Count; i++) pins[i].Dispose();
        }
    }

    private static bool SendAll(Socket socket, Piece* vector, int count, ref bool hasBegun)
    {
        while (count > 0)
        {
            var header = new Header { Pieces = vector, Count = (nuint)count };
            var sent = sendmsg(socket.SafeHandle, &header, NoSignal);
            if (sent < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error == WouldBlock && socket.SendTimeout == 0) socket.Poll(1_000_000, SelectMode.SelectWrite);
                else if (error != Interrupted) return false;
                continue;
            }
            hasBegun = true;
            for (var left = (nuint)sent; count > 0; vector++, count--)
            {
                if (left < vector->Length)
                {
                    vector->Start = (byte*)vector->Start + left;
                    vector->Length -= left;
                    break;
                }
                left -= vector->Length;
            }
        }
        return true;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(SafeHandle socket, Header* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(SafeHandle socket, byte* bytes, nuint length, int flags);
}
