namespace Rl.Distributed.Runtime.Remote.Tcp;

/// <summary>What a transport has carried. Thread-safe; added to once a batch.</summary>
internal sealed class TcpCounters
{
    private long _messagesSent, _bytesSent, _messagesReceived, _bytesReceived, _dropped, _rejected;

    public TransportCounters Snapshot => new(
        Volatile.Read(ref _messagesSent), Volatile.Read(ref _bytesSent), Volatile.Read(ref _messagesReceived),
        Volatile.Read(ref _bytesReceived), Volatile.Read(ref _dropped), Volatile.Read(ref _rejected));

    public void Sent(long messages, long bytes)
    {
        Interlocked.Add(ref _messagesSent, messages);
        Interlocked.Add(ref _bytesSent, bytes);
    }

    public void Received(long messages, long bytes)
    {
        if (messages > 0) Interlocked.Add(ref _messagesReceived, messages);
        if (bytes > 0) Interlocked.Add(ref _bytesReceived, bytes);
    }

    public void Drop(long messages) => Interlocked.Add(ref _dropped, messages);

    public void Reject() => Interlocked.Increment(ref _rejected);
}
