using Akka.Actor;
using Akka.Cluster;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Node.Configuration;
using Rl.Distributed.Node.Engines;
using Serilog;

namespace Rl.Distributed.Node.Clustering;

/// <summary>What a node has room for.</summary>
/// <param name="Workers">Workers, or learners.</param>
/// <param name="Shards">Shards of parameters.</param>
internal sealed record NodeRoom(int Workers, int Shards = 0);

/// <summary>A process that acts for runs which other nodes lead, or has shards of their parameters: joins their cluster and works there. A system that is removed from the
/// cluster never comes back to it: then this starts a new one, for as long as the process lives.</summary>
/// <param name="createSystem">Starts an actor system that others can reach and that logs there; each has an identity of its own.</param>
/// <param name="seeds">Where to ask for the cluster.</param>
/// <param name="room">What there is room for.</param>
/// <param name="environments">Those that a run may name here.</param>
/// <param name="logger">Gets what happens.</param>
/// <param name="clock">For the waits in between.</param>
internal sealed class ActorNode(
    Func<ILogger, ActorSystem> createSystem, IReadOnlyList<HostPort> seeds, NodeRoom room, EnvironmentRegistry environments, ILogger logger,
    TimeProvider clock)
{
    /// <summary>The name of the worker host below /user, and of who offers room for shards.</summary>
    public const string HostName = "worker-host", ShardsName = "shards";

    private static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(2), FirstPause = TimeSpan.FromMilliseconds(100),
        LongestPause = TimeSpan.FromSeconds(1), StableTime = TimeSpan.FromSeconds(10);

    private readonly IReadOnlyList<Address> _seeds = [.. seeds.Select(EngineHost.AddressOf)];
    private readonly WorkHistory _history = new();
    private volatile ActorSystem? _system;

    /// <summary>What its workers have done of late.</summary>
    public WorkHistory History => _history;

    /// <summary>The present system; null between two.</summary>
    public ActorSystem? System => _system;

    /// <summary>Works until it is cancelled; then leaves the cluster.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // The end of a cancelled delay comes on another thread, which a simulation has not.
        var stop = new TaskCompletionSource();
        await using var registration = cancellationToken.Register(() => stop.TrySetResult()).ConfigureAwait(false);
        var hasLived = false;
        for (var pause = FirstPause; !stop.Task.IsCompleted;)
        {
            var begun = clock.GetTimestamp();
            try
            {
                await LiveAsync(stop.Task).ConfigureAwait(false);
            }
            catch (ConfigException e) when (hasLived)
            {
                logger.Warning("This node cannot begin anew yet: {Reason}", e.Message);
            }
            hasLived = true;
            if (stop.Task.IsCompleted) return;
            pause = clock.GetElapsedTime(begun) > StableTime ? FirstPause : pause + pause > LongestPause ? LongestPause : pause + pause;
            logger.Information("This node begins anew and looks for the cluster at {Seeds}", string.Join(", ", seeds));
            await Task.WhenAny(stop.Task, Task.Delay(pause, clock, CancellationToken.None)).ConfigureAwait(false);
        }
    }

    /// <summary>One life in the cluster, from joining to leaving or being removed.</summary>
    private async Task LiveAsync(Task stop)
    {
        var lost = new TaskCompletionSource();
        using var search = new SearchLog(logger, string.Join(", ", seeds), clock);
        var system = _system = createSystem(search.Logger);
        Action seedsLost = () => lost.TrySetResult();
        if (room.Workers > 0)
            system.ActorOf(Props.Create(() => new WorkerHost(room.Workers, _history, environments, _seeds, seedsLost)), HostName);
        if (room.Shards > 0) system.ActorOf(Props.Create(() => new ShardOffers(room.Shards, _seeds, seedsLost)), ShardsName);
        var cluster = Cluster.Get(system);
        cluster.RegisterOnMemberUp(search.Found);
        cluster.JoinSeedNodes(_seeds);
        await Task.WhenAny(system.WhenTerminated, lost.Task, stop).ConfigureAwait(false);
        _system = null;
        if (system.WhenTerminated.IsCompleted) return;
        await Task.WhenAny(cluster.LeaveAsync(), Task.Delay(LeaveLimit, clock, CancellationToken.None)).ConfigureAwait(false);
        await system.Terminate().ConfigureAwait(false);
    }
}
