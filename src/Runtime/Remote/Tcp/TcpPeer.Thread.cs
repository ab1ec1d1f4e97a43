using System.Diagnostics;
using Akka.Event;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>What the peer's thread does, one step after the other.</summary>
internal sealed partial class TcpPeer
{
    private const int FirstBackoffMs = 50, LastBackoffMs = 1000, SteadyMs = 1000;

    /// <summary>Bytes of bulk in one go, at most.</summary>
    private const int MostBulkBytes = 1 << 20;

    private static readonly TimeSpan QuickBatch = TimeSpan.FromMilliseconds(1), SlowBatch = TimeSpan.FromMilliseconds(4);
    private static readonly ReadOnlyMemory<byte> HeartbeatFrame = EmptyFrame(FrameKind.Heartbeat);
    private static readonly ReadOnlyMemory<byte> GoodbyeFrame = EmptyFrame(FrameKind.Goodbye);

    private long _disconnectAt, _nextDial, _waitsSince;
    private int _backoffMs, _bulkBytes = Frame.FragmentBytes;
    private string _reason, _dialFailure, _toldFailure;

    private static byte[] EmptyFrame(FrameKind kind)
    {
        var frame = new byte[Frame.HeaderBytes];
        Frame.WriteHeader(frame, kind, 0);
        return frame;
    }

    private void Run()
    {
        lock (_gate)
        {
            _batch = new Batch();
            while (Step(Environment.TickCount64))
            {
            }
            // What is known of a peer may stay for ever, so it is kept small.
            if (!_queue.HasWork) (_queue, _batch) = (new OutQueue(), null);
            _thread = null;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Does one thing, or waits. False when there is nothing to do until something new happens.</summary>
    private bool Step(long now)
    {
        if (_isStopped) return false;
        if (_arriving is { IsBroken: true }) _arriving = null;
        if (_link is { IsBroken: true } && !_isWriting) LoseLink(now);
        else if (_link is null && _lastRead is { IsDiscarded: true }) Wait(long.MaxValue); // for no longer than a delivery takes
        else if (_link is null && IsGone(now)) ReportDisconnected();
        else if (_link is null && _arriving is { IsAgreed: true }) Announce();
        else if (_link is null) return StepWithoutLink(now);
        else if (_isWriting) Wait(now + (_silenceMs / 6)); // who writes does not always wake this thread
        else if (_queue.HasWork) WriteBatch();
        else if (now - _lastSent >= _silenceMs / 6) WriteFrame(HeartbeatFrame);
        else Wait(_lastSent + (_silenceMs / 6));
        return true;
    }

    /// <summary>What was reported as connected does not come back, or another incarnation does.</summary>
    private bool IsGone(long now) => _reported != 0 && (_arriving is null ? now >= _disconnectAt : _arriving.Uid != _reported);

    private bool StepWithoutLink(long now)
    {
        if (!_isKept && _reported == 0 && !_queue.HasWork && _arriving is null && !_isDialling) return false;
        var dropAt = _reported == 0 && _queue.HasWork && _arriving is null ? _waitsSince + _silenceMs : long.MaxValue;
        var dialAt = _isDialling || _arriving is not null || !(_isKept || _reported != 0 || _queue.HasWork) ? long.MaxValue : _nextDial;
        var disconnectAt = _reported != 0 && _arriving is null ? _disconnectAt : long.MaxValue;
        if (now >= dropAt)
        {
            DropAll(_dialFailure ?? "no connection came about");
        }
        else if (now >= dialAt)
        {
            _isDialling = true;
            transport.Dial(this);
        }
        else Wait(Math.Min(dropAt, Math.Min(dialAt, disconnectAt)));
        return true;
    }

    private void WriteBatch()
    {
        _queue.Take(_batch, _bulkBytes);
        var (link, messages, begun) = (_link, _batch.Messages, Stopwatch.GetTimestamp());
        _isWriting = true;
        Monitor.Exit(_gate);
        var isSent = link.Send(_batch.Segments, out var hasBegun);
        Monitor.Enter(_gate);
        _isWriting = false;
        _lastSent = Environment.TickCount64;
        if (isSent)
        {
            transport.Counters.Sent(messages, _batch.Bytes);
            if (_batch.Bytes >= _bulkBytes) AdaptTo(Stopwatch.GetElapsedTime(begun));
        }
        var lost = isSent ? null : new List<Outbound>();
        var doubtful = isSent ? 0 : _batch.Fail(hasBegun, lost);
        _queue.Recycle(_batch);
        if (_isStopping) Monitor.PulseAll(_gate);
        if (isSent) return;
        link.Break("the connection broke");
        ReportDropped(doubtful, lost, "lost with the connection");
    }

    // A fast receiver falls asleep between small batches, and waking it takes longer than they do. On a slow link what is urgent would wait for
    // a large one.
    private void AdaptTo(TimeSpan time)
    {
        if (time < QuickBatch) _bulkBytes = Math.Min(_bulkBytes * 2, MostBulkBytes);
        else if (time > SlowBatch) _bulkBytes = Math.Max(_bulkBytes / 2, Frame.FragmentBytes);
    }

    private void WriteFrame(ReadOnlyMemory<byte> frame)
    {
        _batch.Add(frame);
        WriteBatch();
    }

    private void LoseLink(long now)
    {
        var link = _link;
        _link = null;
        _reason = link.Reason;
        _disconnectAt = link.IsFinal || link.IsDiscarded ? now : now + _graceMs;
        if (now - link.Since >= SteadyMs) (_backoffMs, _nextDial) = (0, now);
        else BackOff(now);
        _waitsSince = now;
        transport.Log.Gone($"{address}: {link.Reason}");
        var lost = new List<Outbound>();
        ReportDropped(_queue.Rewind(lost), lost, "lost with the connection");
    }

    private void BackOff(long now)
    {
        _backoffMs = Math.Clamp(2 * _backoffMs, FirstBackoffMs, LastBackoffMs);
        _nextDial = now + _backoffMs;
    }

    private void ReportDisconnected()
    {
        var (uid, reason) = (_reported, _arriving is null ? _reason : "another incarnation took its place");
        _reported = 0;
        DropAll(reason);
        Unlocked(handler => handler.Disconnected(address, uid, reason));
    }

    private void Announce()
    {
        var link = _arriving;
        if (_reported == 0)
        {
            _reported = link.Uid;
            Unlocked(handler => handler.Connected(address, link.Uid));
            if (_arriving != link)
            {
                (_disconnectAt, _reason) = (Environment.TickCount64 + _graceMs, link.Reason);
                return;
            }
        }
        _arriving = null;
        _link = link;
        _queue.Begin();
        (_dialFailure, _toldFailure, _lastSent) = (null, null, 0);
        (link.IsAnnounced, link.Before, _lastRead) = (true, _lastRead, link);
        Monitor.PulseAll(_gate);
    }

    private void DropAll(string reason)
    {
        var lost = new List<Outbound>();
        ReportDropped(_queue.Drop(lost), lost, reason);
    }

    /// <param name="doubtful">How many may have arrived: these are counted, and are no dead letters.</param>
    /// <param name="lost">Those that have not.</param>
    /// <param name="reason">For the log.</param>
    private void ReportDropped(int doubtful, List<Outbound> lost, string reason)
    {
        if (doubtful > 0) transport.DropDoubtful(address, doubtful, reason);
        if (lost.Count > 0) Unlocked(_ => lost.ForEach(message => transport.Drop(address, message, reason)));
    }
}
