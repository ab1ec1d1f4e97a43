using System.Runtime.CompilerServices;
using Akka.Actor;

namespace Rl.Distributed.Runtime.Engine;

/// <summary>A queue for many producers and one consumer, without locks: one exchange and one small node a message.</summary>
/// <remarks>
/// The linked queue of D. Vyukov. A producer takes its place with the exchange and links the node afterwards, so for
/// a moment the queue is longer than its links; the consumer then waits for the link. That is why
/// <see cref="IsEmpty"/> compares the ends and not the links: after its exchange a producer may rely on the consumer
/// seeing that something is there.
/// </remarks>
internal sealed class MessageQueue
{
    private sealed class Node
    {
        public object Message;
        public IActorRef Sender;
        public Node Next;
    }

    private Node _last = new();
    private Node _consumed;

    public MessageQueue() => _consumed = _last;

    /// <summary>Any thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enqueue(object message, IActorRef sender)
    {
        var node = new Node { Message = message, Sender = sender };
        var previous = Interlocked.Exchange(ref _last, node);
        Volatile.Write(ref previous.Next, node);
    }

    /// <summary>Exact for the consumer; for others a hint.</summary>
    public bool IsEmpty => ReferenceEquals(Volatile.Read(ref _last), _consumed);

    /// <summary>The consumer only.</summary>
    public bool TryDequeue(out object message, out IActorRef sender)
    {
        var consumed = _consumed;
        var next = Volatile.Read(ref consumed.Next);
        if (next is null)
        {
            if (ReferenceEquals(Volatile.Read(ref _last), consumed))
            {
                (message, sender) = (null, null);
                return false;
            }
            next = AwaitLink(consumed);
        }
        (message, sender) = (next.Message, next.Sender);
        (next.Message, next.Sender) = (null, null);
        consumed.Next = null; // an old node must not keep younger ones alive
        _consumed = next;
        return true;
    }

    private static Node AwaitLink(Node node)
    {
        var spin = new SpinWait();
        Node next;
        while ((next = Volatile.Read(ref node.Next)) is null) spin.SpinOnce(sleep1Threshold: -1);
        return next;
    }
}
