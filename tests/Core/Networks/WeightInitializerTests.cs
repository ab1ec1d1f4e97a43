using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Networks;

public class WeightInitializerTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    [InlineData(3, 7)]
    [InlineData(64, 64)]
    [InlineData(200, 33)]
    public void Orthogonal_weights_have_orthonormal_columns_or_rows_times_the_gain(int rows, int columns)
    {
        var random = RandomStream.Create(1, StreamRole.Initialization);
        var weight = new float[rows * columns];
        WeightInitializer.Orthogonal(rows, columns, 1.5f, weight, ref random);
        var tall = rows >= columns;
        double At(int vector, int i) => tall ? weight[i * columns + vector] : weight[vector * columns + i];
        for (var a = 0; a < Math.Min(rows, columns); a++)
        {
            for (var b = 0; b <= a; b++)
                Assert.Equal(a == b ? 1.5 * 1.5 : 0, Enumerable.Range(0, Math.Max(rows, columns)).Sum(i => At(a, i) * At(b, i)), 1e-5);
        }
    }

    [Fact]
    public void Fan_in_weights_are_normal_cut_at_two_deviations()
    {
        var (weight, bias) = Fill(Initializer.FanIn, fanIn: 100, outputs: 400);
        Assert.All(weight, w => Assert.InRange(w, -0.2f, 0.2f));
        Assert.Contains(weight, w => MathF.Abs(w) > 0.19f);
        Assert.Equal(0, weight.Average(), 0.002);
        // A standard normal cut at ±2 has the variance 0.7737.
        Assert.Equal(0.7737, weight.Average(w => 100.0 * w * w), 0.02);
        Assert.All(bias, b => Assert.Equal(0, b));
    }

    [Fact]
    public void Torch_weights_and_biases_are_uniform()
    {
        var (weight, bias) = Fill(Initializer.Torch, fanIn: 100, outputs: 400);
        Assert.All([.. weight, .. bias], w => Assert.InRange(w, -0.1f, 0.1f));
        Assert.Equal(1 / 3.0, weight.Average(w => 100.0 * w * w), 0.01);
        Assert.Equal(1 / 3.0, bias.Average(w => 100.0 * w * w), 0.06);
    }

    [Theory]
    [InlineData(Initializer.Orthogonal)]
    [InlineData(Initializer.FanIn)]
    [InlineData(Initializer.Torch)]
    public void The_policy_scale_applies_to_the_policy_alone_and_the_padding_is_zero(Initializer initializer)
    {
        (PolicyValueNetwork, float[]) Initialized(float scale)
        {
            var random = RandomStream.Create(3, StreamRole.Initialization);
            var network = PolicyValueNetwork.Create(
                new NetworkOptions { Hidden = [20], Initializer = initializer, PolicyHeadScale = scale },
                new ObservationSpec(ElementType.Float32, 4), 3);
            var parameters = new float[network.Layout.Count];
            Array.Fill(parameters, float.NaN);
            network.Initialize(parameters, ref random);
            return (network, parameters);
        }
        var (network, unscaled) = Initialized(1);
        var (_, scaled) = Initialized(0.5f);
        foreach (var slot in network.Layout)
        {
            var factor = slot.Name == "policy.weight" ? 0.5f : 1;
            Assert.Equal(slot.Of(unscaled).ToArray().Select(x => factor * x), slot.Of(scaled).ToArray());
            slot.Of(unscaled).Clear();
        }
        Assert.All(unscaled, x => Assert.Equal(0, x));
    }

    private static (float[] Weight, float[] Bias) Fill(Initializer initializer, int fanIn, int outputs)
    {
        var random = RandomStream.Create(2, StreamRole.Initialization);
        var (weight, bias) = (new float[fanIn * outputs], new float[outputs]);
        WeightInitializer.Fill(initializer, fanIn, 1, weight, bias, ref random);
        return (weight, bias);
    }
}
