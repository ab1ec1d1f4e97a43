using Akka.Actor;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Replay;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Ring.Tests;

public sealed class ReplayActorTests
{
    private static readonly UnrollShape Shape = new(2, 3, new ObservationSpec(ElementType.Float32, 4), 2);

    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(7);
    private readonly List<object> _toWorker = [], _toLearner = [];
    private readonly IActorRef _replay, _worker, _learner;

    public ReplayActorTests()
    {
        var system = _simulation.CreateSystem("test");
        _replay = system.ActorOf(Props.Create(() => new ReplayActor(new ReplayOptions(Shape, 1, 2, 1L << 30))), "replay");
        _worker = system.ActorOf(Props.Create(() => new Probe(_toWorker)), "worker");
        _learner = system.ActorOf(Props.Create(() => new Probe(_toLearner)), "learner");
    }

    [Fact]
    public void A_batch_is_handed_out_when_there_are_enough_unrolls_oldest_first()
    {
        Worker(new RegisterWorker(0, 0, 100));
        Learner(new RequestBatch(2));
        Worker(new InsertUnroll(Unroll(0)));
        Assert.Empty(_toLearner);
        Worker(new InsertUnroll(Unroll(1)));
        var batch = Assert.IsType<BatchReady>(Assert.Single(_toLearner)).Unrolls;
        Assert.Equal([0, 1], batch.Select(unroll => unroll.Id.Sequence));
    }

    [Fact]
    public void A_credit_returns_when_its_unroll_is_consumed()
    {
        Worker(new RegisterWorker(0, 0, 100));
        Assert.Equal(2, Assert.IsType<CreditsGranted>(Assert.Single(_toWorker)).Count);
        Worker(new InsertUnroll(Unroll(0)));
        Learner(new RequestBatch(1));
        Assert.Single(_toWorker);
        Learner(new BatchConsumed([new UnrollId(0, 0, 0)]));
        Assert.Equal(new CreditReturned(new UnrollId(0, 0, 0), UnrollOutcome.Consumed), _toWorker[^1]);
    }

    [Fact]
    public void What_must_not_be_taken_goes_back_with_the_reason()
    {
        Worker(new RegisterWorker(0, 1, 100));
        Worker(new InsertUnroll(Unroll(0, incarnation: 1)));
        Worker(new InsertUnroll(Unroll(0, incarnation: 1)));
        Worker(new InsertUnroll(Unroll(1, incarnation: 0)));
        Worker(new InsertUnroll(new Unroll(Shape with { Steps = 9 }) { Id = new UnrollId(0, 1, 1) }));
        Assert.Equal(
            [UnrollOutcome.Duplicate, UnrollOutcome.StaleIncarnation, UnrollOutcome.WrongShape],
            _toWorker.OfType<CreditReturned>().Select(message => message.Outcome));
    }

    [Fact]
    public void A_worker_that_ignores_its_credits_finds_the_table_full()
    {
        Worker(new RegisterWorker(0, 0, 100));
        for (var i = 0; i < 5; i++) Worker(new InsertUnroll(Unroll(i)));
        Assert.Equal([UnrollOutcome.TableFull], _toWorker.OfType<CreditReturned>().Select(message => message.Outcome));
    }

    [Fact]
    public void Credits_of_a_worker_that_is_gone_go_nowhere()
    {
        Worker(new RegisterWorker(0, 0, 100));
        Worker(new InsertUnroll(Unroll(0)));
        _worker.Tell(PoisonPill.Instance);
        _simulation.Advance(TimeSpan.FromSeconds(1));
        Learner(new RequestBatch(1));
        Learner(new BatchConsumed([new UnrollId(0, 0, 0)]));
        Assert.Single(_toWorker);
        Assert.Single(_toLearner);
    }

    private static Unroll Unroll(long sequence, int incarnation = 0) => new(Shape) { Id = new UnrollId(0, incarnation, sequence) };

    private void Worker(object message) => Send(_worker, message);

    private void Learner(object message) => Send(_learner, message);

    private void Send(IActorRef from, object message)
    {
        from.Tell(new Probe.Send(_replay, message));
        _simulation.Advance(TimeSpan.FromMilliseconds(1));
    }
}
