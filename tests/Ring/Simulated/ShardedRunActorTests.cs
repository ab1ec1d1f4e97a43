using Akka.Actor;
using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Ring.Tests.Simulated;

/// <summary>The owner of a run in shards, with hosts and shards that the test plays, and real ones.</summary>
public sealed class ShardedRunActorTests
{
    private const int Parameters = 60, TotalFrames = 1000;

    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(1);
    private readonly ActorSystem _system;
    private readonly List<object> _observed = [], _host = [], _shard = [];
    private readonly List<long> _saved = [];
    private readonly IActorRef _observerRef, _hostRef, _shardRef;
    private TaskCompletionSource? _write;
    private AsyncState _state = null!;
    private IActorRef _owner = ActorRefs.Nobody;
    private long _number;
    private int _keptBack;

    public ShardedRunActorTests()
    {
        _system = _simulation.CreateSystem("rl", new EmbeddedEngine.Options());
        _observerRef = _system.ActorOf(Props.Create(() => new Probe(_observed)), "observer");
        _hostRef = _system.ActorOf(Props.Create(() => new Probe(_host)), "host");
        _shardRef = _system.ActorOf(Props.Create(() => new Probe(_shard)), "shard");
    }

    private ShardBook Book => _state.Shards!;

    [Fact]
    public void A_run_that_begins_with_all_its_frames_done_ends()
    {
        Start(shards: 2, frames: TotalFrames);
        OfferRealHost(slots: 2);
        Settle(seconds: 2);
        Assert.Equal(TotalFrames, Assert.Single(_observed.OfType<TrainingFinished>()).Report.Frames);
        Assert.Equal([TotalFrames], _saved);
    }

    [Fact]
    public void A_first_shard_that_is_lost_between_its_last_two_checkpoints_ends_the_run_elsewhere()
    {
        Start(shards: 1);
        Serve();
        Checkpoint(TotalFrames, updates: 200);
        _system.Stop(_hostRef);
        Settle();
        OfferRealHost(slots: 1);
        Settle(seconds: 5);
        Assert.Equal(TotalFrames, Assert.Single(_observed.OfType<TrainingFinished>()).Report.Frames);
    }

    [Fact]
    public void Words_of_a_shard_that_was_given_up_change_nothing()
    {
        Start(shards: 1);
        Serve();
        Report(frames: 25, updates: 5);
        Assert.Equal(5, Book.UpdatesOf(0));
        _system.Stop(_hostRef);
        Settle();
        Assert.Equal((0, 5), (Book.UpdatesOf(0), _state.UnrollsRolledBack));
        Say(new ShardStarted(0, 0));
        Report(frames: 35, updates: 7);
        Checkpoint(frames: 35, updates: 7);
        _system.Stop(_shardRef);
        Settle(seconds: 2);
        Assert.Equal((0, 0, 5), (Book.UpdatesOf(0), Book.SavedUpdatesOf(0), _state.UnrollsRolledBack));
        OfferRealHost(slots: 1);
        Settle(seconds: 2);
        Assert.Equal(1, Book.EpochOf(0));
    }

    [Fact]
    public void A_shard_that_does_not_end_in_time_counts_as_its_checkpoint_has_it()
    {
        Start(shards: 1);
        Serve();
        Checkpoint(frames: 20, updates: 4);
        Report(frames: 35, updates: 7);
        _owner.Tell(StopTraining.Instance);
        Settle(seconds: 12);
        var end = Assert.Single(_observed.OfType<TrainingFinished>()).Report;
        Assert.Equal((20, 4, 3), (end.Frames, end.UnrollsConsumed, end.UnrollsRolledBack));
    }

    [Fact]
    public void A_checkpoint_that_is_due_while_one_is_written_is_written_after_it_and_each_is_fresh()
    {
        Start(shards: 1, checkpointFrames: 100);
        Serve();
        _write = new TaskCompletionSource();
        Checkpoint(frames: 100, updates: 20);
        Assert.Single(_shard.OfType<SaveShard>());
        Checkpoint(frames: 110, updates: 22);
        Assert.Equal([110], _saved);
        Checkpoint(frames: 200, updates: 40);
        Settle(seconds: 2);
        Assert.Equal([110], _saved);
        _write.SetResult();
        Settle();
        Assert.Equal(2, _shard.OfType<SaveShard>().Count());
        Checkpoint(frames: 210, updates: 42);
        Assert.Equal([110, 210], _saved);
    }

