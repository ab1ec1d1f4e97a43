namespace Rl.Distributed.Runtime.Engine;

/// <summary>The one seam to threads: decides where and when a mailbox that has work gets its turn.</summary>
internal abstract class Dispatcher
{
    /// <summary>The id of the dispatcher of actors that name none.</summary>
    public const string DefaultId = "akka.actor.default-dispatcher";

    /// <summary>User messages a turn.</summary>
    public abstract int Throughput { get; }

    /// <summary>A new mailbox; what is returned is its <see cref="Mailbox.Home"/>.</summary>
    public virtual object Attach(Mailbox mailbox) => null;

    /// <summary>Arranges exactly one <see cref="Mailbox.Run"/>.</summary>
    /// <param name="mailbox">Has work and no turn yet.</param>
    /// <param name="again">It just had a turn: others go first.</param>
    public abstract void Schedule(Mailbox mailbox, bool again);

    /// <summary>The mailbox was closed, in its run.</summary>
    public virtual void Detach(Mailbox mailbox)
    {
    }

    /// <summary>Waits for threads of its own to end. All its mailboxes are closed.</summary>
    public virtual void Join()
    {
    }
}

/// <summary>Turns on the process's thread pool.</summary>
internal sealed class PoolDispatcher : Dispatcher
{
    public override int Throughput => 100;

    public override void Schedule(Mailbox mailbox, bool again) =>
        ThreadPool.UnsafeQueueUserWorkItem(mailbox, preferLocal: !again);
}

/// <summary>A thread of its own for every actor, for those that compute long.</summary>
internal sealed class PinnedDispatcher(string threadNamePrefix) : Dispatcher
{
    private readonly HashSet<PinnedThread> _threads = [];

    public override int Throughput => 100;

    public override object Attach(Mailbox mailbox)
    {
        var thread = new PinnedThread(this, mailbox, threadNamePrefix + mailbox.Cell.SelfRef.Path.ToStringWithoutAddress());
        lock (_threads) _threads.Add(thread);
        thread.Start();
        return thread;
    }

    public override void Schedule(Mailbox mailbox, bool again) => ((PinnedThread)mailbox.Home).Signal();

    public void Ended(PinnedThread thread)
    {
        lock (_threads) _threads.Remove(thread);
    }

    public override void Join()
    {
        PinnedThread[] threads;
        lock (_threads) threads = [.. _threads];
        foreach (var thread in threads) thread.Join();
    }
}

/// <summary>The thread of one pinned actor. It spins shortly, then sleeps until there is work; it ends with its actor.</summary>
internal sealed class PinnedThread
{
    private readonly PinnedDispatcher _dispatcher;
    private readonly Mailbox _mailbox;
    private readonly SemaphoreSlim _turns = new(0);
    private readonly Thread _thread;
    private int _ended;

    public PinnedThread(PinnedDispatcher dispatcher, Mailbox mailbox, string name)
    {
        (_dispatcher, _mailbox) = (dispatcher, mailbox);
        _thread = new Thread(Loop) { Name = name, IsBackground = true };
    }

    public void Start() => _thread.UnsafeStart();

    public void Signal()
    {
        _turns.Release();
        if (Volatile.Read(ref _ended) == 1) RunElsewhere();
    }

    public void Join()
    {
        if (_thread != Thread.CurrentThread) _thread.Join();
    }

    private void Loop()
    {
        while (!_mailbox.IsClosed)
        {
            _turns.Wait();
            _mailbox.Run();
        }
        Interlocked.Exchange(ref _ended, 1);
        RunElsewhere();
        _dispatcher.Ended(this);
    }

    /// <summary>A turn that was asked for when the thread ended: whoever gets its permit passes it to the pool.</summary>
    private void RunElsewhere()
    {
        if (_turns.Wait(0)) ThreadPool.UnsafeQueueUserWorkItem(_mailbox, preferLocal: false);
    }
}
