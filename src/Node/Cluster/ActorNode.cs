using Akka.Actor;
using Akka.Cluster;
using Rl.Distributed.Node.Engines;
using Serilog;

namespace Rl.Distributed.Node.Clustering;

/// <summary>A process that acts for runs which other nodes lead: joins their cluster and works there. A system that is removed from the
/// cluster never comes back to it: then this starts a new one, for as long as the process lives.</summary>
/// <param name="createSystem">Starts an actor system that others can reach and that logs there; each has an identity of its own.</param>
/// <param name="seeds">Where to ask for the cluster.</param>
/// <param name="workers">How many workers there is room for.</param>
/// <param name="logger">Gets what happens.</param>
/// <param name="clock">For the waits in between.</param>
internal sealed class ActorNode(
    Func<ILogger, ActorSystem> createSystem, IReadOnlyList<HostPort> seeds, int workers, ILogger logger, TimeProvider clock)
{
    /// <summary>The name of the worker host below /user.</summary>
    public const string HostName = "worker-host";

    private static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(2), FirstPause = TimeSpan.FromMilliseconds(100),
        LongestPause = TimeSpan.FromSeconds(5), StableTime = TimeSpan.FromSeconds(10);

    private readonly IReadOnlyList<Address> _seeds = [.. seeds.Select(EngineHost.AddressOf)];
    private readonly WorkHistory _history = new();
    private volatile ActorSystem? _system;

    /// <summary>The present system; null between two.</summary>
    public ActorSystem? System => _system;

    /// <summary>Works until it is cancelled; then leaves the cluster.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        while (!cancellationToken.IsCancellationRequested)
        {
            var begun = clock.GetTimestamp();
            await LiveAsync(cancellationToken).ConfigureAwait(false);
            if (cancellationToken.IsCancellationRequested) return;
            pause = clock.GetElapsedTime(begun) > StableTime ? FirstPause : pause + pause > LongestPause ? LongestPause : pause + pause;
            logger.Information("This node begins anew and looks for the cluster at {Seeds}", string.Join(", ", seeds));
            await Task.Delay(pause, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One life in the cluster, from joining to leaving or being removed.</summary>
    private async Task LiveAsync(CancellationToken cancellationToken)
    {
        var lost = new TaskCompletionSource();
        using var search = new SearchLog(logger, string.Join(", ", seeds), clock);
        var system = _system = createSystem(search.Logger);
        Action seedsLost = () => lost.TrySetResult();
        system.ActorOf(Props.Create(() => new WorkerHost(workers, _history, _seeds, seedsLost)), HostName);
        var cluster = Cluster.Get(system);
        cluster.RegisterOnMemberUp(search.Found);
        cluster.JoinSeedNodes(_seeds);
        await using (cancellationToken.Register(() => lost.TrySetResult()).ConfigureAwait(false))
            await Task.WhenAny(system.WhenTerminated, lost.Task).ConfigureAwait(false);
        _system = null;
        if (system.WhenTerminated.IsCompleted) return;
        await Task.WhenAny(cluster.LeaveAsync(), Task.Delay(LeaveLimit, clock, CancellationToken.None)).ConfigureAwait(false);
        await system.Terminate().ConfigureAwait(false);
    }
}
