using Akka.Actor;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Learner.Impala;
using Rl.Distributed.ParameterServer;
using Rl.Distributed.Replay;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Ring.Tests;

public sealed class ImpalaLearnerActorTests
{
    private static readonly UnrollShape Shape = new(2, 3, new ObservationSpec(ElementType.Float32, 4), 2);

    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(5);
    private readonly List<object> _toReplay = [], _toServer = [], _toObserver = [];
    private readonly List<long> _saved = [];
    private readonly IActorRef _learner;
    private TaskCompletionSource? _slowDisk;

    public ImpalaLearnerActorTests()
    {
        var system = _simulation.CreateSystem("test");
        var replay = system.ActorOf(Props.Create(() => new Probe(_toReplay)), "replay");
        var server = system.ActorOf(Props.Create(() => new Probe(_toServer)), "server");
        var observer = system.ActorOf(Props.Create(() => new Probe(_toObserver)), "observer");
        var network = PolicyValueNetwork.Create(new NetworkOptions { Torso = "mlp", Hidden = [4] }, Shape.Observation, 2);
        var learner = new ImpalaLearner(network, new ImpalaOptions { Batch = 3 }, Shape, 1000, 1, SequentialRunner.Instance, seed: 1);
        var state = new ImpalaState(learner, Shape);
        var snapshots = new SnapshotPool(learner.Parameters.Length);
        var setup = new ImpalaLearnerSetup(replay, server, observer, 1000, 0, Save);
        _learner = system.ActorOf(Props.Create(() => new ImpalaLearnerActor(setup, state, snapshots)), "learner");
        _simulation.Advance(TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public void A_checkpoint_asked_for_during_an_update_is_written_after_it_although_the_next_batch_waits()
    {
        _learner.Tell(Batch(0));
        _learner.Tell(Batch(1));
        _learner.Tell(SaveCheckpoint.Instance);
        _simulation.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([6], _saved);
        Assert.Equal(2, _toReplay.OfType<BatchConsumed>().Count());
    }

    [Fact]
    public void What_a_worker_says_twice_was_rolled_back_once()
    {
        _learner.Tell(new WorkersReturned([new ConsumptionClaim(0, 0, 3), new ConsumptionClaim(1, 0, 4)], 0));
        _learner.Tell(new WorkersReturned([new ConsumptionClaim(0, 0, 3)], 0));
        _learner.Tell(StopTraining.Instance);
        _simulation.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(7, Assert.Single(_toObserver.OfType<TrainingFinished>()).Report.UnrollsRolledBack);
    }

    [Fact]
    public void A_duplicate_unroll_is_given_back_and_not_learned_from()
    {
        _learner.Tell(Batch(0));
        _learner.Tell(Batch(0));
        _learner.Tell(StopTraining.Instance);
        _simulation.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([6], _saved);
        Assert.Equal(1, Assert.Single(_toObserver.OfType<TrainingFinished>()).Report.Updates);
    }

    [Fact]
    public void A_run_that_fails_while_a_checkpoint_is_written_ends_when_it_is_safe()
    {
        _slowDisk = new TaskCompletionSource();
        _learner.Tell(SaveCheckpoint.Instance);
        _simulation.Advance(TimeSpan.FromMilliseconds(1));
        var poisoned = Batch(0);
        poisoned.Unrolls[0].Rewards[0] = float.NaN;
        _learner.Tell(poisoned);
        _simulation.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Empty(_toObserver.OfType<TrainingFailed>());
        _slowDisk.SetResult();
        _simulation.Advance(TimeSpan.FromMilliseconds(1));
        Assert.IsType<TrainingDivergedException>(Assert.Single(_toObserver.OfType<TrainingFailed>()).Reason);
    }

    private static BatchReady Batch(long sequence) => new([new Unroll(Shape) { Id = new UnrollId(0, 0, sequence) }]);

    private Task Save(Checkpoint checkpoint, long frames)
    {
        _saved.Add(frames);
        return _slowDisk?.Task ?? Task.CompletedTask;
    }
}
