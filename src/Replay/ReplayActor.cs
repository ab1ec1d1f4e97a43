using Akka.Actor;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Replay;

/// <summary>What a replay actor with a FIFO table needs to know.</summary>
/// <param name="Shape">The shape that every unroll of the run has.</param>
/// <param name="Workers">How many workers the table has room for at first; it grows with those that register.</param>
/// <param name="CreditsPerWorker">Unrolls that a worker may have in flight.</param>
/// <param name="MaxBytesPerWorker">Bytes that a worker may have in flight; one unroll is always allowed.</param>
/// <param name="WirePool">Gets back the unrolls that came over a wire, when nobody reads them any more.</param>
public sealed record ReplayOptions(
    UnrollShape Shape, int Workers, int CreditsPerWorker, long MaxBytesPerWorker, UnrollPool? WirePool = null);

/// <summary>
/// Is responsible for the experience between workers and the learner: grants credits, queues unrolls, hands out batches
/// on request, and returns credits when the learner is done with them.
/// </summary>
public sealed class ReplayActor : ReceiveActor
{
    // A learner has two batches at a time. What is older was lost on its way, or its learner was.
    private const int MaxLent = 8;

    private readonly ReplayOptions _options;
    private readonly FifoTable _table;
    private readonly CreditBook _credits;
    private readonly Dictionary<int, IActorRef> _workers = [];
    private readonly List<Unroll[]> _lent = [];
    private IActorRef? _waitingLearner;
    private int _requested;

    public ReplayActor(ReplayOptions options)
    {
        _options = options;
        if (options.WirePool is { } pool) pool.Shape = options.Shape;
        _table = new FifoTable(CapacityFor(Math.Max(1, options.Workers)));
        _credits = new CreditBook(options.CreditsPerWorker, options.MaxBytesPerWorker);
        Receive<RegisterWorker>(OnRegister);
        Receive<InsertUnroll>(OnInsert);
        Receive<RequestBatch>(OnRequest);
        Receive<BatchConsumed>(OnConsumed);
        Receive<Terminated>(OnTerminated);
    }

    // What is counted as lost, or comes from workers that are gone, takes room beside what has a credit.
    private int CapacityFor(int workers) => workers * _options.CreditsPerWorker * 2;

    private void OnRegister(RegisterWorker message)
    {
        if (!_credits.TryRegister(message.Worker, message.Incarnation)) return;
        if (_workers.TryGetValue(message.Worker, out var earlier) && !earlier.Equals(Sender)) Context.Unwatch(earlier);
        _workers[message.Worker] = Sender;
        Context.Watch(Sender);
        _table.Capacity = Math.Max(_table.Capacity, CapacityFor(_workers.Count));
        Sender.Tell(new CreditsGranted(message.Worker, message.Incarnation, _credits.CreditsFor(message.UnrollBytes)));
    }

    private void OnInsert(InsertUnroll message)
    {
        var unroll = message.Unroll;
        UnrollOutcome? rejection = unroll.Shape == _options.Shape
            ? _credits.Reject(unroll.Id.Worker, unroll.Id.Incarnation, unroll.Id.Sequence)
            : UnrollOutcome.WrongShape;
        if (rejection is null && !_table.TryInsert(unroll)) rejection = UnrollOutcome.TableFull;
        if (rejection is { } outcome)
        {
            Sender.Tell(new CreditReturned(unroll.Id, outcome));
            _options.WirePool?.Return(unroll);
        }
        else Serve();
    }

    private void OnRequest(RequestBatch message)
    {
        (_waitingLearner, _requested) = (Sender, message.Unrolls);
        Serve();
    }

    private void OnConsumed(BatchConsumed message)
    {
        if (_options.WirePool is { } pool) TakeBack(message.Unrolls, pool);
        foreach (var id in message.Unrolls)
            if (_workers.TryGetValue(id.Worker, out var worker)) worker.Tell(new CreditReturned(id, UnrollOutcome.Consumed));
    }

    // Batches are consumed in the order in which they were handed out: those before this one are not waited for.
    private void TakeBack(UnrollId[] ids, UnrollPool pool)
    {
        var index = _lent.FindIndex(batch => ids.AsSpan().SequenceEqual(Array.ConvertAll(batch, unroll => unroll.Id)));
        if (index < 0) return;
        foreach (var unroll in _lent[index]) pool.Return(unroll);
        _lent.RemoveRange(0, index + 1);
    }

    private void OnTerminated(Terminated message)
    {
        foreach (var (index, worker) in _workers)
            if (worker.Equals(message.ActorRef))
            {
                _workers.Remove(index);
                return;
            }
    }

    private void Serve()
    {
        if (_waitingLearner is null || !_table.TryTake(_requested, out var unrolls)) return;
        if (_options.WirePool is not null)
        {
            if (_lent.Count == MaxLent) _lent.RemoveAt(0);
            _lent.Add(unrolls);
        }
        _waitingLearner.Tell(new BatchReady(unrolls));
        _waitingLearner = null;
    }
}
