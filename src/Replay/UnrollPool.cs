using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Replay;

/// <summary>Reuses unrolls into which messages from other machines are read.</summary>
/// <remarks>Thread-safe. An unroll that is never returned only costs a new one: the garbage collector has it then.</remarks>
public sealed class UnrollPool
{
    /// <summary>Bytes that a pool keeps where nothing else is said.</summary>
    public const long DefaultMaxBytes = 256L << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<UnrollShape, Stack<Unroll>> _free = [];
    private readonly long _maxBytes;
    private long _bytes;
    private UnrollShape? _shape;

    /// <param name="maxBytes">Bytes of unrolls that it keeps at most, rented ones aside.</param>
    public UnrollPool(long maxBytes = DefaultMaxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        _maxBytes = maxBytes;
    }

    /// <summary>The shape of all unrolls of the run: others are neither read nor kept. Null where no run is known yet.</summary>
    public UnrollShape? Shape
    {
        get => Volatile.Read(ref _shape);
        set => Volatile.Write(ref _shape, value);
    }

    /// <summary>How many unrolls were ever made.</summary>
    public int Created { get; private set; }

    /// <summary>An unroll whose buffers hold anything.</summary>
    public Unroll Rent(UnrollShape shape)
    {
        lock (_lock)
        {
            if (_free.TryGetValue(shape, out var unrolls) && unrolls.TryPop(out var unroll)) _bytes -= shape.ByteCount;
            else
            {
                unroll = new Unroll(shape);
                Created++;
            }
            unroll.Owner = this;
            return unroll;
        }
    }

    /// <summary>Takes the unroll back, once; nothing, where it is not rented from this pool. Nobody may read it any more.</summary>
    public void Return(Unroll unroll)
    {
        lock (_lock)
        {
            if (unroll.Owner != this) return;
            unroll.Owner = null;
            if (Shape is { } shape && unroll.Shape != shape) return;
            unroll.Poison();
            var bytes = unroll.Shape.ByteCount;
            if (!_free.TryGetValue(unroll.Shape, out var unrolls))
            {
                // A run has one shape. What another left behind makes room.
                _free.Clear();
                _bytes = 0;
                _free[unroll.Shape] = unrolls = [];
            }
            if (_bytes + bytes > _maxBytes) return;
            unrolls.Push(unroll);
            _bytes += bytes;
        }
    }
}
