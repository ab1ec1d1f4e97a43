using Akka.Dispatch;

namespace Akka.Actor
{
    /// <summary>Messages put aside until the actor can handle them.</summary>
    public interface IStash
    {
        int Count { get; }

        bool IsEmpty { get; }

        bool NonEmpty { get; }

        /// <summary>Puts the message being handled aside.</summary>
        /// <exception cref="IllegalActorStateException">It already is.</exception>
        void Stash();

        /// <summary>The oldest comes next.</summary>
        void Unstash();

        /// <summary>All come next, in their old order, before whatever else waits.</summary>
        void UnstashAll();

        /// <summary>As <see cref="UnstashAll()"/>, but what does not fit the predicate is dropped.</summary>
        void UnstashAll(Func<Envelope, bool> predicate);

        /// <summary>Takes all messages out.</summary>
        IEnumerable<Envelope> ClearStash();

        /// <summary>Puts messages in front of those put aside.</summary>
        void Prepend(IEnumerable<Envelope> envelopes);
    }

    /// <summary>An actor with a stash; the engine sets it before PreStart.</summary>
    public interface IActorStash
    {
        IStash Stash { get; set; }
    }

    public interface IWithUnrestrictedStash : IActorStash;

    /// <summary>An actor with a stash.</summary>
    public interface IWithStash : IActorStash, IRequiresMessageQueue<IDequeBasedMessageQueueSemantics>, IWithUnrestrictedStash;

    /// <summary>An actor with a stash.</summary>
    public interface IWithUnboundedStash :
        IActorStash, IRequiresMessageQueue<IUnboundedDequeBasedMessageQueueSemantics>, IWithUnrestrictedStash;
}

namespace Akka.Dispatch
{
    public interface ISemantics;

    public interface IDequeBasedMessageQueueSemantics : ISemantics;

    public interface IUnboundedDequeBasedMessageQueueSemantics : IDequeBasedMessageQueueSemantics;

    /// <summary>Says what an actor needs of its mailbox; every mailbox of this engine has it.</summary>
    public interface IRequiresMessageQueue<T>
        where T : ISemantics;
}
