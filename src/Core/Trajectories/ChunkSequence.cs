namespace Rl.Distributed.Core.Trajectories;

/// <summary>Cuts payloads into chunks, and follows the chunks of one payload after the other on the receiving side.</summary>
/// <remarks>
/// One big message would hold up all others between two nodes. Chunks of a payload come in order; one that is missing makes the payload
/// worthless, and the next payload begins anew. A plain object for one thread.
/// </remarks>
/// <typeparam name="TKey">Tells payloads apart.</typeparam>
public sealed class ChunkSequence<TKey>
    where TKey : IEquatable<TKey>
{
    private TKey? _key;
    private int _total, _received;

    /// <summary>Elements of the present payload that have come, without a gap.</summary>
    public int Received => _received;

    /// <summary>The last chunk has come.</summary>
    public bool IsComplete => _total > 0 && _received == _total;

    /// <summary>Takes note of a chunk; false where it is not the next one: it is to be thrown away.</summary>
    /// <param name="key">The payload that it belongs to.</param>
    /// <param name="total">Elements of that payload.</param>
    /// <param name="offset">Where in it the chunk begins; 0 begins a payload.</param>
    /// <param name="length">Elements of the chunk.</param>
    public bool Accept(TKey key, int total, int offset, int length)
    {
        if (total <= 0 || offset < 0 || length <= 0 || length > total - offset) return false;
        if (offset == 0) (_key, _total, _received) = (key, total, 0);
        if (offset != _received || total != _total || !key.Equals(_key!)) return false;
        _received += length;
        return true;
    }

    /// <summary>The length of the chunk that begins at <paramref name="offset"/>.</summary>
    public static int LengthAt(int offset, int total, int chunkLength) => Math.Min(chunkLength, total - offset);
}
