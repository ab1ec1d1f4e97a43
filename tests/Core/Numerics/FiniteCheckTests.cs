using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Numerics;

public class FiniteCheckTests
{
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void The_first_one_is_found_wherever_it_is(float bad)
    {
        foreach (var length in (ReadOnlySpan<int>)[1, 7, 8, 9, 15, 16, 17, 33])
            for (var at = 0; at < length; at++)
            {
                var x = new float[length];
                (x[at], x[^1]) = (bad, at == length - 1 ? bad : float.NaN);
                Assert.Equal(at, FiniteCheck.FirstNotFinite(x));
            }
    }

    [Fact]
    public void Every_finite_number_is_finite()
    {
        Assert.Equal(-1, FiniteCheck.FirstNotFinite([]));
        float[] edges = [0, -0f, float.MaxValue, float.MinValue, float.Epsilon, -float.Epsilon, 1, -1];
        Assert.Equal(-1, FiniteCheck.FirstNotFinite([.. edges, .. edges, .. edges, .. edges, 3]));
    }
}
