using Akka.Actor;
using Akka.Event;

namespace Rl.Distributed.ParameterServer;

/// <summary>Is responsible for the shards that a process has a place for: starts those that it is told to. A shard that fails ends, and its
/// owner has it begin anew, here or elsewhere, from its checkpoint.</summary>
public sealed class ShardHostActor : ReceiveActor
{
    private readonly string _dispatcher;
    private readonly Dictionary<(IActorRef Owner, string Run, int Shard, int Epoch), IActorRef> _shards = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private int _generation;

    /// <param name="dispatcher">Where gradients are applied: each shard has a thread of its own.</param>
    public ShardHostActor(string dispatcher)
    {
        _dispatcher = dispatcher;
        Receive<StartShard>(OnStart);
        Receive<Terminated>(OnTerminated);
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(reason =>
    {
        _log.Error(reason, $"A shard failed: {reason.Message}");
        return Directive.Stop;
    });

    // The order is given again until the shard has answered.
    private void OnStart(StartShard message)
    {
        var (key, owner) = ((Sender, message.Run, message.Shard, message.Epoch), Sender);
        if (_shards.ContainsKey(key)) return;
        var shard = Context.ActorOf(
            Props.Create(() => new ShardActor(message, owner, _dispatcher)), $"shard-{message.Shard}-{message.Epoch}-{_generation++}");
        _shards.Add(key, Context.Watch(shard));
    }

    private void OnTerminated(Terminated message)
    {
        foreach (var (key, shard) in _shards)
        {
            if (!shard.Equals(message.ActorRef)) continue;
            _shards.Remove(key);
            return;
        }
    }
}
