using Rl.Distributed.Actors.Gorila;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Ring.Tests;

public sealed class OutlierFilterTests
{
    private RandomStream _random = RandomStream.Create(4, StreamRole.Replay);

    [Fact]
    public void The_statistics_of_the_warm_up_are_those_of_all_its_losses_and_all_of_them_pass()
    {
        var filter = new OutlierFilter(3);
        var losses = Enumerable.Range(0, OutlierFilter.WarmUp).Select(i => i == 500 ? 100.0 : Loss()).ToArray();
        foreach (var loss in losses) Assert.True(filter.Accept(loss));
        var mean = losses.Average();
        Assert.Equal(mean, filter.Mean, 1e-9);
        Assert.Equal(Math.Sqrt(losses.Average(loss => (loss - mean) * (loss - mean))), filter.Deviation, 1e-9);
    }

    [Fact]
    public void A_loss_above_the_mean_by_more_than_so_many_deviations_is_an_outlier()
    {
        var filter = Warm(4);
        Assert.True(filter.Accept(filter.Mean + (3.99 * filter.Deviation)));
        Assert.False(filter.Accept(filter.Mean + (4.01 * filter.Deviation)));
        Assert.True(filter.Accept(0));
    }

    [Fact]
    public void A_single_outlier_does_not_let_others_through_however_large_it_is()
    {
        var filter = Warm(4);
        Assert.False(filter.Accept(1e30));
        Assert.False(filter.Accept(filter.Mean + (4.01 * filter.Deviation)));
        Assert.InRange(filter.Deviation, 0.4, 0.8);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    public void A_change_that_lasts_is_let_through_after_a_while(double deviations)
    {
        var filter = Warm(deviations);
        var kept = 0;
        while (!filter.Accept(100 + Loss())) Assert.True(++kept < 1500);
        Assert.True(kept > 10);
        for (var i = 0; i < 10; i++) Assert.True(filter.Accept(100 + Loss()));
    }

    [Fact]
    public void Losses_that_never_varied_make_no_outliers()
    {
        var filter = new OutlierFilter(3);
        for (var i = 0; i < 2000; i++) Assert.True(filter.Accept(0));
        Assert.True(filter.Accept(1));
    }

    [Fact]
    public void What_is_no_number_changes_nothing_and_is_left_to_others_to_refuse()
    {
        var filter = Warm(4);
        var (mean, deviation) = (filter.Mean, filter.Deviation);
        foreach (var loss in new[] { double.NaN, double.PositiveInfinity }) Assert.True(filter.Accept(loss));
        Assert.Equal((mean, deviation), (filter.Mean, filter.Deviation));
    }

    [Fact]
    public void Zero_deviations_keep_nothing()
    {
        var filter = Warm(0);
        Assert.True(filter.Accept(1e30));
    }

    private OutlierFilter Warm(double deviations)
    {
        var filter = new OutlierFilter(deviations);
        for (var i = 0; i < 3000; i++) filter.Accept(Loss());
        return filter;
    }

    // Uniform in 1 … 3: mean 2, deviation 0.58.
    private double Loss() => 1 + (2 * _random.NextDouble());
}
