using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Replay;

/// <summary>A replay memory of single steps: the newest <see cref="Capacity"/> of all lanes, drawn uniformly, with replacement.</summary>
/// <remarks>
/// Thread-safe: a segment is inserted, a minibatch copied out, under one lock; neither allocates. A ring of rows: the oldest makes room.
/// An observation is stored once, in its stored form (binary planes as bits): what a step led to is the lane's next row, which a row names
/// and which always outlives it, whichever lanes wrote in between. Stacks of frames are stored as they are.
/// A row can be drawn once its lane's next row is there, or at once where the task ended the episode. A step that a limit cut leads
/// nowhere that is stored, and is never drawn: so nothing is bootstrapped from what does not follow. Invariant: Count ≤ Capacity.
/// </remarks>
public sealed class TransitionMemory
{
    /// <summary>Bytes of a row beside its observation.</summary>
    private const int RowBytes = 4 * sizeof(int);

    private const int MaxBlockBytes = 64 << 20;

    // What a row leads to, where it is not a row.
    private const int Open = -1, Cut = -2, Ended = -3;

    private readonly Lock _lock = new();
    private readonly byte[][] _observations;
    private readonly int[] _actions, _next;
    private readonly float[] _rewards, _discounts;
    private readonly int _observationBytes, _blockRows;
    private long _inserted;
    private int _slot, _count;
    private bool _couldDraw;

    /// <param name="observation">What is stored.</param>
    /// <param name="capacity">Rows.</param>
    public TransitionMemory(ObservationSpec observation, int capacity)
    {
        ArgumentNullException.ThrowIfNull(observation);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        (Observation, Capacity, _observationBytes) = (observation, capacity, observation.ByteCount);
        _blockRows = Math.Max(1, Math.Min(capacity, MaxBlockBytes / _observationBytes));
        _observations = new byte[(capacity + _blockRows - 1) / _blockRows][];
        for (var i = 0; i < _observations.Length; i++)
            _observations[i] = new byte[Math.Min(_blockRows, capacity - i * _blockRows) * _observationBytes];
        (_actions, _next, _rewards, _discounts) = (new int[capacity], new int[capacity], new float[capacity], new float[capacity]);
    }

    public ObservationSpec Observation { get; }

    public int Capacity { get; }

    /// <summary>Steps that can be drawn.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _count;
        }
    }

    /// <summary>Steps that were ever inserted.</summary>
    public long Inserted
    {
        get
        {
            lock (_lock) return _inserted;
        }
    }

    /// <summary>It is full, and none of its steps could ever be drawn: each was cut, or is gone before the next of its lane comes.</summary>
    public bool IsBarren
    {
        get
        {
            lock (_lock) return _inserted >= Capacity && !_couldDraw;
        }
    }

    /// <summary>Bytes that a memory takes.</summary>
    public static long BytesFor(ObservationSpec observation, int capacity) => capacity * ((long)observation.ByteCount + RowBytes);

    /// <summary>Inserts the steps of a segment, time first.</summary>
    /// <param name="lanes">[B], the same for each segment of these environments.</param>
    /// <param name="segment">Its steps.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public void Insert(ReadOnlySpan<TransitionLane> lanes, in TransitionSegment segment)
    {
        var rows = segment.Actions.Length;
        if (rows % Math.Max(1, lanes.Length) != 0 || segment.Rewards.Length != rows || segment.Discounts.Length != rows
            || segment.Ends.Length != rows || segment.Observations.Length != rows * _observationBytes)
            throw new ArgumentException($"A segment of {rows} actions does not fit {lanes.Length} lanes, or its other parts.", nameof(segment));
        lock (_lock)
            for (var row = 0; row < rows; row++)
                Insert(
                    lanes[row % lanes.Length], segment.Observations.Slice(row * _observationBytes, _observationBytes), segment.Actions[row],
                    segment.Rewards[row], segment.Discounts[row], segment.Ends[row]);
    }

    /// <summary>Draws a minibatch; false where it has fewer than <paramref name="least"/> steps, or none that can be drawn.</summary>
    /// <remarks>All steps count, or learning that waits for a full memory would never begin: the newest of each lane can never be drawn.</remarks>
    public bool TrySample(int least, TransitionBatch batch, ref RandomStream random)
    {
        lock (_lock)
        {
            var rows = (int)Math.Min(_inserted, Capacity);
            if (_count == 0 || rows < least) return false;
            for (var i = 0; i < batch.Size; i++)
            {
                var slot = random.NextInt32(rows);
                while (_next[slot] is Open or Cut) slot = random.NextInt32(rows);
                // Where nothing follows any observation will do: its worth is multiplied by 0.
                var next = _next[slot] == Ended ? slot : _next[slot];
                ObservationAt(slot).CopyTo(batch.Observations[(i * _observationBytes)..]);
                ObservationAt(next).CopyTo(batch.Next[(i * _observationBytes)..]);
                (batch.Actions[i], batch.Rewards[i], batch.Discounts[i]) = (_actions[slot], _rewards[slot], _discounts[slot]);
            }
            return true;
        }
    }

    private void Insert(TransitionLane lane, ReadOnlySpan<byte> observation, int action, float reward, float discount, StepEnd end)
    {
        var slot = _slot;
        if (_inserted >= Capacity && _next[slot] is not (Open or Cut)) _count--;
        // The step before leads here, unless it is gone already.
        if (lane.Last >= 0 && lane.Last > _inserted - Capacity)
        {
            _next[lane.Last % Capacity] = slot;
            _count++;
        }
        observation.CopyTo(ObservationAt(slot));
        (_actions[slot], _rewards[slot], _discounts[slot]) = (action, reward, discount);
        _next[slot] = end switch { StepEnd.Ended => Ended, StepEnd.Cut => Cut, _ => Open };
        if (end == StepEnd.Ended) _count++;
        _couldDraw |= _count > 0;
        lane.Last = end == StepEnd.GoesOn ? _inserted : -1;
        _inserted++;
        _slot = slot + 1 == Capacity ? 0 : slot + 1;
    }

    private Span<byte> ObservationAt(int slot)
    {
        var (block, row) = Math.DivRem(slot, _blockRows);
        return _observations[block].AsSpan(row * _observationBytes, _observationBytes);
    }
}

/// <summary>One environment's place in a <see cref="TransitionMemory"/>: which step was its last. A new one begins with an episode, or with
/// whatever its environment shows: it joins nothing that came before.</summary>
public sealed class TransitionLane
{
    internal long Last { get; set; } = -1;

    /// <summary>Lanes of so many environments.</summary>
    public static TransitionLane[] Create(int count)
    {
        var lanes = new TransitionLane[count];
        for (var i = 0; i < count; i++) lanes[i] = new TransitionLane();
        return lanes;
    }
}
