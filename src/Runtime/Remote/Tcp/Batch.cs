namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>Bytes that leave by one call, and what they belong to.</summary>
internal sealed class Batch
{
    /// <summary>Bytes of the longest frame that starts a message on its own, without the body.</summary>
    public const int StartBytes = (2 * Frame.MaxPathBytes) + 32;

    private const int ScratchBytes = 4 * StartBytes, EnoughSegments = 48;

    private readonly byte[] _scratch = new byte[ScratchBytes];
    private int _used;

    public List<ReadOnlyMemory<byte>> Segments { get; } = [];

    public List<Chunk> Chunks { get; } = [];

    /// <summary>Those whose last byte is in this batch.</summary>
    public List<BulkItem> Ended { get; } = [];

    public long Bytes { get; private set; }

    public int Messages => Chunks.Sum(static chunk => chunk.Messages.Count) + Ended.Count;

    public bool HasRoom => _used + StartBytes + 8 <= ScratchBytes && Segments.Count < EnoughSegments;

    public void Add(ReadOnlyMemory<byte> segment)
    {
        Segments.Add(segment);
        Bytes += segment.Length;
    }

    public void Add(Chunk chunk)
    {
        Chunks.Add(chunk);
        Add(chunk.Unsent);
    }

    /// <summary>The batch did not leave as a whole. Returns how many of its messages may have arrived, and in the list those that have
    /// not.</summary>
    public int Fail(bool hasBegun, List<Outbound> lost)
    {
        foreach (var chunk in Chunks)
        {
            if (!hasBegun && chunk.Start == 0) lost.AddRange(chunk.Messages);
        }
        if (!hasBegun) lost.AddRange(Ended.Select(static item => item.Message));
        return Messages - lost.Count;
    }

    /// <summary>Room for a frame's head.</summary>
    public Span<byte> Reserve(int bytes) => _scratch.AsSpan(_used, bytes);

    public void Commit(int bytes)
    {
        Add(_scratch.AsMemory(_used, bytes));
        _used += bytes;
    }

    public void Clear()
    {
        Segments.Clear();
        Chunks.Clear();
        Ended.Clear();
        (_used, Bytes) = (0, 0);
    }
}