    [Fact]
    public void What_learners_kept_back_was_sent_as_far_as_the_account_goes()
    {
        Start(shards: 1);
        Serve();
        Report(frames: 25, updates: 5, keptBack: 7);
        Report(frames: 30, updates: 6, keptBack: 10);
        _owner.Tell(StopTraining.Instance);
        Checkpoint(frames: 30, updates: 6, isLast: true);
        var end = Assert.Single(_observed.OfType<TrainingFinished>());
        Assert.Equal((6, 10), (end.Report.UnrollsConsumed, end.Report.UnrollsRejected));
        Assert.Contains(new ConsumptionClaim(-1, 0, 10), end.Consumed);
    }

    [Fact]
    public void A_host_that_cannot_hold_a_shard_is_asked_ever_less_and_others_first()
    {
        Start(shards: 1);
        var bad = OfferRefusingHost();
        Settle(seconds: 60);
        Assert.InRange(Book.EpochOf(0), 5, 10);
        OfferRealHost(slots: 1);
        var epoch = Book.EpochOf(0);
        Settle(seconds: 60);
        Assert.Equal(epoch, Book.EpochOf(0));
        _owner.Tell(StopTraining.Instance);
        Settle(seconds: 2);
        Assert.Single(_observed.OfType<TrainingFinished>());
        _system.Stop(bad);
    }

    [Fact]
    public void A_run_whose_shards_began_too_often_ends_with_a_last_checkpoint()
    {
        Start(shards: 1);
        for (var i = 0; i < 4095; i++) Book.BeginEpoch(0);
        OfferRefusingHost();
        Settle(seconds: 5);
        Assert.Contains("began anew too often", Assert.Single(_observed.OfType<TrainingFailed>()).Reason.Message, StringComparison.Ordinal);
        Assert.Equal([0], _saved);
    }

    private IActorRef OfferRefusingHost()
    {
        var host = _system.ActorOf(Props.Create(() => new RefusingHost()), "refusing-host");
        _owner.Tell(new OfferShards(2), host);
        return host;
    }

    private void Start(int shards, long frames = 0, long checkpointFrames = 0)
    {
        _state = new AsyncState("a3c", new SharedParameters(new float[Parameters], new SharedParametersOptions()), shards);
        _state.Shared.AddFrames((int)frames);
        _state.Begin(0, 0);
        var rate = new LinearSchedule(0.01, 0.01, 1);
        var setup = new ShardedRunSetup(
            _state, "run", new ShardLearning(new SharedParametersOptions(), rate, 5, 0, TargetClock.Frames, TotalFrames, 2),
            new ParameterServerOptions(), rate, checkpointFrames, (_, at) =>
            {
                _saved.Add(at);
                return _write?.Task ?? Task.CompletedTask;
            });
        _owner = _system.ActorOf(Props.Create(() => new ShardedRunActor(setup, _observerRef)), "owner");
    }

    private void OfferRealHost(int slots)
    {
        var host = _system.ActorOf(Props.Create(() => new ShardHostActor("akka.actor.default-dispatcher", slots)), "real-host");
        _owner.Tell(new OfferShards(slots), host);
        Settle();
    }

    /// <summary>Shard 0 begins with its state at the host that the test plays.</summary>
    private void Serve()
    {
        _hostRef.Tell(new Probe.Send(_owner, new OfferShards(1)));
        Settle();
        Assert.Contains(_host, message => message is StartShard { Shard: 0, Epoch: 0 });
        Say(new ShardStarted(0, 0));
        var state = Assert.Single(_shard.OfType<StateChunk>());
        Say(new StateReceived(0, 0, state.Number, state.Total));
    }

    private void Say(object message)
    {
        _shardRef.Tell(new Probe.Send(_owner, message));
        Settle();
    }

    private void Report(long frames, long updates, int keptBack = 0)
    {
        var log = new LearnerLog();
        log.AddFrames((int)frames);
        log.AddKeptBack(keptBack - _keptBack);
        _keptBack = keptBack;
        Say(new ShardReport(0, 0, frames, updates, keptBack, log.Take()));
    }

    private void Checkpoint(long frames, long updates, bool isLast = false)
    {
        var shared = new SharedParameters(new float[Parameters], new SharedParametersOptions());
        var state = ShardStates.Encode(new Checkpoint
        {
            Metadata = isLast ? new Dictionary<string, string> { [ShardActor.LastKey] = "1" } : [],
            Tensors = new GradientLedger(shared).SaveRange(Book.Range(0), frames, updates),
        });
        Say(new StateChunk(0, 0, ++_number, state.Length, 0, state));
    }

    private void Settle(double seconds = 0.05) => _simulation.Advance(TimeSpan.FromSeconds(seconds));

    /// <summary>Has no room after all.</summary>
    private sealed class RefusingHost : ReceiveActor
    {
        public RefusingHost() => Receive<StartShard>(message => Sender.Tell(new ShardEnded(message.Shard, message.Epoch, "there is no memory")));
    }
}
