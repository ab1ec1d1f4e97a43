using Rl.Distributed.Core.Optimizers;

namespace Rl.Distributed.Core.Tests.Optimizers;

public sealed class GradientClippingTests
{
    [Fact]
    public void Clipped_gradients_are_the_oracles()
    {
        foreach (var c in OracleFiles.Math("grad_clip"))
        {
            var gradient = c.Floats("grads");
            if (c.GetProperty("kind").GetString() == "value")
            {
                GradientClipping.ByValue(gradient, (float)c.Number("clip_value"));
            }
            else
            {
                Near.One(c.Number("total_norm"), GradientClipping.ByGlobalNorm(gradient, (float)c.Number("max_norm")));
            }
            Near.All(c.Doubles("clipped"), gradient);
        }
    }

    [Fact]
    public void The_norm_agrees_with_its_scalar_twin_at_every_size()
    {
        foreach (var count in (int[])[0, 1, 7, 8, 9, 15, 16, 17, 33, 1000])
        {
            float[] gradient = [.. Enumerable.Range(0, count).Select(i => (i * 37 % 101 - 50) / 7f)];

            Near.One(GradientClipping.NormScalar(gradient), GradientClipping.Norm(gradient), 1e-6);
        }
    }

    [Fact]
    public void A_gradient_shorter_than_the_limit_is_left_as_it_is()
    {
        float[] gradient = [3f, 4f];

        Assert.Equal(5f, GradientClipping.ByGlobalNorm(gradient, 5.1f));
        Assert.Equal([3f, 4f], gradient);
        Assert.Equal(1f, GradientClipping.Scale(5f, float.PositiveInfinity));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void A_norm_that_is_not_finite_is_reported_and_changes_nothing(float bad)
    {
        var gradient = new float[20];
        Array.Fill(gradient, 2f);
        gradient[13] = bad;

        Assert.False(float.IsFinite(GradientClipping.ByGlobalNorm(gradient, 1f)));
        Assert.Equal(2f, gradient[0]);
    }

    [Fact]
    public void A_norm_too_large_to_square_in_single_precision_is_still_exact() =>
        Near.One(5e25, GradientClipping.Norm([3e25f, 4e25f]), 1e-6);
}
