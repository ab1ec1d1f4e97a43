using Akka.Actor;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Replay;
using Rl.Distributed.Runtime;

namespace Rl.Distributed.Ring.Tests;

public sealed class UnrollPoolTests
{
    private static readonly UnrollShape Shape = new(2, 3, new ObservationSpec(ElementType.Float32, 4), 2);

    private readonly UnrollPool _pool = new();
    private readonly EmbeddedEngine.Simulation _simulation = EmbeddedEngine.Simulate(7);
    private readonly List<object> _toLearner = [];
    private readonly IActorRef _replay, _worker, _learner;

    public UnrollPoolTests()
    {
        var system = _simulation.CreateSystem("test");
        _replay = system.ActorOf(Props.Create(() => new ReplayActor(new ReplayOptions(Shape, 1, 2, 1L << 30, _pool))), "replay");
        _worker = system.ActorOf(Props.Create(() => new Probe(new List<object>())), "worker");
        _learner = system.ActorOf(Props.Create(() => new Probe(_toLearner)), "learner");
        Send(_worker, new RegisterWorker(0, 0, 100));
    }

    [Fact]
    public void An_unroll_of_the_wire_goes_back_when_it_is_consumed_and_no_sooner()
    {
        var unroll = FromWire(0);
        Send(_worker, new InsertUnroll(unroll));
        Send(_learner, new RequestBatch(1));
        Assert.Same(unroll, Assert.IsType<BatchReady>(Assert.Single(_toLearner)).Unrolls[0]);
        Assert.NotSame(unroll, _pool.Rent(Shape));
        Send(_learner, new BatchConsumed([unroll.Id]));
        Assert.Same(unroll, _pool.Rent(Shape));
        Send(_learner, new BatchConsumed([unroll.Id]));
        Assert.NotSame(unroll, _pool.Rent(Shape));
    }

    [Fact]
    public void An_unroll_that_is_refused_goes_back_at_once_unless_its_shape_is_another_runs()
    {
        Send(_worker, new InsertUnroll(FromWire(0)));
        var duplicate = FromWire(0);
        Send(_worker, new InsertUnroll(duplicate));
        var wrong = _pool.Rent(Shape with { Steps = 9 });
        Send(_worker, new InsertUnroll(wrong));
        Assert.Same(duplicate, _pool.Rent(Shape));
        Assert.NotSame(wrong, _pool.Rent(Shape with { Steps = 9 }));
    }

    [Fact]
    public void Unrolls_of_workers_in_the_process_are_left_to_them()
    {
        var own = new Unroll(Shape) { Id = new UnrollId(0, 0, 0) };
        Send(_worker, new InsertUnroll(own));
        Send(_worker, new InsertUnroll(own));
        Send(_learner, new RequestBatch(1));
        Send(_learner, new BatchConsumed([own.Id]));
        Assert.NotSame(own, _pool.Rent(Shape));
        Assert.Equal(1, _pool.Created);
    }

    [Fact]
    public void A_batch_that_no_learner_consumed_is_forgotten_when_a_later_one_is()
    {
        var (lost, taken) = (FromWire(0), FromWire(1));
        foreach (var unroll in new[] { lost, taken })
        {
            Send(_worker, new InsertUnroll(unroll));
            Send(_learner, new RequestBatch(1));
        }
        Send(_learner, new BatchConsumed([taken.Id]));
        Send(_learner, new BatchConsumed([lost.Id]));
        Assert.Same(taken, _pool.Rent(Shape));
        Assert.NotSame(lost, _pool.Rent(Shape));
    }

    [Fact]
    public void A_pool_keeps_no_more_than_its_bytes_and_makes_room_for_a_new_shape()
    {
        var pool = new UnrollPool(2 * Shape.ByteCount);
        var unrolls = Enumerable.Range(0, 3).Select(_ => pool.Rent(Shape)).ToList();
        unrolls.ForEach(pool.Return);
        for (var i = 0; i < 3; i++) pool.Rent(Shape);
        Assert.Equal(4, pool.Created);

        pool.Return(unrolls[0]);
        var other = pool.Rent(Shape with { Actions = 3 });
        pool.Return(other);
        Assert.Same(other, pool.Rent(Shape with { Actions = 3 }));
        Assert.NotSame(unrolls[0], pool.Rent(Shape));
    }

    private Unroll FromWire(long sequence)
    {
        var unroll = _pool.Rent(Shape);
        unroll.Id = new UnrollId(0, 0, sequence);
        return unroll;
    }

    private void Send(IActorRef from, object message)
    {
        from.Tell(new Probe.Send(_replay, message));
        _simulation.Advance(TimeSpan.FromMilliseconds(1));
    }
}
