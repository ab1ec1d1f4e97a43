using Rl.Distributed.Core.Optimizers;

namespace Rl.Distributed.Core.Tests.Optimizers;

public sealed class OptimizerOptionsTests
{
    [Fact]
    public void Each_kind_creates_its_optimizer_with_its_slots()
    {
        (OptimizerOptions Options, string Slots)[] expected =
        [
            (new(), "square_avg"),
            (new() { Centered = true, Momentum = 0.9 }, "square_avg grad_avg momentum_buffer"),
            (new() { Kind = OptimizerKind.Adam }, "exp_avg exp_avg_sq"),
            (new() { Kind = OptimizerKind.Sgd }, ""),
            (new() { Kind = OptimizerKind.Sgd, Momentum = 0.5 }, "momentum_buffer"),
            (new() { Kind = OptimizerKind.AdaGrad }, "sum"),
            (new() { Kind = OptimizerKind.Rprop }, "step_size previous_gradient"),
        ];
        foreach (var (options, slots) in expected)
        {
            var optimizer = options.Create(5);

            Assert.Equal(options.Kind.ToString(), optimizer.GetType().Name);
            Assert.Equal(slots, string.Join(' ', optimizer.State.Select(slot => slot.Name)));
            Assert.All(optimizer.State, slot => Assert.Equal(5, slot.Values.Length));
        }
    }

    [Fact]
    public void The_constants_reach_the_optimizer()
    {
        var options = new OptimizerOptions { Decay = 0.5, Epsilon = 0.25, EpsilonInsideRoot = true, InitialMeanSquare = 1, Momentum = 0.5 };
        float[] x = [10f];
        var optimizer = options.Create(1);

        optimizer.Step(x, [2f], 0.1f);
        optimizer.Step(x, [2f], 0.1f);

        // s: 1, 2.5, 3.25; b: 2/√2.75, then 0.5 b + 2/√3.5
        var first = 2 / Math.Sqrt(2.75);
        Near.One(10 - 0.1 * first - 0.1 * (0.5 * first + 2 / Math.Sqrt(3.5)), x[0], 1e-6);
    }

    [Fact]
    public void Constants_out_of_range_or_without_effect_are_refused()
    {
        OptimizerOptions[] wrong =
        [
            new() { Decay = 1 },
            new() { Epsilon = -1 },
            new() { Momentum = double.NaN },
            new() { Nesterov = true },
            new() { WeightDecay = 0.1 },
            new() { Kind = OptimizerKind.Sgd, Nesterov = true },
            new() { Kind = OptimizerKind.Adam, Centered = true },
            new() { Kind = OptimizerKind.Adam, Momentum = 0.9 },
            new() { Kind = OptimizerKind.Rprop, EpsilonInsideRoot = true },
            new() { Kind = (OptimizerKind)99 },
        ];
        foreach (var options in wrong) Assert.Throws<ArgumentException>(() => options.Create(3));
    }

    [Theory]
    [InlineData(-5, 6e-4)]
    [InlineData(0, 6e-4)]
    [InlineData(25, 4.5e-4)]
    [InlineData(100, 0)]
    [InlineData(1e9, 0)]
    public void A_linear_schedule_stays_at_its_ends(double step, double expected) =>
        Assert.Equal(expected, new LinearSchedule(6e-4, 0, 100).At(step), 1e-12);

    [Fact]
    public void A_schedule_without_duration_is_at_its_end_and_a_constant_never_moves()
    {
        Assert.Equal(2, new LinearSchedule(1, 2, 0).At(0));
        Assert.Equal(3, LinearSchedule.Constant(3).At(0.5));
        Assert.Throws<ArgumentException>(() => new LinearSchedule(1, 2, -1).At(0));
        Assert.Throws<ArgumentException>(() => new LinearSchedule(1, 2, 1).At(double.NaN));
    }
}
