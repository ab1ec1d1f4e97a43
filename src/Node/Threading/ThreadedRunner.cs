using System.Runtime.ExceptionServices;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Node.Threading;

/// <summary>Runs shards on its own background threads and on the calling one.</summary>
/// <remarks>
/// Whoever is free takes the next shard, so that uneven shards or a busy core do not hold up the rest. Between calls
/// the threads spin for some microseconds and then block. A call allocates nothing. Calls from several threads, and
/// from within a shard, are allowed: while one is under way the others run their shards themselves, one after the other.
/// </remarks>
public sealed class ThreadedRunner : IParallelRunner, IDisposable
{
    private const int Spins = 50;

    private readonly Thread[] _threads;
    private readonly ManualResetEventSlim _work = new(false, Spins);
    private readonly ManualResetEventSlim _done = new(false, Spins);
    private Action<int>? _body;
    private ExceptionDispatchInfo? _failure;
    private int _count, _remaining, _completed, _isBusy;
    private volatile bool _isDisposed;

    /// <param name="degree">How many threads compute, the caller's among them.</param>
    public ThreadedRunner(int degree)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(degree, 1);
        Degree = degree;
        _threads = new Thread[degree - 1];
        for (var i = 0; i < _threads.Length; i++)
        {
            _threads[i] = new Thread(Work) { IsBackground = true, Name = $"kernels {i + 1}" };
            _threads[i].Start();
        }
    }

    public int Degree { get; }

    public void Run(int count, Action<int> body)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentNullException.ThrowIfNull(body);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (count <= 1 || Degree == 1 || Interlocked.Exchange(ref _isBusy, 1) == 1)
        {
            SequentialRunner.Instance.Run(count, body);
            return;
        }
        (_body, _count, _completed, _failure) = (body, count, 0, null);
        Volatile.Write(ref _remaining, count);
        _work.Set();
        while (TakeShard())
        {
        }
        while (Volatile.Read(ref _completed) < count)
        {
            // A late signal of the call before may end the wait early; the count decides.
            _done.Wait();
            _done.Reset();
        }
        var failure = _failure;
        (_body, _failure) = (null, null);
        Volatile.Write(ref _isBusy, 0);
        failure?.Throw();
    }

    /// <summary>Ends the threads. No call may be under way.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _work.Set();
        foreach (var thread in _threads) thread.Join();
        _work.Dispose();
        _done.Dispose();
    }

    private void Work()
    {
        while (true)
        {
            _work.Wait();
            if (_isDisposed) return;
            while (TakeShard())
            {
            }
            _work.Reset();
            // A call, or the end, that was signalled just before the reset.
            if (Volatile.Read(ref _remaining) > 0 || _isDisposed) _work.Set();
        }
    }

    /// <summary>Takes the next shard of the call under way and runs it; false if none is left.</summary>
    private bool TakeShard()
    {
        int remaining;
        do
        {
            remaining = Volatile.Read(ref _remaining);
            if (remaining == 0) return false;
        }
        while (Interlocked.CompareExchange(ref _remaining, remaining - 1, remaining) != remaining);

        // From here on the call cannot end before this shard does, so its fields are stable.
        var count = _count;
        try
        {
            _body!(count - remaining);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
        }
        if (Interlocked.Increment(ref _completed) == count) _done.Set();
        return true;
    }
}
