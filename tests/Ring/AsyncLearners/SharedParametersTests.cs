using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Ring.Tests;

public sealed class SharedParametersTests
{
    private const float Rate = 0.01f, MaxNorm = 2;

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(33)]
    [InlineData(4096)]
    public void One_thread_does_what_RMSProp_does_bit_for_bit(int count)
    {
        var parameters = Uniforms(count, 1);
        var shared = new SharedParameters(parameters, new SharedParametersOptions());
        var sequential = new RmsProp(count, 0.99, 0.1, epsilonInsideRoot: true);
        var local = shared.CreateLocal();
        for (var step = 0; step < 10; step++)
        {
            var gradient = Uniforms(count, (uint)step + 2);
            // Lines of zeros are left alone, and must come out as if they were not.
            if (step % 2 == 1) gradient.AsSpan(0, Math.Min(count, 32)).Clear();
            gradient.CopyTo(local.Gradient);
            var outcome = shared.Apply(local, Rate, MaxNorm);
            sequential.Step(parameters, gradient, Rate, GradientClipping.Scale(GradientClipping.Norm(gradient), MaxNorm));

            Assert.Equal(GradientClipping.Norm(gradient), outcome.Norm);
            Assert.Equal(parameters, shared.Values);
            Assert.Equal(sequential.State[0].Values, shared.Squares);
            Assert.Equal(parameters, local.Values);
            Assert.Equal(-1, local.Gradient.IndexOfAnyExcept(0f));
        }
    }

    [Theory]
    [InlineData(UpdateRule.RmsProp)]
    [InlineData(UpdateRule.Momentum)]
    public void A_learners_own_statistics_are_its_own(UpdateRule rule)
    {
        var shared = new SharedParameters(new float[20], new SharedParametersOptions { Rule = rule, Decay = 0.5, Epsilon = 1 });
        var local = shared.CreateLocal();
        var statistics = (shared.CreateStatistics()!, shared.CreateStatistics()!);
        foreach (var own in (Core.Networks.AlignedFloats[])[statistics.Item1, statistics.Item1, statistics.Item2])
        {
            local.Gradient.Fill(2);
            shared.Apply(local, 1, float.PositiveInfinity, own);
        }
        // Mean squares 2, 3 and 2; momenta 1, 1.5 and 1.
        var expected = rule == UpdateRule.RmsProp ? 2 / Math.Sqrt(3) + 2 / Math.Sqrt(4) + 2 / Math.Sqrt(3) : 1 + 1.5 + 1;
        foreach (var x in shared.Values) Assert.Equal(-expected, x, 1e-6);
        Assert.Throws<ArgumentException>(() => shared.Apply(local, 1, 1));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_gradient_that_is_none_is_refused_before_it_touches_anything(float poison)
    {
        var shared = new SharedParameters(Uniforms(40, 1), new SharedParametersOptions());
        var before = shared.Values.ToArray();
        var local = shared.CreateLocal();
        local.Gradient.Fill(1);
        local.Gradient[37] = poison;

        Assert.Equal(GradientRejection.NotFinite, shared.Apply(local, Rate, MaxNorm).Rejection);
        Assert.Equal(before, shared.Values);
        Assert.Equal(new float[40], shared.Squares);
        Assert.Equal(new float[40], local.Gradient);
        Assert.Equal((0L, 1L), (shared.Updates, shared.Rejected(GradientRejection.NotFinite)));
    }

    [Fact]
    public void A_gradient_of_another_network_is_refused()
    {
        var shared = new SharedParameters(new float[40], new SharedParametersOptions());
        var local = new LocalParameters(41);
        local.Gradient.Fill(1);
        Assert.Equal(GradientRejection.WrongLength, shared.Apply(local, Rate, MaxNorm).Rejection);
        Assert.Equal(new float[40], shared.Values);
        Assert.Equal(1, shared.Rejected(GradientRejection.WrongLength));
    }

    [Fact]
    public void Staleness_is_what_others_applied_since_the_copy_was_taken()
    {
        var shared = new SharedParameters(new float[8], new SharedParametersOptions());
        var (one, other) = (shared.CreateLocal(), shared.CreateLocal());
        Assert.Equal(0, shared.Apply(one, Rate, MaxNorm).Staleness);
        Assert.Equal(0, shared.Apply(one, Rate, MaxNorm).Staleness);
        Assert.Equal(2, shared.Apply(other, Rate, MaxNorm).Staleness);
        Assert.Equal(1, shared.Apply(one, Rate, MaxNorm).Staleness);
    }

    [Theory]
    [InlineData(17)]
    [InlineData(4096)]
    public void AdaGrad_divides_by_the_root_of_the_sum_of_squares(int count)
    {
        var shared = new SharedParameters(new float[count], new SharedParametersOptions { Rule = UpdateRule.AdaGrad, Epsilon = 0.01, Decay = 0.5 });
        Assert.Null(shared.CreateStatistics());
        var (local, x, sums) = (shared.CreateLocal(), new double[count], new double[count]);
        for (var step = 0; step < 10; step++)
        {
            var gradient = Uniforms(count, (uint)step);
            gradient.CopyTo(local.Gradient);
            shared.Apply(local, Rate, float.PositiveInfinity);
            for (var i = 0; i < count; i++) x[i] -= Rate * gradient[i] / Math.Sqrt((sums[i] += gradient[i] * (double)gradient[i]) + 0.01);
        }
        for (var i = 0; i < count; i++) Assert.Equal((x[i], sums[i]), (shared.Values[i], shared.Squares[i]), NearlyEqual);

        static bool NearlyEqual((double, double) a, (double, double) b) => Math.Abs(a.Item1 - b.Item1) < 1e-5 && Math.Abs(a.Item2 - b.Item2) < 1e-5;
    }

    [Theory]
    [InlineData(UpdateRule.SharedRmsProp, 17)]
    [InlineData(UpdateRule.SharedRmsProp, 1)]
    [InlineData(UpdateRule.AdaGrad, 17)]
    public void A_gradient_whose_squares_overflow_is_refused_and_may_be_clipped_instead(UpdateRule rule, int count)
    {
        var shared = new SharedParameters(new float[count], new SharedParametersOptions { Rule = rule });
        var local = shared.CreateLocal();
        foreach (var value in (float[])[3e38f, -2e20f, 2e19f, 1e17f])
        {
            local.Gradient.Fill(value);
            Assert.Equal(GradientRejection.NotFinite, shared.Apply(local, Rate, float.PositiveInfinity).Rejection);
        }
        Assert.Equal((4, 0), (shared.Rejected(GradientRejection.NotFinite), shared.Updates));
        Assert.Equal(new float[count], shared.Values);
        Assert.Equal(new float[count], shared.Squares);
        local.Gradient.Fill(1e38f / count);
        Assert.Equal(GradientRejection.None, shared.Apply(local, Rate, MaxNorm).Rejection);
        Assert.All(shared.Squares.ToArray(), square => Assert.InRange(square, float.Epsilon, 2 * MaxNorm * MaxNorm));
        for (var i = 0; i < 100; i++)
        {
            local.Gradient.Fill(SharedParameters.MaxNorm / MathF.Sqrt(count) * 0.99f);
            Assert.Equal(GradientRejection.None, shared.Apply(local, Rate, float.PositiveInfinity).Rejection);
        }
        Assert.All(shared.Squares.ToArray(), square => Assert.True(float.IsFinite(square)));
    }

    [Fact]
    public void A_gradient_older_than_the_bound_is_refused_and_leaves_its_learner_with_fresh_parameters()
    {
        var shared = new SharedParameters(new float[8], new SharedParametersOptions { MaxStaleness = 2 });
        var (one, other) = (shared.CreateLocal(), shared.CreateLocal());
        for (var i = 0; i < 2; i++) Apply(one);
        Assert.Equal((GradientRejection.None, 2, 3), (Apply(other) is var late ? late.Rejection : default, late.Staleness, late.Update));
        for (var i = 0; i < 3; i++) Apply(other);
        var before = shared.Values.ToArray();
        Assert.Equal(new GradientOutcome(GradientRejection.Stale, MathF.Sqrt(8), 4), Apply(one));
        Assert.Equal((1, 6), (shared.Rejected(GradientRejection.Stale), shared.Updates));
        Assert.Equal(before, shared.Values);
        Assert.Equal(before, one.Values);
        Assert.Equal(new float[8], one.Gradient);
        Assert.Equal(GradientRejection.None, Apply(one).Rejection);

        GradientOutcome Apply(LocalParameters local)
        {
            local.Gradient.Fill(1);
            return shared.Apply(local, Rate, 40);
        }
    }

    [Fact]
    public async Task Target_parameters_of_updates_are_refreshed_once_in_so_many_of_them_however_many_threads_there_are()
    {
        const int threads = 8, segments = 5000, interval = 100;
        var shared = new SharedParameters(new float[64], new SharedParametersOptions());
        var target = new TargetParameters(shared, interval, TargetClock.Updates);
        var winners = await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() =>
        {
            var (won, local) = (0, shared.CreateLocal());
            for (var i = 0; i < segments; i++)
            {
                if (i % 10 == 0) local.Gradient[0] = float.NaN;
                if (target.OnSegment(0, 1000, shared.Apply(local, Rate, 40))) won++;
            }
            return won;
        })));
        Assert.Equal(threads * segments * 9 / 10 / interval, winners.Sum());
        Assert.Equal(winners.Sum(), target.Refreshes);
    }

    [Fact]
    public async Task Threads_that_race_lose_no_count_and_leave_no_number_that_is_none()
    {
        const int threads = 4, updates = 2000, count = 1000;
        var shared = new SharedParameters(Uniforms(count, 1), new SharedParametersOptions());
        var intervals = new List<long>[threads];
        await Task.WhenAll(Enumerable.Range(0, threads).Select(thread => Task.Run(() =>
        {
            var local = shared.CreateLocal();
            intervals[thread] = [];
            for (var i = 0; i < updates; i++)
            {
                // Towards 3, from wherever the copy is.
                for (var k = 0; k < count; k++) local.Gradient[k] = local.Values[k] - 3;
                intervals[thread].Add(shared.AddFrames(5));
                shared.Apply(local, Rate, 40);
            }
        })));

        Assert.Equal((threads * updates, threads * updates * 5L), (shared.Updates, shared.Frames));
        Assert.Equal(threads * updates, intervals.SelectMany(interval => interval).Distinct().Count());
        foreach (var x in shared.Values) Assert.Equal(3, x, 0.1);
    }

    [Fact]
    public void What_is_saved_comes_back_and_what_does_not_fit_changes_nothing()
    {
        var shared = new SharedParameters(Uniforms(20, 1), new SharedParametersOptions());
        var local = shared.CreateLocal();
        local.Gradient.Fill(1);
        shared.AddFrames(77);
        shared.Apply(local, Rate, MaxNorm);
        var checkpoint = new Checkpoint { Tensors = shared.Save() };

        var resumed = new SharedParameters(new float[20], new SharedParametersOptions());
        resumed.Load(checkpoint);
        Assert.Equal(shared.Values, resumed.Values);
        Assert.Equal(shared.Squares, resumed.Squares);
        Assert.Equal((77L, 1L), (resumed.Frames, resumed.Updates));

        var other = new SharedParameters(new float[21], new SharedParametersOptions());
        Assert.Throws<CheckpointFormatException>(() => other.Load(checkpoint));
        Assert.Equal(new float[21], other.Values);
    }

    [Fact]
    public async Task Target_parameters_are_refreshed_once_a_crossing_however_many_threads_there_are()
    {
        const int threads = 8, segments = 5000, frames = 7, interval = 100;
        var shared = new SharedParameters(new float[64], new SharedParametersOptions());
        var target = new TargetParameters(shared, interval);
        var winners = await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() =>
        {
            var won = 0;
            for (var i = 0; i < segments; i++)
            {
                var before = shared.AddFrames(frames);
                if (target.RefreshIfCrossed(before, before + frames)) won++;
            }
            return won;
        })));
        Assert.Equal(threads * segments * frames / interval, winners.Sum());
        Assert.Equal(winners.Sum(), target.Refreshes);
    }

    [Fact]
    public void Target_parameters_stay_until_the_crossing_and_are_the_parameters_after_it()
    {
        var shared = new SharedParameters(new float[3], new SharedParametersOptions());
        var target = new TargetParameters(shared, 10);
        var old = target.Values;
        var local = shared.CreateLocal();
        local.Gradient.Fill(1);
        shared.Apply(local, Rate, MaxNorm);
        Assert.False(target.RefreshIfCrossed(0, 9));
        Assert.Same(old, target.Values);
        Assert.True(target.RefreshIfCrossed(9, 10));
        Assert.Equal(shared.Values, target.Values);
        Assert.False(target.RefreshIfCrossed(10, 19));
        Assert.Equal(new float[3], old);
    }

    private static float[] Uniforms(int count, uint index)
    {
        var random = RandomStream.Create(7, StreamRole.Policy, index);
        var values = new float[count];
        random.FillSingle(values);
        foreach (ref var x in values.AsSpan()) x = 2 * x - 1;
        return values;
    }
}
