using System.Collections.Concurrent;
using Akka.Actor;
using Rl.Distributed.Runtime.Engine;

namespace Akka.Event;

/// <summary>Hands events to whom they concern.</summary>
public abstract class EventBus<TEvent, TClassifier, TSubscriber>
{
    private protected EventBus()
    {
    }

    /// <summary>False if already subscribed.</summary>
    public virtual bool Subscribe(TSubscriber subscriber, TClassifier classifier) => AddSubscription(subscriber, classifier);

    /// <summary>False if not subscribed.</summary>
    public virtual bool Unsubscribe(TSubscriber subscriber, TClassifier classifier) => RemoveSubscription(subscriber, classifier);

    public virtual bool Unsubscribe(TSubscriber subscriber) => RemoveAll(subscriber);

    public virtual void Publish(TEvent @event) => Distribute(@event);

    private protected abstract bool AddSubscription(TSubscriber subscriber, TClassifier classifier);

    private protected abstract bool RemoveSubscription(TSubscriber subscriber, TClassifier classifier);

    private protected abstract bool RemoveAll(TSubscriber subscriber);

    private protected abstract void Distribute(TEvent published);
}

/// <summary>An event bus whose subscribers are actors.</summary>
public abstract class ActorEventBus<TEvent, TClassifier> : EventBus<TEvent, TClassifier, IActorRef>
{
    private protected ActorEventBus()
    {
    }
}

/// <summary>Events by type: who subscribes to a type gets its subtypes too, each event once.</summary>
public class LoggingBus : ActorEventBus<object, Type>
{
    private readonly Lock _lock = new();
    private List<(IActorRef Subscriber, Type Channel)> _subscriptions = [];
    private ConcurrentDictionary<Type, IActorRef[]> _receivers = new();

    private protected LoggingBus()
    {
    }

    /// <summary>The least level that loggers made from now on publish; Info at first.</summary>
    public LogLevel LogLevel { get; private set; } = LogLevel.InfoLevel;

    public void SetLogLevel(LogLevel logLevel) => LogLevel = logLevel;

    private protected override bool AddSubscription(IActorRef subscriber, Type channel)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        ArgumentNullException.ThrowIfNull(channel);
        lock (_lock)
        {
            if (_subscriptions.Contains((subscriber, channel))) return false;
            Replace([.. _subscriptions, (subscriber, channel)]);
            return true;
        }
    }

    private protected override bool RemoveSubscription(IActorRef subscriber, Type channel) =>
        Remove(each => each.Channel == channel && each.Subscriber.Equals(subscriber));

    private protected override bool RemoveAll(IActorRef subscriber) => Remove(each => each.Subscriber.Equals(subscriber));

    private protected override void Distribute(object published)
    {
        ArgumentNullException.ThrowIfNull(published);
        var receivers = Volatile.Read(ref _receivers);
        if (!receivers.TryGetValue(published.GetType(), out var subscribers))
        {
            subscribers = [.. Volatile.Read(ref _subscriptions)
                .Where(each => each.Channel.IsInstanceOfType(published)).Select(each => each.Subscriber).Distinct()];
            receivers.TryAdd(published.GetType(), subscribers);
        }
        foreach (var subscriber in subscribers)
        {
            // A letter to a dead subscriber would be a dead letter, published to it again.
            if (subscriber is InternalActorRefBase { IsDead: true }) RemoveAll(subscriber);
            else subscriber.Tell(published);
        }
    }

    private bool Remove(Predicate<(IActorRef Subscriber, Type Channel)> which)
    {
        lock (_lock)
        {
            var kept = _subscriptions.FindAll(each => !which(each));
            if (kept.Count == _subscriptions.Count) return false;
            Replace(kept);
            return true;
        }
    }

    private void Replace(List<(IActorRef, Type)> subscriptions)
    {
        Volatile.Write(ref _subscriptions, subscriptions);
        Volatile.Write(ref _receivers, new ConcurrentDictionary<Type, IActorRef[]>());
    }
}

/// <summary>The event bus of an actor system.</summary>
public class EventStream : LoggingBus
{
    internal EventStream()
    {
    }

    /// <summary>The subscriber is told every event of the type or a subtype. False if it already is.</summary>
    public override bool Subscribe(IActorRef subscriber, Type channel) => base.Subscribe(subscriber, channel);

    public override bool Unsubscribe(IActorRef subscriber, Type channel) => base.Unsubscribe(subscriber, channel);

    public override bool Unsubscribe(IActorRef subscriber) => base.Unsubscribe(subscriber);
}
