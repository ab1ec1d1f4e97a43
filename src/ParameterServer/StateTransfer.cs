using Akka.Actor;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>Brings a shard's states to one receiver, one after the other, in chunks of which a few are on their way; again, where no answer
/// comes.</summary>
/// <remarks>A plain object for one thread.</remarks>
/// <param name="to">The receiver.</param>
/// <param name="shard">Which shard.</param>
/// <param name="epoch">The shard's.</param>
/// <param name="options">Sizes of chunks.</param>
public sealed class StateSender(IActorRef to, int shard, int epoch, ParameterServerOptions options)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly int _chunkLength = options.ChunkKilobytes * 1024;
    private ReadOnlyMemory<byte>? _state;
    private long _number;
    private int _sent, _received;
    private TimeSpan _progressAt;

    /// <summary>A state is on its way.</summary>
    public bool IsBusy => _state is not null;

    /// <summary>Begins to send a state, which must not change any more.</summary>
    public void Begin(ReadOnlyMemory<byte> state, TimeSpan now)
    {
        _state = state;
        Restart(now);
    }

    /// <summary>Takes an answer; true where all of the state has arrived.</summary>
    public bool OnReceived(StateReceived message, TimeSpan now)
    {
        if (_state is not { } state || message.Number != _number || message.Count <= _received || message.Count > _sent) return false;
        (_received, _progressAt) = (message.Count, now);
        if (_received == state.Length) _state = null;
        else SendChunks();
        return _state is null;
    }

    /// <summary>To be called every so often: an answer that stays away is asked for.</summary>
    public void Check(TimeSpan now)
    {
        if (IsBusy && now - _progressAt > Patience) Restart(now);
    }

    private void Restart(TimeSpan now)
    {
        (_number, _sent, _received, _progressAt) = (_number + 1, 0, 0, now);
        SendChunks();
    }

    private void SendChunks()
    {
        var state = _state!.Value;
        while (_sent < state.Length && _sent - _received < (long)options.ChunksInFlight * _chunkLength)
        {
            var length = ChunkSequence<long>.LengthAt(_sent, state.Length, _chunkLength);
            to.Tell(new StateChunk(shard, epoch, _number, state.Length, _sent, state.Slice(_sent, length)));
            _sent += length;
        }
    }
}

/// <summary>Puts a shard's states together from their chunks.</summary>
/// <remarks>A plain object for one thread.</remarks>
/// <param name="maxBytes">Larger states are refused.</param>
public sealed class StateReceiver(long maxBytes)
{
    private readonly ChunkSequence<long> _chunks = new();
    private byte[] _state = [];

    /// <summary>Takes a chunk.</summary>
    /// <param name="message">The chunk.</param>
    /// <param name="state">All of the state, if this was the last chunk.</param>
    /// <returns>The answer; null where the chunk is not the next one.</returns>
    public StateReceived? Take(StateChunk message, out byte[]? state)
    {
        state = null;
        if (message.Total > maxBytes || !_chunks.Accept(message.Number, message.Total, message.Offset, message.Values.Length)) return null;
        if (message.Offset == 0) _state = new byte[message.Total];
        message.Values.Span.CopyTo(_state.AsSpan(message.Offset));
        if (_chunks.IsComplete) (state, _state) = (_state, []);
        return new StateReceived(message.Shard, message.Epoch, message.Number, _chunks.Received);
    }
}

/// <summary>A shard's state as bytes: a checkpoint's file in memory.</summary>
public static class ShardStates
{
    private const int BytesOfParameter = 3 * sizeof(float), LedgerBytes = 64 << 20, HeaderBytes = 4096;

    /// <summary>No state of such a range has more bytes.</summary>
    public static long MaxBytes(ShardRange range) => Math.Min(int.MaxValue, ((long)range.Count * BytesOfParameter) + LedgerBytes);

    /// <remarks>The buffer has its size from the start, and is not copied: a state may have hundreds of megabytes.</remarks>
    public static ReadOnlyMemory<byte> Encode(Checkpoint state)
    {
        var size = HeaderBytes + state.Tensors.Sum(tensor => tensor.Bytes);
        var bytes = new MemoryStream((int)Math.Min(size, Array.MaxLength));
        Safetensors.Write(bytes, state);
        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    /// <exception cref="CheckpointFormatException">These bytes are no state.</exception>
    public static Checkpoint Decode(byte[] bytes) => Safetensors.Read(new MemoryStream(bytes));
}
