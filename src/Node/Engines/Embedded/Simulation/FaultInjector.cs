using Akka.Actor;
using Akka.Cluster;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Node.Training;

namespace Rl.Distributed.Node.Engines;

/// <summary>Lets things go wrong in a simulated cluster: what, when, where and for how long is drawn from the seed.</summary>
/// <remarks>Faults overlap. Each one ends, and what crashed or left comes back.</remarks>
internal sealed class FaultInjector
{
    private const int MaxFaults = 12, MaxDiskSteps = 12, MostFailures = 4;

    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(400);

    private readonly ClusterSimulation _world;
    private readonly TimeSpan _latency;
    private readonly (int Weight, Action Inject)[] _kinds;
    private readonly HashSet<object> _repeated = new(ReferenceEqualityComparer.Instance);
    private RandomStream _random;
    private TimeSpan _calmSince;
    private readonly List<ActorPath> _failed = [];
    private List<object> _parcel = [];
    private int _left, _active, _toRepeat, _toPoison;

    public FaultInjector(ClusterSimulation world, RandomStream random)
    {
        (_world, _random, _latency) = (world, random, world.Network.MaxLatency);
        _left = 1 + _random.NextInt32(MaxFaults);
        _kinds =
        [
            (3, Drop), (2, Delay), (3, Cut), (3, Partition), (3, Break), (4, CrashActor), (2, Remove), (3, CrashLeader),
            (2, CrashWhileSaving), (2, Damage), (2, Repeat), (2, Leave), (1, Join),
            .. world.Invariants.HasMoreFaults ? [(2, Poison), (2, FailWorker)] : Array.Empty<(int, Action)>(),
        ];
    }

    public int Injected { get; private set; }

    /// <summary>Nothing is wrong now, and nothing will be.</summary>
    public bool AreOver => _left == 0 && _active == 0;

    /// <summary>When the last fault ended; the present where one lasts.</summary>
    public TimeSpan CalmSince => _active > 0 ? _world.Timeline.Now : _calmSince;

    public void Start() => _world.After(Seconds(0.2, 4), Next);

    /// <summary>A message is about to be handled.</summary>
    /// <returns>Whether it is one that was sent again from here.</returns>
    public bool Observe(object message)
    {
        if (_repeated.Remove(message)) return true;
        if (_toPoison > 0 && _world.Invariants.TryPoison(message, _random.NextInt32(int.MaxValue))) _toPoison--;
        if (_toRepeat == 0 || !_world.Invariants.Collect(message, _parcel)) return false;
        _toRepeat--;
        var again = _parcel;
        _parcel = [];
        _world.After(Seconds(0.001, 2), () =>
        {
            if (_world.Leader.System is not { } leader) return;
            var recipient = leader.ActorSelection($"/user/{RunCoordinator.Name}/{_world.Invariants.Recipient}");
            foreach (var part in again)
            {
                _repeated.Add(part);
                recipient.Tell(part);
            }
        });
        return false;
    }

    private void Next()
    {
        if (_world.Leader.Result is not null) _left = 0;
        if (_left == 0) return;
        var draw = _random.NextInt32(_kinds.Sum(kind => kind.Weight));
        Array.Find(_kinds, kind => (draw -= kind.Weight) < 0).Inject();
        if (--_left > 0) _world.After(Seconds(0.05, 2.5), Next);
    }

    private void Drop()
    {
        var network = _world.Network;
        network.DropProbability = 0.01 + (0.4 * _random.NextDouble());
        Begin($"one message in {1 / network.DropProbability:0.0} is dropped", Seconds(0.1, 3), () => network.DropProbability = 0);
    }

    private void Delay()
    {
        var network = _world.Network;
        network.MaxLatency = Slow * _random.NextDouble() + _latency;
        Begin($"messages take up to {network.MaxLatency.TotalMilliseconds:0} ms", Seconds(0.1, 3), () => network.MaxLatency = _latency);
    }

    private void Cut()
    {
        if (Pair() is not var (from, to)) return;
        _world.Network.Cut(from, to);
        Begin($"nothing passes from {_world.NameOf(from)} to {_world.NameOf(to)}", Seconds(0.1, 6), Heal);
    }

    private void Partition()
    {
        var systems = _world.Systems.ToList();
        var (ours, theirs) = (new List<ActorSystem>(), new List<ActorSystem>());
        foreach (var system in systems) (_random.NextInt32(2) == 0 ? ours : theirs).Add(system);
        if (ours.Count == 0 || theirs.Count == 0) return;
        _world.Network.Partition([.. ours], [.. theirs]);
        Begin($"nothing passes between {Names(ours)} and {Names(theirs)}", Seconds(0.1, 6), Heal);
    }

    private void Break()
    {
        if (Pair() is not var (one, other)) return;
        _world.Network.Break(one, other);
        Begin($"the connection of {_world.NameOf(one)} and {_world.NameOf(other)} breaks", TimeSpan.Zero, () => { });
    }

