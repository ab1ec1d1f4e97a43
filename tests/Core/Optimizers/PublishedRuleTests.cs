using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;

namespace Rl.Distributed.Core.Tests.Optimizers;

/// <summary>Rules without an oracle, against the papers' formulas written out slowly in double.</summary>
public sealed class PublishedRuleTests
{
    [Fact]
    public void AdaGrad_divides_by_the_root_of_all_squares_so_far()
    {
        var gradients = Gradients(12);
        var (optimizer, x) = (new AdaGrad(3, 1e-4, 0.1), new float[] { 1f, -2f, 0.5f });
        foreach (var gradient in gradients) optimizer.Step(x, gradient, 0.1f);

        for (var i = 0; i < 3; i++)
        {
            double expected = new[] { 1.0, -2.0, 0.5 }[i];
            for (var t = 0; t < gradients.Length; t++)
            {
                var squares = 0.1 + gradients[..(t + 1)].Sum(g => (double)g[i] * g[i]);
                expected -= 0.1 * gradients[t][i] / (Math.Sqrt(squares) + 1e-4);
            }
            Near.One(expected, x[i]);
        }
    }

    [Fact]
    public void Rprop_grows_and_shrinks_each_step_size_by_the_signs()
    {
        var gradients = Gradients(40);
        var (optimizer, x) = (new Rprop(3, 0.5, 1.2, 0.004, 0.05), new float[] { 1f, -2f, 0.5f });
        foreach (var gradient in gradients) optimizer.Step(x, gradient, 0.02f);

        var (reachedSmallest, reachedLargest) = (false, false);
        for (var i = 0; i < 3; i++)
        {
            double expected = new[] { 1.0, -2.0, 0.5 }[i];
            var (size, previous) = (0.02, 0);
            foreach (var sign in gradients.Select(g => Math.Sign(g[i])))
            {
                if (sign == previous && sign != 0) size = Math.Min(size * 1.2, 0.05);
                if (sign == -previous && sign != 0) size = Math.Max(size * 0.5, 0.004);
                // After a change of sign the parameter rests, and the next gradient finds no previous one.
                previous = sign == -previous ? 0 : sign;
                expected -= previous * size;
                (reachedSmallest, reachedLargest) = (reachedSmallest || size == 0.004, reachedLargest || size == 0.05);
            }
            Near.One(expected, x[i]);
        }
        Assert.True(reachedSmallest && reachedLargest);
    }

    private static float[][] Gradients(int steps)
    {
        var random = RandomStream.Create(77, StreamRole.Initialization);
        // Of one element the sign keeps for runs of nine, of one it turns every second time, and the last is random with a zero now and then.
        return [.. Enumerable.Range(0, steps).Select(t => new[]
        {
            (t / 9 % 2 == 0 ? 1f : -1f) * (0.1f + random.NextSingle()), (t / 2 % 2 == 0 ? 1f : -1f) * (0.1f + random.NextSingle()),
            t % 7 == 3 ? 0f : random.NextGaussian(),
        })];
    }
}
