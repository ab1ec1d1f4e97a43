using Akka.Actor;

namespace Rl.Distributed.ParameterServer;

/// <summary>Is responsible for a node's <see cref="ParameterCell"/>: subscribes to the parameter server and keeps the
/// newest version there.</summary>
public sealed class ParameterCacheActor : ReceiveActor
{
    private readonly IActorRef _server;
    private readonly ParameterCell _cell;
    private readonly List<IActorRef> _waiting = [];
    private bool _available;

    public ParameterCacheActor(IActorRef server, ParameterCell cell)
    {
        (_server, _cell) = (server, cell);
        Receive<ParametersPublished>(OnPublished);
        Receive<AwaitParameters>(_ => OnAwait());
    }

    protected override void PreStart() => _server.Tell(SubscribeParameters.Instance);

    private void OnPublished(ParametersPublished message)
    {
        _cell.Offer(message.Snapshot);
        _available = true;
        foreach (var worker in _waiting) worker.Tell(ParametersAvailable.Instance);
        _waiting.Clear();
    }

    private void OnAwait()
    {
        if (_available) Sender.Tell(ParametersAvailable.Instance);
        else _waiting.Add(Sender);
    }
}
