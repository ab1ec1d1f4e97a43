using Akka.Actor;

namespace Rl.Distributed.ParameterServer;

/// <summary>
/// Is responsible for a process's knowledge of where the parameters are, in one piece or in shards: asks the owner of the run, finds the
/// servers there, and tells the caches and learners of its process.
/// </summary>
public sealed class ShardFinderActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan SearchInterval = TimeSpan.FromMilliseconds(100), CheckInterval = TimeSpan.FromSeconds(1);

    private readonly IActorRef _owner;
    private readonly Found[] _shards;
    private readonly Dictionary<(int Shard, int Epoch), long> _seen = [];
    private readonly List<IActorRef> _learners = [];
    private bool _isSearching = true;

    /// <param name="owner">The owner of the run.</param>
    /// <param name="caches">The caches of the process: for each shard that of θ, and that of θ⁻ where there is one.</param>
    public ShardFinderActor(IActorRef owner, IReadOnlyList<(IActorRef Parameters, IActorRef? Targets)> caches)
    {
        _owner = owner;
        _shards = [.. caches.Select(cache => new Found(cache.Parameters, cache.Targets))];
        Receive<ShardPlaces>(OnPlaces);
        Receive<ActorIdentity>(OnIdentity);
        Receive<Terminated>(OnTerminated);
        Receive<FindServers>(_ => OnFind());
        Receive<ShardVersion>(OnSeen);
        Receive<Tick>(_ => OnTick());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Ask();
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, SearchInterval);
    }

    // What may get lost between nodes is said again. While all is well a look now and then tells of a shard that was moved behind our back.
    private void OnTick()
    {
        Ask();
        var isSearching = Array.Exists(_shards, shard => shard.Server is null);
        if (isSearching == _isSearching) return;
        _isSearching = isSearching;
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, isSearching ? SearchInterval : CheckInterval);
    }

    private void Ask() => _owner.Tell(new WhereAreShards([.. _seen.Select(entry => new ShardVersion(entry.Key.Shard, entry.Key.Epoch, entry.Value))]));

    private void OnPlaces(ShardPlaces message)
    {
        if (message.Places.Length != _shards.Length) return;
        for (var i = 0; i < _shards.Length; i++)
        {
            var (shard, place) = (_shards[i], message.Places[i]);
            if (place.Path.Length == 0 || place.Epoch < shard.Epoch) continue;
            if (place.Epoch > shard.Epoch)
            {
                Lose(i);
                shard.Epoch = place.Epoch;
            }
            if (shard.Server is not null) continue;
            foreach (var name in shard.Names) Context.ActorSelection($"{FullPath(place.Path)}/{name}").Tell(new Identify($"{i}:{place.Epoch}:{name}"));
        }
    }

    private string FullPath(string path) => path[0] == '/' ? $"{_owner.Path.Address}{path}" : path;

    private void OnIdentity(ActorIdentity message)
    {
        if (message.Subject is not { } subject || message.MessageId is not string id || id.Split(':') is not [var index, var epoch, var name]) return;
        if (!int.TryParse(index, out var i) || (uint)i >= _shards.Length || _shards[i] is not { Server: null } shard || epoch != $"{shard.Epoch}") return;
        shard.Servers[name] = subject;
        if (!Array.TrueForAll(shard.Names, shard.Servers.ContainsKey)) return;
        shard.Server = Context.Watch(shard.Servers[ServerNames.Gradients]);
        shard.Parameters.Tell(new FollowServer(shard.Servers[ServerNames.Parameters]));
        shard.Targets?.Tell(new FollowServer(shard.Servers[ServerNames.Targets]));
        foreach (var learner in _learners) learner.Tell(new ServerPlaced(i, shard.Epoch, shard.Server));
    }

    private void OnTerminated(Terminated message)
    {
        if (_learners.Remove(message.ActorRef)) return;
        var i = Array.FindIndex(_shards, shard => message.ActorRef.Equals(shard.Server));
        if (i < 0) return;
        Lose(i);
        OnTick();
    }

    private void Lose(int i)
    {
        var shard = _shards[i];
        shard.Servers.Clear();
        if (shard.Server is null) return;
        Context.Unwatch(shard.Server);
        shard.Server = null;
        foreach (var learner in _learners) learner.Tell(new ServerLost(i));
    }

    private void OnFind()
    {
        if (!_learners.Contains(Sender)) _learners.Add(Context.Watch(Sender));
        for (var i = 0; i < _shards.Length; i++)
            if (_shards[i] is { Server: { } server } shard) Sender.Tell(new ServerPlaced(i, shard.Epoch, server));
    }

    // The owner counts what a shard had applied when it was lost; who had the answers knows best. Earlier epochs are counted by then.
    private void OnSeen(ShardVersion message)
    {
        foreach (var old in _seen.Keys.Where(key => key.Shard == message.Shard && key.Epoch < message.Epoch).ToList()) _seen.Remove(old);
        var key = (message.Shard, message.Epoch);
        _seen[key] = Math.Max(_seen.GetValueOrDefault(key), message.Updates);
    }

    private sealed class Found(IActorRef parameters, IActorRef? targets)
    {
        public IActorRef Parameters => parameters;

        public IActorRef? Targets => targets;

        public string[] Names { get; } =
            targets is null ? [ServerNames.Gradients, ServerNames.Parameters] : [ServerNames.Gradients, ServerNames.Parameters, ServerNames.Targets];

        public Dictionary<string, IActorRef> Servers { get; } = [];

        public int Epoch { get; set; } = -1;

        public IActorRef? Server { get; set; }
    }

    private sealed record Tick
    {
        public static readonly Tick Instance = new();
    }
}
