using Rl.Distributed.Core.Numerics;
using static Rl.Distributed.Core.Tests.Numerics.KernelData;

namespace Rl.Distributed.Core.Tests.Numerics;

public sealed class CategoricalTests
{
    private static readonly int[] Actions = [1, 2, 3, 4, 5, 6, 9, 16, 18, 33];

    [Fact]
    public void Softmax_and_its_logarithm_agree_with_their_scalar_twins()
    {
        foreach (var rows in Sizes)
        {
            foreach (var actions in Actions)
            {
                float[] x = Numbers(rows * actions, 1, 10), expected = new float[x.Length], actual = new float[x.Length];
                ScalarKernels.LogSoftmax(x, actions, expected);
                Categorical.LogSoftmax(x, actions, actual);
                AssertClose(expected, actual, 1e-6f, "log-softmax");
                ScalarKernels.Softmax(x, actions, expected);
                Categorical.Softmax(x, actions, actual);
                AssertClose(expected, actual, 1e-6f, "softmax");
                Categorical.Softmax(x, actions, x);
                Assert.Equal(actual, x);
            }
        }
    }

    [Fact]
    public void Choices_agree_with_their_scalar_twins()
    {
        foreach (var rows in Sizes)
        {
            foreach (var actions in Actions)
            {
                float[] x = Numbers(rows * actions, 2, 3), uniforms = Numbers(rows, 3).Select(Math.Abs).ToArray();
                int[] expected = new int[rows], actual = new int[rows];
                ScalarKernels.Sample(x, uniforms, expected);
                Categorical.Sample(x, uniforms, actual);
                Assert.Equal(expected, actual);
                ScalarKernels.ArgMax(x, expected);
                Categorical.ArgMax(x, actual);
                Assert.Equal(expected, actual);
            }
        }
    }

    [Fact]
    public void Entropy_is_minus_the_mean_log_probability()
    {
        foreach (var rows in Sizes)
        {
            foreach (var actions in Actions)
            {
                float[] x = Numbers(rows * actions, 4, 5), expected = new float[rows], actual = new float[rows];
                ScalarKernels.LogSoftmax(x, actions, x);
                ScalarKernels.Entropy(x, expected);
                Categorical.Entropy(x, actual);
                AssertClose(expected, actual, 1e-6f, "entropy");
            }
        }
    }

    [Fact]
    public void Actions_are_drawn_as_often_as_their_probability_says()
    {
        const int Draws = 40_000;
        float[] probabilities = [0.05f, 0.5f, 0, 0.3f, 0.15f];
        var logits = new float[Draws * 5];
        for (var i = 0; i < logits.Length; i++) logits[i] = MathF.Log(probabilities[i % 5]) + 7;
        var stream = RandomStream.Create(3, StreamRole.Policy);
        var uniforms = new float[Draws];
        foreach (ref var u in uniforms.AsSpan()) u = stream.NextSingle();
        var chosen = new int[Draws];
        Categorical.Sample(logits, uniforms, chosen);
        for (var a = 0; a < 5; a++)
        {
            // Five standard deviations of a binomial count.
            var (expected, p) = (Draws * (double)probabilities[a], probabilities[a]);
            Assert.InRange(chosen.Count(c => c == a), expected - 5 * Math.Sqrt(expected * (1 - p)), expected + 5 * Math.Sqrt(expected * (1 - p)));
        }
    }

    [Fact]
    public void Impossible_actions_are_never_drawn_and_cost_no_entropy()
    {
        const int Rows = 40;
        var almostOne = MathF.BitDecrement(1);
        float[] logits = new float[Rows * 4], uniforms = new float[Rows], logs = new float[Rows * 4], entropies = new float[Rows];
        for (var i = 0; i < Rows; i++)
        {
            float[] row = i % 2 == 0 ? [float.NegativeInfinity, 2, 2, float.NegativeInfinity] : [-1e30f, float.NegativeInfinity, 1, float.NegativeInfinity];
            row.CopyTo(logits, i * 4);
            uniforms[i] = i % 4 < 2 ? 0 : almostOne;
        }
        var chosen = new int[Rows];
        Categorical.Sample(logits, uniforms, chosen);
        for (var i = 0; i < Rows; i++) Assert.Equal(i % 4 == 0 ? 1 : 2, chosen[i]);
        Categorical.LogSoftmax(logits, 4, logs);
        Assert.Equal(float.NegativeInfinity, logs[0]);
        Categorical.Entropy(logs, entropies);
        Assert.Equal(MathF.Log(2), entropies[0], 1e-6f);
        Assert.Equal(0, entropies[1], 1e-6f);
    }

    [Fact]
    public void A_row_does_not_depend_on_its_neighbours()
    {
        const int Rows = 150, Count = 6;
        float[] x = Numbers(Rows * Count, 5, 4), whole = new float[x.Length], one = new float[Count];
        Categorical.LogSoftmax(x, Count, whole);
        for (var i = 0; i < Rows; i++)
        {
            Categorical.LogSoftmax(x.AsSpan(i * Count, Count), Count, one);
            Assert.Equal(whole[(i * Count)..((i + 1) * Count)], one);
        }
    }

    [Fact]
    public void Gathering_takes_one_value_a_row_and_checks_the_action()
    {
        float[] values = [1, 2, 3, 4, 5, 6], picked = new float[2];
        Categorical.Gather(values, [2, 0], picked);
        Assert.Equal([3, 4], picked);
        Assert.Throws<ArgumentOutOfRangeException>(() => Categorical.Gather(values, [3, 0], picked));
        Assert.Throws<ArgumentException>(() => Categorical.Gather(values, new int[4], new float[4]));
    }
}
