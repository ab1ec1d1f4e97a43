using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Learner.Impala;

namespace Rl.Distributed.Ring.Tests;

/// <summary>What a run consumed is in its ledger or counted as rolled back, over any number of resumes.</summary>
public sealed class RolledBackTests
{
    private const int IncarnationsPerEpoch = 10;

    private static readonly UnrollShape Shape = new(2, 3, new ObservationSpec(ElementType.Float32, 4), 2);

    private readonly ImpalaLearner _learner = new(
        PolicyValueNetwork.Create(new NetworkOptions { Torso = "mlp", Hidden = [4] }, Shape.Observation, 2),
        new ImpalaOptions { Batch = 3 }, Shape, 1000, 1, SequentialRunner.Instance, seed: 1);

    [Fact]
    public void Each_resume_adds_what_its_checkpoint_lacks()
    {
        var state = Begun();
        Consume(state, 10);
        var first = state.Save();
        Consume(state, 5);

        state = Resumed(first, known: 15);
        Assert.Equal((10, 5), (state.Ledger.Consumed, state.UnrollsRolledBack));
        Consume(state, 4);
        var second = state.Save();
        Consume(state, 3);

        state = Resumed(second, known: 22);
        Assert.Equal((14, 8), (state.Ledger.Consumed, state.UnrollsRolledBack));
        Assert.Equal((14, 8), Counted(Resumed(state.Save(), known: 22)));
    }

    [Fact]
    public void A_checkpoint_older_than_one_used_before_rolls_back_what_came_in_between()
    {
        var state = Begun();
        Consume(state, 10);
        var first = state.Save();
        Consume(state, 5);
        state = Resumed(first, known: 15);
        Consume(state, 4);
        var second = state.Save();
        state = Resumed(second, known: 19);
        Consume(state, 3);
        Assert.Equal((10, 12), Counted(Resumed(first, known: 22)));
    }

    [Fact]
    public void Metrics_older_than_the_checkpoint_take_nothing_back()
    {
        var state = Begun();
        Consume(state, 10);
        Assert.Equal((10, 0), Counted(Resumed(state.Save(), known: 7)));
    }

    [Fact]
    public void A_run_that_lost_all_checkpoints_rolls_back_all()
    {
        var state = new ImpalaState(_learner, Shape);
        state.Begin(2, unrollsConsumed: 9);
        Assert.Equal((0, 9), Counted(state));
        Consume(state, 4);
        Assert.Equal((4, 9), Counted(Resumed(state.Save(), known: 13)));
    }

    [Fact]
    public void Metrics_and_workers_tell_of_the_same_unrolls_and_the_larger_number_counts()
    {
        var state = Begun();
        Consume(state, 10);
        state = Resumed(state.Save(), known: 14);
        Claim(state, epoch: 0, consumed: 12);
        Assert.Equal(4, state.UnrollsRolledBack);
        Claim(state, epoch: 0, consumed: 16);
        Assert.Equal(6, state.UnrollsRolledBack);
    }

    [Fact]
    public void What_a_checkpoint_counts_is_not_counted_again_when_workers_say_it_again()
    {
        var state = Begun();
        Consume(state, 10);
        state = Resumed(state.Save(), known: 0);
        Claim(state, epoch: 0, consumed: 16);
        state = Resumed(state.Save(), known: 0);
        Claim(state, epoch: 0, consumed: 16);
        Assert.Equal(6, state.UnrollsRolledBack);
    }

    [Fact]
    public void What_a_learner_was_told_and_took_with_it_counts_when_the_next_one_is_told()
    {
        var state = Begun();
        Consume(state, 10);
        var saved = state.Save();
        state = Resumed(saved, known: 0);
        Claim(state, epoch: 0, consumed: 16);
        Consume(state, 5);
        state = Resumed(saved, known: 0, epoch: 2);
        Claim(state, epoch: 0, consumed: 16);
        Claim(state, epoch: 1, consumed: 5);
        Assert.Equal(11, state.UnrollsRolledBack);
    }

    [Fact]
    public void What_workers_tell_only_after_the_next_checkpoint_counts()
    {
        var state = Begun();
        Consume(state, 10);
        state = Resumed(state.Save(), known: 0);
        state = Resumed(state.Save(), known: 0);
        Claim(state, epoch: 0, consumed: 16);
        Assert.Equal(6, state.UnrollsRolledBack);
    }

    [Fact]
    public void Whatever_is_lost_no_more_is_counted_than_was_rolled_back_and_no_less_than_somebody_knows()
    {
        for (var seed = 0; seed < 300; seed++) Walk(new Random(seed));
    }

    // Two workers a process; the second one's node dies with it, now and then.
    private void Walk(Random random)
    {
        var (state, epoch, ever, known) = (Begun(), 0, 0L, 0L);
        var saved = new List<Checkpoint>();
        var acknowledged = new SortedDictionary<(int Worker, int Incarnation), long>();
        for (var step = 0; step < 40; step++)
        {
            var draw = random.Next(10);
            if (draw < 5)
            {
                var (worker, count) = (random.Next(2), random.Next(1, 6));
                Consume(state, count, worker);
                ever += count;
                if (random.Next(3) > 0)
                    acknowledged[(worker, First(epoch))] = state.Ledger.ConsumedOf(worker, First(epoch)) - random.Next(2);
            }
            else if (draw < 7)
            {
                saved.Add(state.Save());
                if (random.Next(2) == 0) known = state.Ledger.Consumed + state.UnrollsRolledBack;
            }
            else if (draw == 7)
            {
                state.CountRolledBack(acknowledged.Select(each => new ConsumptionClaim(each.Key.Worker, each.Key.Incarnation, each.Value)),
                    First(state.ResumedEpoch));
                Assert.True(state.UnrollsRolledBack >= acknowledged.Sum(each =>
                    Math.Max(0, each.Value - state.Ledger.ConsumedOf(each.Key.Worker, each.Key.Incarnation))));
            }
            else if (draw == 8)
            {
                epoch++;
                if (saved.Count > 1 && random.Next(4) == 0) saved.RemoveAt(saved.Count - 1);
                state = saved.Count == 0 ? new ImpalaState(_learner, Shape) : Resumed(saved[^1], known, epoch);
                if (saved.Count == 0) state.Begin(epoch, known);
            }
            else
            {
                foreach (var key in acknowledged.Keys.Where(key => key.Worker == 1).ToList()) acknowledged.Remove(key);
            }
            Assert.InRange(state.Ledger.Consumed + state.UnrollsRolledBack, known, ever);
        }
    }

    private static int First(int epoch) => epoch * IncarnationsPerEpoch;

    private static (long Consumed, long RolledBack) Counted(ImpalaState state) => (state.Ledger.Consumed, state.UnrollsRolledBack);

    private static void Consume(ImpalaState state, int count, int worker = 0)
    {
        var consumed = state.Ledger.ConsumedOf(worker, First(state.Epoch));
        for (var i = 0; i < count; i++) Assert.True(state.Ledger.TryConsume(new UnrollId(worker, First(state.Epoch), consumed + i)));
    }

    private static void Claim(ImpalaState state, int epoch, long consumed) =>
        state.CountRolledBack([new ConsumptionClaim(0, First(epoch), consumed)], First(state.ResumedEpoch));

    private ImpalaState Begun() => new(_learner, Shape);

    private ImpalaState Resumed(Checkpoint checkpoint, long known, int epoch = 0)
    {
        var state = new ImpalaState(_learner, Shape);
        state.Resume(checkpoint, 0, known, epoch);
        return state;
    }
}
