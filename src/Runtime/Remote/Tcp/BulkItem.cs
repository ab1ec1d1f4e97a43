using System.Buffers;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>A message that waits on its own: a bulk one, or one behind a bulk one of its pair.</summary>
/// <param name="after">The number of the last chunk of small messages that must have left before.</param>
internal sealed class BulkItem(in Outbound message, int id, int length, ReadOnlyMemory<byte>[] pieces, byte[][] rented, long after)
{
    private const int MaxStarts = 2;

    private int _piece, _offset, _sent, _starts;

    public Outbound Message { get; } = message;

    public int Length => length;

    public long After => after;

    /// <summary>It broke connections: the receiver may refuse it.</summary>
    public bool IsHopeless => _sent > 0 && _starts == MaxStarts;

    /// <summary>Puts its next bytes into the batch, up to so many; true when these were the last.</summary>
    public bool Take(Batch batch, int stream, ref int budget)
    {
        if (length <= Frame.BulkBytes)
        {
            WriteStart(batch, FrameKind.Inline, -1);
            AddPieces(batch, length);
            budget -= length;
            return true;
        }
        if (_sent == 0)
        {
            WriteStart(batch, FrameKind.BulkStart, stream);
            _starts++;
        }
        var count = Math.Min(Math.Min(length - _sent, Frame.FragmentBytes), Math.Max(budget, Frame.BulkBytes));
        var header = batch.Reserve(Frame.HeaderBytes + 1);
        Frame.WriteHeader(header, FrameKind.BulkData, count + 1);
        header[Frame.HeaderBytes] = (byte)stream;
        batch.Commit(Frame.HeaderBytes + 1);
        AddPieces(batch, count);
        budget -= count;
        return _sent == length;
    }

    /// <summary>Starts again: what left so far is lost with its connection, and the receiver has not delivered it.
    /// Returns how many bytes had left.</summary>
    public int Rewind()
    {
        var sent = _sent;
        (_piece, _offset, _sent) = (0, 0, 0);
        return sent;
    }

    /// <summary>Returns pooled memory. Nothing may be sent afterwards.</summary>
    public void Release()
    {
        foreach (var array in rented) ArrayPool<byte>.Shared.Return(array);
    }

    private void WriteStart(Batch batch, FrameKind kind, int stream)
    {
        var to = batch.Reserve(Batch.StartBytes);
        var at = Frame.HeaderBytes;
        if (stream >= 0) to[at++] = (byte)stream;
        at += Frame.WriteString(to[at..], Message.Recipient);
        at += Frame.WriteString(to[at..], Message.Sender);
        at += Frame.WriteVarint(to[at..], (uint)id);
        if (stream >= 0) at += Frame.WriteVarint(to[at..], (uint)length);
        Frame.WriteHeader(to, kind, at - Frame.HeaderBytes + (stream >= 0 ? 0 : length));
        batch.Commit(at);
    }

    private void AddPieces(Batch batch, int count)
    {
        _sent += count;
        while (count > 0)
        {
            var rest = pieces[_piece][_offset..];
            if (rest.Length > count) rest = rest[..count];
            batch.Add(rest);
            count -= rest.Length;
            _offset += rest.Length;
            if (_offset < pieces[_piece].Length) continue;
            _piece++;
            _offset = 0;
        }
    }
}
