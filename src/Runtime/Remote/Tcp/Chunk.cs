namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>Frames of small messages, one behind the other, that leave together.</summary>
internal sealed class Chunk
{
    /// <summary>Below the size at which arrays become large objects; the largest message that is copied fits.</summary>
    public const int Bytes = 64 << 10;

    private readonly byte[] _buffer = new byte[Bytes];

    /// <summary>Chunks of one queue are numbered in their order.</summary>
    public long Number { get; set; }

    public int Length { get; private set; }

    /// <summary>Bytes that have left already.</summary>
    public int Start { get; set; }

    /// <summary>What its frames write into the path table.</summary>
    public List<(int Slot, string Path)> Definitions { get; } = [];

    /// <summary>The messages in it, for the case that it never leaves.</summary>
    public List<Outbound> Messages { get; } = [];

    public Span<byte> Free => _buffer.AsSpan(Length);

    public ReadOnlyMemory<byte> Unsent => _buffer.AsMemory(Start, Length - Start);

    public void Commit(int bytes) => Length += bytes;

    public void Clear()
    {
        (Length, Start) = (0, 0);
        Definitions.Clear();
        Messages.Clear();
    }
}
