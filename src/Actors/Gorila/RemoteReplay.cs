using Akka.Actor;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Actors.Gorila;

/// <summary>A learner's way to the replay memory of another node, as far as the learner's thread goes: segments that may be sent, minibatches
/// that have come.</summary>
/// <remarks>Thread-safe: the learner takes, the node's <see cref="ReplayLinkActor"/> gives; that one speaks with the other node. The learner
/// asks <see cref="IsReady"/> before each segment; where that is not so, it is told <see cref="LearnerReady"/> when it is.</remarks>
public sealed class RemoteReplay : IReplayAccess
{
    private readonly Lock _lock = new();
    private readonly Stack<Unroll> _free = new();
    private readonly Queue<TransitionBatch> _ready = new();
    private readonly Stack<TransitionBatch> _empty = new();
    private readonly IActorRef _link, _learner;
    private bool _filling;

    /// <param name="place">Which learner it is.</param>
    /// <param name="segment">The shape of its segments.</param>
    /// <param name="batchSize">Steps of a minibatch.</param>
    /// <param name="link">The node's.</param>
    public RemoteReplay(LearnerPlace place, UnrollShape segment, int batchSize, IActorRef link)
    {
        ArgumentNullException.ThrowIfNull(place);
        (Worker, Incarnation, Segment, BatchSize, _link, _learner) = (place.Index, place.Incarnation, segment, batchSize, link, place.Runner);
        link.Tell(new OpenReplay(this));
    }

    public int Worker { get; }

    public int Incarnation { get; }

    public UnrollShape Segment { get; }

    public int BatchSize { get; }

    public bool IsReady
    {
        get
        {
            lock (_lock) return _free.Count > 0 && (_ready.Count > 0 || _filling);
        }
    }

    /// <summary>Minibatches that have come and were not taken yet.</summary>
    internal int Ready
    {
        get
        {
            lock (_lock) return _ready.Count;
        }
    }

    /// <exception cref="InvalidOperationException">It was not ready.</exception>
    public void Insert(in TransitionSegment segment)
    {
        Unroll unroll;
        lock (_lock) unroll = _free.TryPop(out var free) ? free : throw new InvalidOperationException("There is no credit for a segment.");
        segment.Observations.CopyTo(unroll.Observations);
        segment.Actions.CopyTo(unroll.Actions);
        segment.Rewards.CopyTo(unroll.Rewards);
        segment.Discounts.CopyTo(unroll.Discounts);
        for (var i = 0; i < segment.Ends.Length; i++)
        {
            unroll.Reset[i + Segment.Environments] = segment.Ends[i] != StepEnd.GoesOn;
            // The owner tells a cut from an end by this; the step is never drawn.
            if (segment.Ends[i] == StepEnd.Cut) unroll.Discounts[i] = 1;
        }
        _link.Tell(new SendSegment(this, unroll));
    }

    public bool TrySample(TransitionBatch batch)
    {
        lock (_lock)
        {
            if (!_ready.TryDequeue(out var ready)) return false;
            batch.CopyFrom(ready);
            _empty.Push(ready);
        }
        _link.Tell(new MinibatchTaken(this));
        return true;
    }

    public void Dispose() => _link.Tell(new CloseReplay(this));

    /// <summary>The learner may send one segment more, from these buffers.</summary>
    internal void AddCredit(Unroll buffers)
    {
        lock (_lock) _free.Push(buffers);
        Wake();
    }

    /// <summary>Takes in what was drawn; false where it is not of this run.</summary>
    internal bool TryAdd(TransitionsDrawn drawn)
    {
        TransitionBatch batch;
        lock (_lock) batch = _empty.TryPop(out var empty) ? empty : new TransitionBatch(Segment.Observation, BatchSize);
        var isGood = batch.TryFill(drawn, Segment.Actions);
        lock (_lock)
        {
            if (isGood) _ready.Enqueue(batch);
            else _empty.Push(batch);
            _filling &= !isGood;
        }
        if (isGood) Wake();
        return isGood;
    }

    /// <summary>The memory does not have enough: the learner acts, and does not wait for a minibatch.</summary>
    internal void SetFilling()
    {
        lock (_lock) _filling = true;
        Wake();
    }

    private void Wake()
    {
        if (IsReady) _learner.Tell(LearnerReady.Instance);
    }
}

// Within a node: between a learner's way to the memory and the node's link.

/// <summary>To the link: a learner begins.</summary>
public sealed record OpenReplay(RemoteReplay Replay);

/// <summary>To the link: a segment, which costs a credit.</summary>
public sealed record SendSegment(RemoteReplay Replay, Unroll Segment);

/// <summary>To the link: a minibatch was taken, there is room for another.</summary>
public sealed record MinibatchTaken(RemoteReplay Replay);

/// <summary>To the link: the learner ends.</summary>
public sealed record CloseReplay(RemoteReplay Replay);