    private void CrashActor()
    {
        if (Running() is not { } process) return;
        var silent = _random.NextInt32(2) == 0;
        process.Crash(silent);
        Begin($"{process.Name} crashes{(silent ? " silently" : "")}", Seconds(0.05, 5), () =>
        {
            process.Start();
            _world.Timeline.Add($"{process.Name} is back");
        });
    }

    private void Remove()
    {
        if (_world.Leader.System is not { } leader || Running() is not { System: { } system } process) return;
        Cluster.Get(leader).Down(Cluster.Get(system).SelfAddress);
        Begin($"{process.Name} is thrown out of the cluster", TimeSpan.Zero, () => { });
    }

    private void CrashLeader()
    {
        if (!_world.Leader.IsRunning) return;
        var silent = _random.NextInt32(2) == 0;
        _world.Leader.Crash(silent);
        Begin($"{ClusterSimulation.LeaderHost} crashes{(silent ? " silently" : "")}", Seconds(0.05, 5), _world.Leader.Start);
    }

    private void Damage()
    {
        if (!_world.Leader.IsRunning) return;
        CrashLeader();
        _world.Leader.Damage();
    }

    // No engine does so: the ring must not depend on it.
    private void Repeat()
    {
        _toRepeat = 1 + _random.NextInt32(3);
        Begin($"{_toRepeat} {_world.Invariants.Things} come a second time", TimeSpan.Zero, () => { });
    }

    private void Poison()
    {
        _toPoison = 1 + _random.NextInt32(3);
        Begin($"NaN gets into {_toPoison} messages with {_world.Invariants.Things}", TimeSpan.Zero, () => { });
    }

    // Its pool makes a new one of it, unless that happens too often.
    private void FailWorker()
    {
        if (_world.Workers is not { Count: > 0 } workers) return;
        var (system, path) = workers[_random.NextInt32(workers.Count)];
        if (_failed.Count(failed => failed == path) == MostFailures) return;
        _failed.Add(path);
        system.ActorSelection(path).Tell(Kill.Instance);
        Begin($"{path.Name} of {_world.NameOf(system)} fails", TimeSpan.Zero, () => { });
    }

    private void CrashWhileSaving()
    {
        if (!_world.Leader.IsRunning) return;
        var pause = Seconds(0.05, 5);
        _world.Leader.CrashWhileSaving(_random.NextInt32(MaxDiskSteps), () => Begin("", pause, _world.Leader.Start));
    }

    private void Leave()
    {
        if (Running() is not { } process) return;
        var pause = Seconds(0.05, 5);
        Begin($"{process.Name} is asked to leave", null, () => { });
        _ = ComeBackAsync(process, pause);
    }

    private async Task ComeBackAsync(SimulatedActorProcess process, TimeSpan pause)
    {
        await process.LeaveAsync().ConfigureAwait(false);
        _world.Timeline.Add($"{process.Name} has left");
        _world.After(pause, () =>
        {
            process.Start();
            _world.Timeline.Add($"{process.Name} is back");
            End();
        });
    }

    private void Join()
    {
        var process = _world.AddNode();
        process.Start();
        Begin($"{process.Name} is new", TimeSpan.Zero, () => { });
    }

    private void Heal()
    {
        _world.Network.Heal();
        _world.Timeline.Add("the network is whole");
    }

    /// <param name="what">For the timeline; empty where it has it.</param>
    /// <param name="duration">How long it lasts; null: until <see cref="End"/>.</param>
    /// <param name="undo">What ends it.</param>
    private void Begin(string what, TimeSpan? duration, Action undo)
    {
        Injected++;
        _active++;
        if (what.Length > 0)
            _world.Timeline.Add(duration > TimeSpan.Zero ? $"{what}, for {duration.Value.TotalSeconds:0.000} s" : what);
        if (duration is { } time)
            _world.After(time, () =>
            {
                undo();
                End();
            });
    }

    private void End()
    {
        _active--;
        _calmSince = _world.Timeline.Now;
    }

    private (ActorSystem From, ActorSystem To)? Pair()
    {
        var systems = _world.Systems.ToList();
        if (systems.Count < 2) return null;
        var first = _random.NextInt32(systems.Count);
        var second = (first + 1 + _random.NextInt32(systems.Count - 1)) % systems.Count;
        return (systems[first], systems[second]);
    }

    private SimulatedActorProcess? Running()
    {
        var processes = _world.Actors.Where(process => process.IsRunning).ToList();
        return processes.Count == 0 ? null : processes[_random.NextInt32(processes.Count)];
    }

    private string Names(IEnumerable<ActorSystem> systems) => string.Join(", ", systems.Select(_world.NameOf));

    // Short ones are more likely.
    private TimeSpan Seconds(double least, double most) =>
        TimeSpan.FromSeconds(least + ((most - least) * _random.NextDouble() * _random.NextDouble()));
}
