using Akka.Event;

namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>How connections come and go. Of two systems the one with the smaller address decides which connection is used.</summary>
internal sealed partial class TcpPeer
{
    private bool _isStopped;
    private uint _number;
    private int _numbersOf;

    /// <summary>On the side that does not decide: the number of the last connection with this incarnation, which is lost. False where there
    /// is one.</summary>
    public bool TryAsk(int uid, out uint lost)
    {
        lock (_gate)
        {
            lost = _numbersOf == uid ? _number : 0;
            return !HasLinkWith(uid);
        }
    }

    /// <summary>On the side that decides: this connection becomes the one, unless there is one that the other side has not lost.</summary>
    public bool TryDecide(Link link, uint lost)
    {
        lock (_gate)
        {
            var current = _arriving ?? _link;
            if (IsClosedFor(link) || (HasLinkWith(link.Uid) && current.Number != lost)) return false;
            link.Number = _number = Math.Max(_number, lost) + 1; // this side may have forgotten what was before
            Take(link);
            return true;
        }
    }

    /// <summary>On the other side: the connection was decided on.</summary>
    public bool TryFollow(Link link)
    {
        lock (_gate)
        {
            if (IsClosedFor(link) || (_numbersOf == link.Uid && link.Number <= _number)) return false;
            (_numbersOf, _number) = (link.Uid, link.Number);
            link.IsAgreed = true;
            Take(link);
            return true;
        }
    }

    /// <summary>The other side knows of the decision.</summary>
    public void Agreed(Link link)
    {
        lock (_gate)
        {
            link.IsAgreed = true;
            Wake();
        }
    }

    /// <summary>Waits until the handler knows of the connection and the one before it is read to its end: so a pair's order outlives a
    /// connection. False where there is nothing to read.</summary>
    public bool AwaitTurn(Link link)
    {
        lock (_gate)
        {
            while (!_isStopped && !link.IsDiscarded && (link.IsAnnounced ? link.Before is not null : !link.IsBroken)) Monitor.Wait(_gate);
            return link.IsAnnounced && !link.IsDiscarded && link.Before is null;
        }
    }

    /// <summary>A connection's thread ends.</summary>
    /// <param name="link">Null where none came about.</param>
    public void LinkEnded(Link link)
    {
        lock (_gate)
        {
            if (link is not null && _lastRead == link) _lastRead = link.Before;
            for (var later = _lastRead; later?.Before is not null; later = later.Before)
            {
                if (later.Before == link) later.Before = link.Before;
            }
            Wake();
        }
    }

    /// <summary>An attempt to dial is over; null: it led to a connection, or there is one already.</summary>
    public void DialEnded(string failure)
    {
        lock (_gate)
        {
            _isDialling = false;
            // Once for each reason in a row: a peer that was down may be there now, and refuse.
            if (failure is not null && failure != _toldFailure && transport.Log.Unreachable($"{address}: {failure}"))
                _toldFailure = failure;
            _dialFailure = failure ?? _dialFailure;
            if (_link is null && _arriving is null) BackOff(Environment.TickCount64);
            Wake();
        }
    }

    /// <summary>Nothing new is taken; waits until all is sent, at most until then, and says goodbye.</summary>
    public void Stop(long until)
    {
        lock (_gate)
        {
            _isStopping = true;
            if (_thread is null) return;
            Wake();
            while ((_queue.HasWork || _isWriting || _arriving is { IsBroken: false }) && Environment.TickCount64 < until)
            {
                Monitor.Wait(_gate, (int)Math.Max(1, until - Environment.TickCount64));
            }
            if (_link is { IsBroken: false } link && !_isWriting && !_queue.HasWork)
            {
                link.LimitWaits((int)Math.Max(1, until - Environment.TickCount64));
                WriteFrame(GoodbyeFrame);
                link.Shut(System.Net.Sockets.SocketShutdown.Send);
            }
            _isStopped = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>After <see cref="Stop"/>: ends the thread, drops what is left.</summary>
    public void End()
    {
        Thread thread;
        lock (_gate)
        {
            _isStopped = true;
            _link?.Break("this system stopped", isFinal: true);
            _arriving?.Break("this system stopped", isFinal: true);
            thread = _thread;
            Monitor.PulseAll(_gate);
        }
        thread?.Join();
        lock (_gate) DropAll("this system stopped");
    }

    private bool IsClosedFor(Link link) => _isStopped || IsForgotten || transport.Refused.Contains(address, link.Uid);

    private bool HasLinkWith(int uid) => (_arriving ?? _link) is { IsBroken: false } current && current.Uid == uid;

    private void Take(Link link)
    {
        if (_link is not null && _link.Uid != link.Uid) transport.Refused.Add(address, _link.Uid);
        if (_reported != 0 && _reported != link.Uid) transport.Refused.Add(address, _reported);
        DiscardRead(read => read.Uid != link.Uid, "another incarnation took its place");
        _link?.Break("another connection took its place");
        _arriving?.Break("another connection took its place");
        _arriving = link;
        Wake();
    }

    /// <summary>Nothing more is taken from these, not even from those that broke before.</summary>
    private void DiscardRead(Predicate<Link> which, string reason, bool isFinal = false)
    {
        for (var link = _lastRead; link is not null; link = link.Before)
        {
            if (which(link)) link.Discard(reason, isFinal);
        }
    }
}
