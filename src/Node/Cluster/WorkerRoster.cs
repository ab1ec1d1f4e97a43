using Akka.Actor;

namespace Rl.Distributed.Node.Clustering;

/// <summary>Which worker hosts on other nodes work for a run, and which workers each one has.</summary>
/// <remarks>A plain object for one thread. An index is given once an epoch, so that neither random streams nor ledger entries of two
/// workers ever meet.</remarks>
internal sealed class WorkerRoster(int localWorkers)
{
    private readonly Dictionary<IActorRef, WorkAssigned> _hosts = [];
    private int _next = localWorkers;

    /// <summary>Workers in the run's own process.</summary>
    public int LocalWorkers { get; } = localWorkers;

    /// <summary>Workers that are to work now, those of this process included.</summary>
    public int Workers { get; private set; } = localWorkers;

    /// <summary>Nodes that they are on, beside this one.</summary>
    public int Nodes => _hosts.Count;

    public IEnumerable<IActorRef> Hosts => _hosts.Keys;

    /// <summary>Workers by node, as an address.</summary>
    public IEnumerable<(string Node, int Workers)> WorkersByNode =>
        _hosts.Select(host => (host.Key.Path.Address.ToString(), host.Value.Workers));

    /// <summary>What a host was told, if it is known.</summary>
    public WorkAssigned? Find(IActorRef host) => _hosts.GetValueOrDefault(host);

    /// <summary>Gives a host indices of its own.</summary>
    /// <param name="host">The host.</param>
    /// <param name="run">What all hosts are told.</param>
    /// <param name="workers">How many workers it has room for.</param>
    public WorkAssigned Add(IActorRef host, WorkAssigned run, int workers)
    {
        var work = run with { FirstWorker = _next, Workers = workers };
        _hosts.Add(host, work);
        _next += workers;
        Workers += workers;
        return work;
    }

    /// <summary>The host is gone; what it had been told, or null where it was not known.</summary>
    public WorkAssigned? Remove(IActorRef host)
    {
        if (!_hosts.Remove(host, out var work)) return null;
        Workers -= work.Workers;
        return work;
    }
}
