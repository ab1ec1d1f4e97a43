using System.Diagnostics;
using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>Another address: what waits for it, the connection with it, and what the handler was told about it.</summary>
/// <remarks>
/// Its state changes under one lock. One thread a peer writes, sends heartbeats, dials and reports, as long as there is something to do;
/// a thread that tells may write by itself where the connection is idle. The handler is never called under the lock.
/// </remarks>
internal sealed partial class TcpPeer(TcpTransport transport, Address address)
{
    /// <summary>A thread that tells faster than this leaves the writing to the peer's thread, which sends many at once.</summary>
    private static readonly long QuietTicks = Stopwatch.Frequency / 100_000;

    private readonly object _gate = new();
    private OutQueue _queue = new();
    private Batch _batch;

    private readonly int _silenceMs = (int)transport.Options.SilenceLimit.TotalMilliseconds;
    private readonly int _graceMs = (int)transport.Options.ReconnectGrace.TotalMilliseconds;
    private Link _link, _arriving;

    /// <summary>The connection that was announced last, as long as it is read.</summary>
    private Link _lastRead;

    private Thread _thread;
    private bool _isKept, _isWriting, _isWaiting, _isDialling, _isStopping;
    private long _lastTold, _lastSent;

    /// <summary>The uid that the handler knows as connected; 0: none.</summary>
    private int _reported;

    public Address Address => address;

    /// <summary>It takes nothing any more: the transport has another one for its address, or makes one.</summary>
    public bool IsForgotten { get; private set; }

    /// <summary>Ends it, if there is nothing to be lost.</summary>
    public bool TryForget()
    {
        lock (_gate)
        {
            IsForgotten = _thread is null && _link is null && _arriving is null && _lastRead is null && _reported == 0
                && !_isKept && !_isDialling && !_queue.HasWork;
            return IsForgotten;
        }
    }

    /// <summary>False where it is forgotten.</summary>
    public bool TrySend(in Outbound message, int id, MessageEncoder body)
    {
        string refusal = null;
        var bytes = body.Length;
        Chunk chunk = null;
        Link link = null;
        lock (_gate)
        {
            if (IsForgotten) return false;
            if (_isStopping) refusal = "this system stops";
            else if (!message.IsSystem && _queue.Bytes + bytes > transport.Options.MaxQueuedBytes)
            {
                refusal = "too much waits for this peer";
            }
            else
            {
                if (_link is null && !_queue.HasWork) _waitsSince = Environment.TickCount64;
                _queue.Add(message, id, body);
                link = _link is { IsBroken: false } ? _link : null; // what is told from now on waits for another connection
                if (link is null) Wake();
                else if (!_isWriting) chunk = WriterOrChunk(link);
            }
        }
        if (refusal is not null)
        {
            transport.Drop(address, message, refusal);
            return true;
        }
        if (chunk is not null) SendNow(link, chunk);
        transport.Handler.Encoded(address, id, bytes);
        return true;
    }

    /// <summary>False where it is forgotten.</summary>
    public bool TryKeep()
    {
        lock (_gate)
        {
            if (IsForgotten) return false;
            _isKept = true;
            Wake();
            return true;
        }
    }

    public void Release()
    {
        lock (_gate)
        {
            _isKept = false;
            Wake();
        }
    }

    /// <summary>Looks whether there is something to do.</summary>
    public void Rouse()
    {
        lock (_gate) Wake();
    }

    /// <summary>The incarnation is refused from now on.</summary>
    public void Shun(int uid)
    {
        lock (_gate)
        {
            if (_arriving?.Uid == uid) _arriving.Break("quarantined", isFinal: true);
            if (_link?.Uid == uid) _link.Discard("quarantined", isFinal: true);
            DiscardRead(link => link.Uid == uid, "quarantined", isFinal: true);
            if (_reported == uid && _link is null) (_disconnectAt, _reason) = (0, "quarantined");
            Wake();
        }
    }

    /// <summary>A chunk to be written by the caller; null where the peer's thread does it.</summary>
    private Chunk WriterOrChunk(Link link)
    {
        var now = Stopwatch.GetTimestamp();
        var isQuiet = now - _lastTold > QuietTicks;
        _lastTold = now;
        if (isQuiet && link.CanTry && _queue.TryTakeOnly(out var chunk))
        {
            _isWriting = true;
            return chunk;
        }
        if (_isWaiting) Wake();
        return null;
    }

    private void SendNow(Link link, Chunk chunk)
    {
        var (bytes, messages) = (chunk.Length, chunk.Messages.Count);
        var sent = link.TrySend(chunk.Unsent.Span);
        if (sent < 0) link.Break("the connection broke");
        lock (_gate)
        {
            _isWriting = false;
            _lastSent = Environment.TickCount64;
            if (sent == bytes) _queue.Recycle(chunk);
            else
            {
                chunk.Start = Math.Max(sent, 0);
                _queue.PutBack(chunk);
                messages = 0; // counted when the rest leaves
            }
            if (link.IsBroken || _queue.HasWork || _isStopping) Wake();
        }
        transport.Counters.Sent(messages, Math.Max(sent, 0));
    }

    /// <summary>Has the peer's thread look again. Under the lock.</summary>
    private void Wake()
    {
        if (_thread is null) Begin();
        Monitor.PulseAll(_gate);
    }

    private void Begin()
    {
        var thread = new Thread(Run, TcpTransport.StackBytes) { IsBackground = true, Name = $"rl tcp to {address.Host}:{address.Port}" };
        try
        {
            transport.StartThread(thread);
            _thread = thread;
        }
        catch (Exception e) when (TcpTransport.IsLackOfThreads(e))
        {
            transport.LackThread(address, e);
        }
    }

    private void Wait(long until)
    {
        var ms = until == long.MaxValue ? Timeout.Infinite : (int)Math.Clamp(until - Environment.TickCount64, 1, int.MaxValue);
        _isWaiting = true;
        Monitor.Wait(_gate, ms);
        _isWaiting = false;
    }

    /// <summary>Calls the handler.</summary>
    private void Unlocked(Action<ITransportHandler> call)
    {
        Monitor.Exit(_gate);
        try
        {
            call(transport.Handler);
        }
        catch (Exception e)
        {
            transport.Log.Failed($"A report about {address} failed: {e.Message}");
        }
        finally
        {
            Monitor.Enter(_gate);
        }
    }
}
