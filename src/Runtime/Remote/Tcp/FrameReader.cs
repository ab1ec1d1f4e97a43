using System.Buffers;
using Akka.Actor;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>The receiving side of a connection: takes frames apart and delivers, until the connection is gone. One thread.</summary>
internal sealed class FrameReader(Link link, ITransportHandler handler, TcpCounters counters, TcpLog log, int maxMessageBytes)
{
    private struct PathEntry
    {
        public string Path;
        public InternalActorRefBase Recipient;
        public IActorRef Sender;
    }

    private struct Bulk
    {
        public byte[] Buffer;
        public int Length, Received, Id;
        public string Recipient, Sender;
    }

    private const int BufferBytes = 128 << 10;

    /// <summary>Read behind a fragment, where most often a head and the next fragment follow: the less of it, the less is copied.</summary>
    private const int AfterBulkBytes = 4 << 10;

    private readonly PathEntry[] _paths = new PathEntry[Frame.Slots];
    private readonly Bulk[] _bulks = new Bulk[Frame.Streams];
    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _start, _end;
    private bool _isAfterBulk, _isGoodbye;
    private long _messages, _bytes;

    /// <summary>Returns when the connection is broken and all that it brought is delivered, or at once where it is discarded.</summary>
    public void Run()
    {
        try
        {
            while (TakeFrames() && Fill())
            {
            }
        }
        finally
        {
            Count();
            foreach (var bulk in _bulks)
            {
                if (bulk.Buffer is not null) ArrayPool<byte>.Shared.Return(bulk.Buffer);
            }
        }
    }

    private bool Fill()
    {
        Count();
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        var room = _buffer.Length - _end;
        return Receive(_buffer.AsSpan(_end, _isAfterBulk ? Math.Min(room, AfterBulkBytes) : room), out var count) && Take(count);

        bool Take(int received)
        {
            _end += received;
            _isAfterBulk = false;
            return true;
        }
    }

    private bool Receive(Span<byte> to, out int count)
    {
        count = 0;
        if (link.IsDiscarded) return false;
        count = link.Receive(to, out var reason);
        _bytes += count;
        if (count > 0) return true;
        link.Break(_isGoodbye ? "the peer stopped" : reason, _isGoodbye);
        return false;
    }

    private void Count()
    {
        counters.Received(_messages, _bytes);
        (_messages, _bytes) = (0, 0);
    }

    private bool TakeFrames()
    {
        while (_end - _start >= Frame.HeaderBytes)
        {
            if (link.IsDiscarded) return false;
            if (!Frame.TryReadHeader(_buffer.AsSpan(_start), out var kind, out var length)) return Malformed("a frame without a form");
            if (kind == FrameKind.BulkData)
            {
                if (length == 0) return Malformed("a fragment of nothing");
                if (_end - _start <= Frame.HeaderBytes) break;
                if (!TakeFragment(length - 1)) return false;
                continue;
            }
            if (_end - _start - Frame.HeaderBytes < length) break;
            var at = _start + Frame.HeaderBytes;
            _start = at + length;
            if (!TakeFrame(kind, at, length)) return false;
        }
        return true;
    }

    private bool TakeFrame(FrameKind kind, int at, int length)
    {
        var payload = new ReadOnlySpan<byte>(_buffer, at, length);
        switch (kind)
        {
            case FrameKind.Message: return TakeMessage(payload, at + length);
            case FrameKind.Inline: return TakeInline(payload, at + length);
            case FrameKind.Path: return TakePath(payload);
            case FrameKind.BulkStart: return TakeBulkStart(payload);
            case FrameKind.Heartbeat: return true;
            case FrameKind.Goodbye:
                _isGoodbye = true;
                return true;
            default: return Malformed($"a frame of kind {kind} out of turn");
        }
    }

    private bool TakePath(ReadOnlySpan<byte> payload)
    {
        if (!Frame.TryReadVarint(ref payload, out var slot) || slot >= Frame.Slots || !Frame.TryReadString(ref payload, out var path)
            || path is null)
        {
            return Malformed("a path without a form");
        }
        _paths[slot] = new PathEntry { Path = path };
        return true;
    }

