using Rl.Distributed.Core.Numerics;
using static Rl.Distributed.Core.Tests.Numerics.KernelData;

namespace Rl.Distributed.Core.Tests.Numerics;

public sealed class ActivationsTests
{
    private const double Ulp = 1.2e-7;

    [Fact]
    public void Tanh_is_within_4_ulp_and_never_beyond_1()
        => AssertRelativeError(Activations.Tanh, Math.Tanh, -20, 20, 4 * Ulp);

    [Fact]
    public void Tanh_keeps_its_relative_accuracy_near_zero()
        => AssertRelativeError(Activations.Tanh, Math.Tanh, -1e-3, 1e-3, 4 * Ulp);

    [Fact]
    public void Sigmoid_is_within_4_ulp()
        => AssertRelativeError(Activations.Sigmoid, x => 1 / (1 + Math.Exp(-x)), -87, 87, 4 * Ulp);

    [Fact]
    public void Exp_is_within_2_ulp()
        => AssertRelativeError(Activations.Exp, Math.Exp, -87, 88.7, 2 * Ulp);

    [Fact]
    public void Exp_reaches_both_ends()
    {
        float[] x = [float.NegativeInfinity, -1e30f, -200, 0, 89, 1e30f, float.PositiveInfinity, float.NaN], y = new float[8];
        Activations.Exp(x, y);
        Assert.Equal([0, 0, 0, 1, float.PositiveInfinity, float.PositiveInfinity, float.PositiveInfinity, float.NaN], y);
    }

    [Fact]
    public void Saturated_activations_stay_at_their_bounds()
    {
        float[] x = [-1000, -30, 0, 30, 1000, float.NaN], y = new float[6];
        Activations.Tanh(x, y);
        AssertClose([-1, -1, 0, 1, 1], y.AsSpan(0, 5), 2.5e-7f, "tanh");
        Assert.Equal((0f, float.NaN), (y[2], y[5]));
        Activations.Sigmoid(x, y);
        Assert.Equal((0f, 0.5f, 1f, 1f), (y[0], y[2], y[3], y[4]));
    }

    [Fact]
    public void Gradients_are_those_of_their_scalar_twins()
    {
        foreach (var size in Sizes)
        {
            float[] y = Numbers(size, 1), dy = Numbers(size, 2), expected = new float[size], actual = new float[size];
            ScalarKernels.ReluBackward(y, dy, expected);
            Activations.ReluBackward(y, dy, actual);
            Assert.Equal(expected, actual);
            ScalarKernels.TanhBackward(y, dy, expected);
            Activations.TanhBackward(y, dy, actual);
            AssertClose(expected, actual, 1e-6f, "tanh'");
            ScalarKernels.SigmoidBackward(y, dy, expected);
            Activations.SigmoidBackward(y, dy, actual);
            AssertClose(expected, actual, 1e-6f, "sigmoid'");
        }
    }

    [Fact]
    public void Biases_are_added_to_every_row()
    {
        foreach (var columns in Sizes)
        {
            for (var rows = 0; rows < 4; rows++)
            {
                float[] bias = Numbers(columns, 3), x = Numbers(rows * columns, 4), expected = x.ToArray(), actual = x.ToArray();
                ScalarKernels.AddBias(expected, bias);
                Activations.AddBias(actual, bias);
                Assert.Equal(expected, actual);
                (expected, actual) = (x.ToArray(), x.ToArray());
                ScalarKernels.AddBiasRelu(expected, bias);
                Activations.AddBiasRelu(actual, bias);
                Assert.Equal(expected, actual);
            }
        }
    }

    [Fact]
    public void An_element_does_not_depend_on_where_it_stands()
    {
        var x = Numbers(100, 5, 3);
        var whole = new float[100];
        Activations.Tanh(x, whole);
        for (var i = 0; i < x.Length; i++)
        {
            var one = new float[1];
            Activations.Tanh(x.AsSpan(i, 1), one);
            Assert.Equal(whole[i], one[0]);
        }
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Activations.Tanh(new float[3], new float[4]));
        Assert.Throws<ArgumentException>(() => Activations.AddBias(new float[7], new float[3]));
        Assert.Throws<ArgumentException>(() => Activations.ReluBackward(new float[3], new float[3], new float[2]));
    }

    private delegate void Kernel(ReadOnlySpan<float> x, Span<float> y);

    private static void AssertRelativeError(Kernel kernel, Func<double, double> function, double low, double high, double tolerance)
    {
        const int Count = 20_011;
        float[] x = new float[Count], y = new float[Count];
        for (var i = 0; i < Count; i++) x[i] = (float)(low + (high - low) * i / (Count - 1));
        kernel(x, y);
        var worst = 0.0;
        for (var i = 0; i < Count; i++)
        {
            var expected = function(x[i]);
            if (expected != 0) worst = Math.Max(worst, Math.Abs(y[i] - expected) / Math.Abs(expected));
        }
        Assert.True(worst <= tolerance, $"The worst relative error is {worst / Ulp:f2} ulp.");
    }
}
