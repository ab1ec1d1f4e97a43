using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Ring.Tests;

public sealed class ParameterTests
{
    private readonly SnapshotPool _pool = new(2);

    [Fact]
    public void A_snapshot_that_nobody_holds_is_reused_and_one_that_somebody_holds_is_not()
    {
        var first = Take(1);
        var second = Take(2);
        Assert.NotSame(first, second);
        first.Release();
        Assert.Same(first, Take(3));
        Assert.Equal(2, _pool.Created);
    }

    [Fact]
    public void Releasing_more_often_than_retaining_is_an_error()
    {
        var snapshot = Take(1);
        snapshot.Release();
        Assert.Throws<InvalidOperationException>(snapshot.Release);
    }

    [Fact]
    public void The_cell_keeps_the_newest_version_and_releases_the_others()
    {
        var cell = new ParameterCell();
        Assert.Null(cell.Acquire());
        Assert.True(cell.Offer(Take(5)));
        Assert.False(cell.Offer(Take(4)));
        Assert.True(cell.Offer(Take(6)));
        var held = cell.Acquire()!;
        Assert.Equal(new ParameterVersion(0, 6), held.Version);
        cell.Offer(Take(7));
        Assert.Equal([6f, 6f], held.Values);
        held.Release();
        Assert.Equal(2, _pool.Created);
    }

    [Fact]
    public void A_newer_epoch_outranks_any_counter_of_an_older_one() =>
        Assert.True(new ParameterVersion(1, 0) > new ParameterVersion(0, long.MaxValue));

    private ParameterSnapshot Take(long counter) => _pool.Take(new ParameterVersion(0, counter), [counter, counter]);
}
