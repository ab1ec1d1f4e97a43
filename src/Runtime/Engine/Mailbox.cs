using Akka.Actor;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>What waits for one actor: system messages first, then what was unstashed, then user messages.</summary>
/// <remarks>
/// Any thread posts. At most one thread at a time runs the mailbox: <c>_scheduled</c> is 1 from the moment that a
/// dispatcher is asked for a run until that run has ended, and everything but the two queues belongs to the run.
/// A closed mailbox still runs, to hand what comes late to the dead letters.
/// </remarks>
internal sealed class Mailbox : IThreadPoolWorkItem
{
    private readonly ActorCell _cell;
    private readonly MessageQueue _user = new();
    private readonly MessageQueue _system = new();
    private readonly Stack<Envelope> _unstashed = new();
    private int _scheduled;
    private int _suspensions;
    private volatile bool _closed;
    private readonly Dispatcher _dispatcher;

    public Mailbox(ActorCell cell, Dispatcher dispatcher)
    {
        (_cell, _dispatcher) = (cell, dispatcher);
        Home = dispatcher.Attach(this);
    }

    /// <summary>What the dispatcher keeps for this mailbox; a pinned one its thread.</summary>
    public object Home { get; }

    public ActorCell Cell => _cell;

    public bool IsClosed => _closed;

    public bool IsSuspended => _suspensions > 0;

    /// <summary>No turn is running or asked for.</summary>
    public bool IsAtRest => Volatile.Read(ref _scheduled) == 0;

    public void Post(object message, IActorRef sender)
    {
        _user.Enqueue(message, sender);
        if (Volatile.Read(ref _scheduled) == 0) TrySchedule(again: false);
    }

    public void PostSystem(SystemMessage message)
    {
        _system.Enqueue(message, null);
        if (Volatile.Read(ref _scheduled) == 0) TrySchedule(again: false);
    }

    /// <summary>Puts a message before all user messages that wait. Only within a run.</summary>
    public void Prepend(Envelope envelope) => _unstashed.Push(envelope);

    public void Suspend() => _suspensions++;

    public void Resume() => _suspensions = Math.Max(0, _suspensions - 1);

    /// <summary>Ends delivery: what waits goes to the dead letters. Only within a run, at the actor's end.</summary>
    public void Close()
    {
        _closed = true;
        Drain();
        _dispatcher.Detach(this);
    }

    void IThreadPoolWorkItem.Execute() => Run();

    /// <summary>One turn: all system messages and at most the dispatcher's throughput of user messages.</summary>
    public void Run()
    {
        var outer = ActorCell.Current;
        ActorCell.Current = _cell;
        try
        {
            RunSystem();
            for (var left = _dispatcher.Throughput; left > 0 && !_closed && _suspensions == 0; left--)
            {
                if (!TryTake(out var message, out var sender)) break;
                _cell.Invoke(message, sender);
                if (!_system.IsEmpty) RunSystem();
            }
            if (_closed) Drain();
        }
        finally
        {
            ActorCell.Current = outer;
        }
        Interlocked.Exchange(ref _scheduled, 0);
        if (HasWork) TrySchedule(again: true);
    }

    private bool HasWork =>
        !_system.IsEmpty || ((_suspensions == 0 || _closed) && (!_user.IsEmpty || _unstashed.Count > 0));

    private void TrySchedule(bool again)
    {
        if (Interlocked.CompareExchange(ref _scheduled, 1, 0) == 0) _dispatcher.Schedule(this, again);
    }

    private bool TryTake(out object message, out IActorRef sender)
    {
        if (_unstashed.Count == 0) return _user.TryDequeue(out message, out sender);
        var envelope = _unstashed.Pop();
        (message, sender) = (envelope.Message, envelope.Sender);
        return true;
    }

    private void RunSystem()
    {
        while (!_closed && _system.TryDequeue(out var message, out _)) _cell.InvokeSystem((SystemMessage)message);
    }

    private void Drain()
    {
        while (_system.TryDequeue(out var message, out _)) _cell.SystemImpl.DeadLetterRef.SendSystem((SystemMessage)message);
        while (TryTake(out var message, out var sender)) _cell.SystemImpl.DeadLetterRef.Lost(message, sender, _cell.SelfRef);
    }
}
