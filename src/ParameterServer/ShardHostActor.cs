using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.ParameterServer;

/// <summary>Is responsible for the shards that a process has room for: starts those that it is told to, no more than it has room for, and says
/// which have ended, and why. A shard that fails ends, and its owner has it begin anew, here or elsewhere, from its checkpoint.</summary>
public sealed class ShardHostActor : ReceiveActor
{
    private readonly string _dispatcher;
    private readonly int _slots;
    private readonly Dictionary<(IActorRef Owner, string Run, int Shard), Place> _places = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private int _generation;

    /// <param name="dispatcher">Where gradients are applied: each shard has a thread of its own.</param>
    /// <param name="slots">How many shards it has room for.</param>
    public ShardHostActor(string dispatcher, int slots)
    {
        (_dispatcher, _slots) = (dispatcher, slots);
        Receive<StartShard>(OnStart);
        Receive<Terminated>(OnTerminated);
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(reason =>
    {
        _log.Error(reason, $"A shard failed: {reason.Message}");
        foreach (var place in _places.Values)
            if (Sender.Equals(place.Actor)) place.End = reason.Message;
        return Directive.Stop;
    });

    // The order is given again until the shard has answered: it may come when that has ended, or begun elsewhere. While the owner lives the
    // newest epoch is remembered, so no shard begins that nobody waits for.
    private void OnStart(StartShard message)
    {
        var key = (Sender, message.Run, message.Shard);
        var place = _places.GetValueOrDefault(key);
        if (place is null || place.Epoch < message.Epoch)
        {
            if (place?.Actor is { } earlier) Context.Stop(earlier);
            _places.Remove(key);
            _places.Add(key, place = Begin(message, Sender));
        }
        if (place.Actor is null && place.Epoch == message.Epoch) Sender.Tell(new ShardEnded(message.Shard, place.Epoch, place.End));
    }

    private Place Begin(StartShard message, IActorRef owner)
    {
        Context.Watch(owner);
        var taken = _places.Values.Count(place => place.Actor is not null);
        if (taken >= _slots) return new Place(message.Epoch) { End = $"there is room for {_slots} shards, and {taken} are there" };
        var shard = Context.ActorOf(
            Props.Create(() => new ShardActor(message, owner, _dispatcher)), $"shard-{message.Shard}-{message.Epoch}-{_generation++}");
        return new Place(message.Epoch) { Actor = Context.Watch(shard) };
    }

    // Shards whose owner is gone end by themselves.
    private void OnTerminated(Terminated message)
    {
        foreach (var key in _places.Keys.Where(key => key.Owner.Equals(message.ActorRef)).ToList()) _places.Remove(key);
        foreach (var (key, place) in _places)
        {
            if (!message.ActorRef.Equals(place.Actor)) continue;
            place.Actor = null;
            key.Owner.Tell(new ShardEnded(key.Shard, place.Epoch, place.End));
        }
    }

    /// <summary>The newest epoch of a shard that was asked for.</summary>
    private sealed class Place(int epoch)
    {
        public int Epoch => epoch;

        /// <summary>Null: it has ended, or there was no room.</summary>
        public IActorRef? Actor { get; set; }

        /// <summary>Why.</summary>
        public string End { get; set; } = "it was stopped";
    }
}
