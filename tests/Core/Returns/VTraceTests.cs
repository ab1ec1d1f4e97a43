using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Returns;

namespace Rl.Distributed.Core.Tests.Returns;

public sealed class VTraceTests
{
    [Fact]
    public void Targets_and_advantages_of_batches_are_the_oracles()
    {
        foreach (var c in OracleFiles.Math("vtrace"))
        {
            var (steps, environments) = (c.Int("T"), c.Int("B"));
            var ratios = c.Doubles("log_rhos").Select(x => (float)Math.Exp(x)).ToArray();
            float[] values = [.. c.Floats("values"), .. c.Floats("bootstrap_value")];
            var settings = new VTraceSettings { RhoBar = (float)c.Number("clip_rho_threshold"), PgRhoBar = (float)c.Number("clip_pg_rho_threshold") };
            var (targets, advantages) = (new float[steps * environments], new float[steps * environments]);

            VTrace.ComputeBatch(
                steps, environments, c.Floats("rewards"), c.Floats("discounts"), ratios, values, settings, targets, advantages);

            Near.All(c.Doubles("vs"), targets);
            Near.All(c.Doubles("pg_advantages"), advantages);
        }
    }

    [Fact]
    public void Targets_and_advantages_with_lambda_are_the_oracles()
    {
        foreach (var c in OracleFiles.Math("vtrace_lambda"))
        {
            var steps = c.Int("T");
            float[] values = [.. c.Floats("v_tm1"), c.Floats("v_t")[^1]];
            Assert.Equal(values[1..], c.Floats("v_t"));
            var settings = new VTraceSettings(
                (float)c.Number("clip_rho_threshold"), 1f, (float)c.Number("clip_pg_rho_threshold"), (float)c.Number("lambda_"));
            var (targets, advantages) = (new float[steps], new float[steps]);

            VTrace.Compute(
                c.Floats("r_t"), c.Floats("discount_t"), c.Floats("rho_tm1"), values, settings, targets, advantages);

            Near.All([.. c.Doubles("errors").Zip(c.Doubles("v_tm1"), (error, value) => value + error)], targets);
            Near.All(c.Doubles("pg_advantage"), advantages);
        }
    }

