using System.Net.Sockets;
using Akka.Actor;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>One connection, after the handshake.</summary>
/// <param name="stream">To be used instead of the socket; null where the socket is.</param>
internal sealed class Link(Socket socket, Stream stream, Address address, int uid) : IDisposable
{
    /// <summary>The kernel takes no more than this before it has sent the rest: what is urgent does not wait behind much.</summary>
    private const int UnsentBytes = 128 << 10;

    private const int LinuxTcpLevel = 6, LinuxNotSentLowWater = 25, CoalesceBytes = 32 << 10;

    private readonly byte[] _coalesced = stream is null ? null : new byte[CoalesceBytes];
    private int _isBroken, _isDiscarded;

    public Address Address => address;

    public int Uid => uid;

    /// <summary>Connections to a peer are numbered by the side that decides on them; later ones replace earlier ones.</summary>
    public uint Number { get; set; }

    /// <summary>Both sides know that they use it.</summary>
    public bool IsAgreed { get; set; }

    /// <summary>The handler knows of it.</summary>
    public bool IsAnnounced { get; set; }

    /// <summary>The one whose reader comes first; null where that has ended. The peer's lock guards it.</summary>
    public Link Before { get; set; }

    public long Since { get; } = Environment.TickCount64;

    public bool IsBroken => Volatile.Read(ref _isBroken) != 0;

    /// <summary>Nothing more of it is delivered; a connection that is only broken is read to its end.</summary>
    public bool IsDiscarded => Volatile.Read(ref _isDiscarded) != 0;

    /// <summary>Why it broke.</summary>
    public string Reason { get; private set; }

    /// <summary>There is no use in waiting for another one.</summary>
    public bool IsFinal { get; private set; }

    /// <summary>True where a thread may try to send without waiting.</summary>
    public bool CanTry => stream is null;

    /// <summary>Options that all connections have.</summary>
    public static void Configure(Socket socket)
    {
        socket.NoDelay = true;
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            socket.SetRawSocketOption(LinuxTcpLevel, LinuxNotSentLowWater, BitConverter.GetBytes(UnsentBytes));
        }
        catch (SocketException)
        {
            // an old kernel: more may then wait in it
        }
    }

    /// <summary>Sends what fits without waiting, and returns its length; -1 when the connection is gone.</summary>
    public int TrySend(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Gather.TrySend(socket, bytes);
        }
        catch (ObjectDisposedException)
        {
            return -1;
        }
    }

    /// <summary>Sends all of it, however long it takes. False when the connection is gone.</summary>
    /// <param name="pieces">At most <see cref="Batch"/> has.</param>
    /// <param name="hasBegun">False where surely nothing of it has left.</param>
    public bool Send(List<ReadOnlyMemory<byte>> pieces, out bool hasBegun)
    {
        hasBegun = true;
        try
        {
            if (stream is null) return Gather.Send(socket, pieces, out hasBegun);
            SendByStream(pieces);
            return true;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>At least one byte; 0 when the connection is gone or nothing came in time, with the reason.</summary>
    public int Receive(Span<byte> to, out string reason)
    {
        reason = null;
        try
        {
            var error = SocketError.Success;
            var count = stream is null ? socket.Receive(to, SocketFlags.None, out error) : stream.Read(to);
            if (error is SocketError.TimedOut or SocketError.WouldBlock) return Silent(out reason);
            if (error != SocketError.Success) reason = $"the connection broke: {error}";
            else if (count == 0) reason = "the peer closed the connection";
            return reason is null ? count : 0;
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock })
        {
            return Silent(out reason);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException or InvalidOperationException)
        {
            reason = $"the connection broke: {e.Message}";
            return 0;
        }
    }

    /// <summary>Ends it. The first reason counts.</summary>
    public void Break(string reason, bool isFinal = false)
    {
        lock (this)
        {
            if (IsBroken) return;
            (Reason, IsFinal) = (reason, isFinal);
            Volatile.Write(ref _isBroken, 1);
        }
        Shut(SocketShutdown.Both);
    }

    /// <summary>Ends it, and what it brought already counts no more.</summary>
    public void Discard(string reason, bool isFinal = false)
    {
        Volatile.Write(ref _isDiscarded, 1);
        Break(reason, isFinal);
    }

    /// <summary>From now on no call that sends waits for longer.</summary>
    public void LimitWaits(int ms)
    {
        try
        {
            socket.SendTimeout = ms;
        }
        catch (ObjectDisposedException)
        {
            // it is gone already
        }
    }

    /// <summary>Ends one direction, or both.</summary>
    public void Shut(SocketShutdown how)
    {
        try
        {
            socket.Shutdown(how);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // it is gone already
        }
    }

    public void Dispose() => stream?.Dispose();

    private int Silent(out string reason)
    {
        reason = null;
        Break(FormattableString.Invariant($"silent for {socket.ReceiveTimeout / 1000.0:0.0} s"), isFinal: true);
        return 0;
    }

    private void SendByStream(List<ReadOnlyMemory<byte>> pieces)
    {
        var used = 0;
        foreach (var piece in pieces)
        {
            if (piece.Length > CoalesceBytes - used)
            {
                if (used > 0) stream.Write(_coalesced, 0, used);
                used = 0;
            }
            if (piece.Length > CoalesceBytes)
            {
                stream.Write(piece.Span);
                continue;
            }
            piece.Span.CopyTo(_coalesced.AsSpan(used));
            used += piece.Length;
        }
        if (used > 0) stream.Write(_coalesced, 0, used);
    }
}
