using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Returns;

namespace Rl.Distributed.Core.Tests.Returns;

public sealed class MultiStepTests
{
    [Fact]
    public void All_returns_and_errors_are_the_oracles()
    {
        foreach (var c in OracleFiles.Math("returns"))
        {
            var (rewards, discounts, values) = (c.Floats("r_t"), c.Floats("discount_t"), c.Floats("values"));
            var lambda = (float)c.Number("lambda_");
            var result = new float[rewards.Length];

            MultiStep.DiscountedReturns(rewards, discounts, values, result);
            Near.All(c.Doubles("discounted_returns"), result);
            MultiStep.LambdaReturns(rewards, discounts, values, lambda, result);
            Near.All(c.Doubles("lambda_returns"), result);
            MultiStep.TdLambdaErrors(rewards, discounts, values, lambda, result);
            Near.All(c.Doubles("td_lambda_errors"), result);
            MultiStep.GeneralizedAdvantages(rewards, discounts, values, lambda, result);
            Near.All(c.Doubles("gae"), result);
            if (c.TryGetProperty("importance_corrected_td_errors", out _))
            {
                MultiStep.ImportanceCorrectedTdErrors(rewards, discounts, c.Floats("rho_tm1"), values, lambda, result);
                Near.All(c.Doubles("importance_corrected_td_errors"), result);
            }
            if (c.TryGetProperty("n_step_returns", out _))
            {
                MultiStep.NStepReturns(rewards, discounts, values, c.Int("n"), result);
                Near.All(c.Doubles("n_step_returns"), result);
            }
        }
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.6f)]
    [InlineData(1f)]
    public void One_trajectory_agrees_with_the_definitions(float lambda)
    {
        foreach (var steps in (int[])[1, 2, 7, 20])
        {
            var (rewards, discounts, ratios, values) = Random(steps, 1);
            var result = new float[steps];

            MultiStep.LambdaReturns(rewards, discounts, values, lambda, result);
            for (var t = 0; t < steps; t++) Near.One(LambdaReturn(t), result[t]);
            MultiStep.GeneralizedAdvantages(rewards, discounts, values, lambda, result);
            for (var t = 0; t < steps; t++) Near.One(LambdaReturn(t) - values[t], result[t]);
            MultiStep.ImportanceCorrectedTdErrors(rewards, discounts, ratios, values, lambda, result);
            for (var t = 0; t < steps; t++) Near.One(CorrectedError(t), result[t]);
            foreach (var n in (int[])[1, 3, 25])
            {
                MultiStep.NStepReturns(rewards, discounts, values, n, result);
                for (var t = 0; t < steps; t++) Near.One(NStepReturn(t, Math.Min(n, steps - t)), result[t]);
            }

            // Sutton and Barto 2018, eq. 12.3: (1 - λ) Σ λ^(n-1) G(n), what is left of the weight on the longest.
            double LambdaReturn(int t)
            {
                var (sum, weight) = (0.0, 1.0);
                for (var n = 1; n < steps - t; n++, weight *= lambda) sum += (1.0 - lambda) * weight * NStepReturn(t, n);
                return sum + weight * NStepReturn(t, steps - t);
            }

            double NStepReturn(int t, int n)
            {
                var (sum, product) = (0.0, 1.0);
                for (var k = t; k < t + n; k++)
                {
                    sum += product * rewards[k];
                    product *= discounts[k];
                }
                return sum + product * values[t + n];
            }

            double CorrectedError(int t)
            {
                var sum = 0.0;
                for (var s = t; s < steps; s++)
                {
                    double product = ratios[t];
                    for (var k = t; k < s; k++) product *= (double)discounts[k] * lambda * ratios[k + 1];
                    sum += product * (rewards[s] + (double)discounts[s] * values[s + 1] - values[s]);
                }
                return sum;
            }
        }
    }

    [Fact]
    public void Trajectories_side_by_side_are_the_same_as_one_by_one()
    {
        const int Steps = 6;
        foreach (var environments in (int[])[1, 2, 9])
        {
            var (rewards, discounts, ratios, values) = Random(Steps, environments);
            var batch = new float[4][];
            for (var i = 0; i < batch.Length; i++) batch[i] = new float[Steps * environments];
            MultiStep.TdLambdaErrors(rewards, discounts, values, 0.8f, batch[0], environments);
            MultiStep.NStepReturns(rewards, discounts, values, 3, batch[1], environments);
            MultiStep.GeneralizedAdvantages(rewards, discounts, values, 0.8f, batch[2], environments);
            MultiStep.ImportanceCorrectedTdErrors(rewards, discounts, ratios, values, 0.8f, batch[3], environments);

            for (var b = 0; b < environments; b++)
            {
                float[] Column(float[] all) => [.. all.Where((_, i) => i % environments == b)];
                var (r, d, v) = (Column(rewards), Column(discounts), Column(values));
                var one = new float[Steps];
                MultiStep.TdLambdaErrors(r, d, v, 0.8f, one);
                Assert.Equal(one, Column(batch[0]));
                MultiStep.NStepReturns(r, d, v, 3, one);
                Assert.Equal(one, Column(batch[1]));
                MultiStep.GeneralizedAdvantages(r, d, v, 0.8f, one);
                Assert.Equal(one, Column(batch[2]));
                MultiStep.ImportanceCorrectedTdErrors(r, d, Column(ratios), v, 0.8f, one);
                Assert.Equal(one, Column(batch[3]));
            }
        }
    }

    [Fact]
    public void Arrays_that_do_not_fit_together_are_refused()
    {
        Assert.Throws<ArgumentException>(() => MultiStep.LambdaReturns(new float[3], new float[3], new float[3], 1f, new float[3]));
        Assert.Throws<ArgumentException>(() => MultiStep.LambdaReturns(new float[3], new float[3], new float[5], 1f, new float[3], 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => MultiStep.NStepReturns(new float[3], new float[3], new float[4], 0, new float[3]));
    }

    private static (float[] Rewards, float[] Discounts, float[] Ratios, float[] Values) Random(int steps, int environments)
    {
        var random = RandomStream.Create(21, StreamRole.Environment);
        float[] Numbers(int count, Func<float> next) => [.. Enumerable.Range(0, count).Select(_ => next())];
        var frames = steps * environments;
        return (
            Numbers(frames, () => random.NextSingle() * 4f - 2f), Numbers(frames, () => random.NextInt32(5) == 0 ? 0f : 0.9f),
            Numbers(frames, () => random.NextSingle() * 2f), Numbers(frames + environments, () => random.NextSingle() * 6f - 3f));
    }
}