    [Theory]
    [InlineData(1f, 1f, 1f, 1f)]
    [InlineData(2f, 0.8f, 1.2f, 1f)]
    [InlineData(0.9f, 1.1f, float.PositiveInfinity, 0.7f)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity, 1f, 0f)]
    public void One_trajectory_agrees_with_the_definition(float rhoBar, float cBar, float pgRhoBar, float lambda)
    {
        foreach (var steps in (int[])[1, 2, 5, 20])
        {
            var data = new Data(steps, 1, 17);
            var settings = new VTraceSettings(rhoBar, cBar, pgRhoBar, lambda);
            var (targets, advantages) = (new float[steps], new float[steps]);

            VTrace.Compute(data.Rewards, data.Discounts, data.Ratios, data.Values, settings, targets, advantages);

            var (expectedTargets, expectedAdvantages) = Definition(data, settings);
            Near.All(expectedTargets, targets);
            Near.All(expectedAdvantages, advantages);
        }
    }

    [Fact]
    public void The_vector_form_is_its_scalar_twin_to_the_bit_at_every_width()
    {
        foreach (var environments in (int[])[1, 7, 8, 9, 15, 16, 17, 33])
        {
            var data = new Data(6, environments, 3);
            var settings = new VTraceSettings(1.1f, 0.9f, 1.3f, 0.95f);
            var (targets, advantages) = (new float[6 * environments], new float[6 * environments]);
            var (scalarTargets, scalarAdvantages) = (new float[6 * environments], new float[6 * environments]);

            VTrace.ComputeBatch(6, environments, data.Rewards, data.Discounts, data.Ratios, data.Values, settings, targets, advantages);
            VTrace.ComputeBatchScalar(
                6, environments, data.Rewards, data.Discounts, data.Ratios, data.Values, settings, scalarTargets, scalarAdvantages);

            Assert.Equal(scalarTargets, targets);
            Assert.Equal(scalarAdvantages, advantages);
        }
    }

    [Fact]
    public void Results_may_overwrite_the_inputs()
    {
        var data = new Data(5, 11, 5);
        var (targets, advantages) = (new float[55], new float[55]);
        VTrace.ComputeBatch(5, 11, data.Rewards, data.Discounts, data.Ratios, data.Values, new(), targets, advantages);

        VTrace.ComputeBatch(5, 11, data.Rewards, data.Discounts, data.Ratios, data.Values, new(), data.Rewards, data.Ratios);

        Assert.Equal(targets, data.Rewards);
        Assert.Equal(advantages, data.Ratios);
    }

    [Fact]
    public void On_policy_data_gives_returns_that_no_value_but_the_last_affects()
    {
        var data = new Data(9, 1, 8);
        Array.Fill(data.Ratios, 1f);
        var (targets, advantages) = (new float[9], new float[9]);

        VTrace.Compute(data.Rewards, data.Discounts, data.Ratios, data.Values, new(), targets, advantages);

        var expected = (double)data.Values[9];
        for (var t = 8; t >= 0; t--)
        {
            expected = data.Rewards[t] + data.Discounts[t] * expected;
            Near.One(expected, targets[t]);
            Near.One(expected - data.Values[t], advantages[t]);
        }
    }

    [Fact]
    public void Arrays_that_do_not_fit_together_are_refused() => Assert.Throws<ArgumentException>(
        () => VTrace.Compute(new float[3], new float[3], new float[3], new float[3], new(), new float[3], new float[3]));

    /// <summary>Eq. 1 as it stands: v[s] = V[s] + Σ_t (Π_{i in s..t-1} γ[i] c[i]) d[t], in O(T²).</summary>
    private static (double[] Targets, double[] Advantages) Definition(Data data, VTraceSettings settings)
    {
        var steps = data.Rewards.Length;
        var targets = new double[steps + 1];
        for (var s = 0; s <= steps; s++)
        {
            targets[s] = data.Values[s];
            for (var t = s; t < steps; t++)
            {
                var product = 1.0;
                for (var i = s; i < t; i++) product *= data.Discounts[i] * settings.Lambda * Math.Min(settings.CBar, data.Ratios[i]);
                var delta = data.Rewards[t] + (double)data.Discounts[t] * data.Values[t + 1] - data.Values[t];
                targets[s] += product * Math.Min(settings.RhoBar, data.Ratios[t]) * delta;
            }
        }
        var advantages = new double[steps];
        for (var s = 0; s < steps; s++)
        {
            var bootstrap = settings.Lambda * targets[s + 1] + (1.0 - settings.Lambda) * data.Values[s + 1];
            advantages[s] = Math.Min(settings.PgRhoBar, data.Ratios[s]) * (data.Rewards[s] + data.Discounts[s] * bootstrap - data.Values[s]);
        }
        return (targets[..steps], advantages);
    }

    /// <summary>Random trajectories whose ratios, e^-1.5 … e^1.5, lie on both sides of every clip; some end an episode.</summary>
    private sealed class Data
    {
        public Data(int steps, int environments, ulong seed)
        {
            var random = RandomStream.Create(seed, StreamRole.Environment);
            var frames = steps * environments;
            (Rewards, Discounts, Ratios) = (new float[frames], new float[frames], new float[frames]);
            Values = new float[frames + environments];
            for (var i = 0; i < frames; i++)
            {
                Rewards[i] = random.NextSingle() * 4f - 2f;
                Discounts[i] = random.NextInt32(5) == 0 ? 0f : 0.9f;
                Ratios[i] = MathF.Exp(random.NextSingle() * 3f - 1.5f);
            }
            for (var i = 0; i < Values.Length; i++) Values[i] = random.NextSingle() * 6f - 3f;
        }

        public float[] Rewards { get; }

        public float[] Discounts { get; }

        public float[] Ratios { get; }

        public float[] Values { get; }
    }
}
