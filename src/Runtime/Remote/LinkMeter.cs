namespace Rl.Distributed.Runtime.Remote;

/// <summary>Bytes between this system and a peer, by the id of the message.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class LinkMeter
{
    private const int Ids = 512;

    private readonly long[] _sent = new long[Ids], _received = new long[Ids];

    public void Sent(int id, long bytes) => Interlocked.Add(ref _sent[id & (Ids - 1)], bytes);

    public void Received(int id, long bytes) => Interlocked.Add(ref _received[id & (Ids - 1)], bytes);

    public long SentOf(int id) => Volatile.Read(ref _sent[id]);

    public long ReceivedOf(int id) => Volatile.Read(ref _received[id]);

    /// <summary>Ids of which anything was sent or received.</summary>
    public IEnumerable<int> Used => Enumerable.Range(0, Ids).Where(id => SentOf(id) + ReceivedOf(id) > 0);
}