    private bool TakeMessage(ReadOnlySpan<byte> payload, int end)
    {
        if (!Frame.TryReadVarint(ref payload, out var recipient) || !Frame.TryReadVarint(ref payload, out var sender)
            || !Frame.TryReadVarint(ref payload, out var id) || recipient >= Frame.Slots || sender > Frame.Slots
            || _paths[recipient].Path is null || (sender > 0 && _paths[sender - 1].Path is null))
        {
            return Malformed("a message without a form");
        }
        _messages++;
        try
        {
            ref var to = ref _paths[recipient];
            if (to.Recipient is null or { IsDead: true }) to.Recipient = handler.Resolve(to.Path); // another actor may have taken the path
            IActorRef from = null;
            if (sender > 0) from = _paths[sender - 1].Sender ??= handler.SenderOf(link.Address, _paths[sender - 1].Path);
            Deliver(to.Recipient, from, (int)id, _buffer, end - payload.Length, payload.Length);
        }
        catch (Exception e)
        {
            Reject((int)id, e);
        }
        return true;
    }

    private bool TakeInline(ReadOnlySpan<byte> payload, int end)
    {
        if (!Frame.TryReadString(ref payload, out var recipient) || recipient is null || !Frame.TryReadString(ref payload, out var sender)
            || !Frame.TryReadVarint(ref payload, out var id))
        {
            return Malformed("a message without a form");
        }
        Deliver(recipient, sender, (int)id, _buffer, end - payload.Length, payload.Length);
        return true;
    }

    private bool TakeBulkStart(ReadOnlySpan<byte> payload)
    {
        if (payload.Length == 0 || payload[0] >= Frame.Streams || _bulks[payload[0]].Buffer is not null)
        {
            return Malformed("a bulk message without a form");
        }
        var stream = payload[0];
        payload = payload[1..];
        if (!Frame.TryReadString(ref payload, out var recipient) || recipient is null || !Frame.TryReadString(ref payload, out var sender)
            || !Frame.TryReadVarint(ref payload, out var id) || !Frame.TryReadVarint(ref payload, out var length)
            || payload.Length > 0 || length == 0)
        {
            return Malformed("a bulk message without a form");
        }
        if (length > maxMessageBytes) return Malformed($"a message of {length} bytes, more than the limit of {maxMessageBytes}");
        _bulks[stream] = new Bulk
        {
            Buffer = ArrayPool<byte>.Shared.Rent((int)length),
            Length = (int)length,
            Id = (int)id,
            Recipient = recipient,
            Sender = sender,
        };
        return true;
    }

    /// <summary>The bytes that were read already are copied, the others go straight to where they belong.</summary>
    private bool TakeFragment(int length)
    {
        var stream = _buffer[_start + Frame.HeaderBytes];
        _start += Frame.HeaderBytes + 1;
        if (stream >= Frame.Streams || _bulks[stream].Buffer is null || length > _bulks[stream].Length - _bulks[stream].Received)
        {
            return Malformed("a fragment of no message");
        }
        ref var bulk = ref _bulks[stream];
        var to = bulk.Buffer.AsSpan(bulk.Received, length);
        var copied = Math.Min(_end - _start, length);
        _buffer.AsSpan(_start, copied).CopyTo(to);
        _start += copied;
        for (to = to[copied..]; to.Length > 0;)
        {
            if (!Receive(to, out var count)) return false;
            to = to[count..];
            _isAfterBulk = true;
        }
        bulk.Received += length;
        if (bulk.Received < bulk.Length) return true;
        var whole = bulk;
        bulk = default;
        Deliver(whole.Recipient, whole.Sender, whole.Id, whole.Buffer, 0, whole.Length);
        ArrayPool<byte>.Shared.Return(whole.Buffer);
        return true;
    }

    private void Deliver(string recipient, string sender, int id, byte[] buffer, int start, int length)
    {
        _messages++;
        try
        {
            var from = sender is null ? null : handler.SenderOf(link.Address, sender);
            Deliver(handler.Resolve(recipient), from, id, buffer, start, length);
        }
        catch (Exception e)
        {
            Reject(id, e);
        }
    }

    private void Deliver(InternalActorRefBase recipient, IActorRef sender, int id, byte[] buffer, int start, int length) =>
        handler.Deliver(link.Address, link.Uid, recipient, sender, id, new ReadOnlySequence<byte>(buffer, start, length));

    private void Reject(int id, Exception e)
    {
        counters.Reject();
        log.Rejected($"a message of id {id} from {link.Address}: {e.Message}");
    }

    private bool Malformed(string what)
    {
        counters.Reject();
        log.Rejected($"{what} from {link.Address}; the connection is closed");
        link.Break($"it sent {what}");
        return false;
    }
}
