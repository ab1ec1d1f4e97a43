using System.Text.Json;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Losses;

public sealed class ImpalaLossTests
{
    [Fact]
    public void The_single_losses_and_their_gradients_are_the_oracles()
    {
        foreach (var c in OracleFiles.Math("impala_losses"))
        {
            var actions = c.Int("A");
            var (logits, values) = (c.Floats("logits"), c.Floats("baseline"));
            var (valueCost, entropyCost) = ((float)c.Number("baseline_cost"), (float)c.Number("entropy_cost"));
            var (logitGradient, valueGradient) = (new float[logits.Length], new float[values.Length]);

            var policyGradient = PolicyGradientLoss.Add(
                logits, c.Ints("actions"), c.Floats("pg_advantages"), actions, logitGradient);
            var entropy = EntropyLoss.Add(logits, actions, entropyCost, logitGradient);
            var value = ValueLoss.Add(values, c.Floats("vs"), valueCost, valueGradient);

            Near.One(c.Number("pg_loss"), policyGradient);
            Near.One(c.Number("entropy_loss"), entropyCost * entropy);
            Near.One(c.Number("baseline_loss"), valueCost * value);
            Near.One(c.Number("total_loss"), policyGradient + entropyCost * entropy + valueCost * value);
            Near.All(c.Doubles("dlogits"), logitGradient);
            Near.All(c.Doubles("dbaseline"), valueGradient);
        }
    }

    [Fact]
    public void The_fused_loss_of_a_whole_learner_step_is_the_oracles()
    {
        foreach (var c in OracleFiles.Math("learner_step"))
        {
            var (steps, environments) = (c.Int("T"), c.Int("B"));
            var behaviour = c.Floats("behavior_logits");
            var (frames, actions) = (steps * environments, behaviour.Length / (steps * environments));
            var values = c.Floats("values");
            var options = new ImpalaLossOptions
            {
                ValueCost = (float)c.Number("baseline_cost"),
                EntropyCost = (float)c.Number("entropy_cost"),
            };
            var done = c.GetProperty("done").EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(IsTrue);
            var discounts = done.Skip(environments).Select(ends => ends ? 0f : (float)c.Number("gamma")).ToArray();
            var (logitGradient, valueGradient) = (new float[behaviour.Length], new float[frames]);

            var loss = ImpalaLoss.Compute(
                steps, environments, actions, behaviour, c.Floats("logits"), values, c.Ints("actions"),
                c.Floats("rewards"), discounts, options, new(steps, environments, actions), logitGradient, valueGradient);

            Near.One(c.Number("pg_loss"), loss.PolicyGradient);
            Near.One(c.Number("baseline_loss"), options.ValueCost * loss.Value);
            Near.One(c.Number("entropy_loss"), -options.EntropyCost * loss.Entropy);
            Near.One(c.Number("total_loss"), loss.Total);
            var targets = c.Doubles("vs");
            Near.All([.. targets.Select((target, i) => options.ValueCost * (values[i] - target))], valueGradient);
            var logits = c.Floats("logits")[..behaviour.Length];
            var expected = new float[behaviour.Length];
            PolicyGradientLoss.Add(logits, c.Ints("actions"), c.Floats("pg_advantages"), actions, expected);
            EntropyLoss.Add(logits, actions, options.EntropyCost, expected);
            Near.All(expected, logitGradient);
        }
    }

    [Fact]
    public void The_fused_loss_holds_the_oracles_targets_and_advantages()
    {
        foreach (var c in OracleFiles.Math("vtrace"))
        {
            var (steps, environments, actions) = (c.Int("T"), c.Int("B"), c.Int("A"));
            var (logits, chosen) = (c.Floats("target_logits"), c.Ints("actions"));
            float[] values = [.. c.Floats("values"), .. c.Floats("bootstrap_value")];
            var options = new ImpalaLossOptions
            {
                ValueCost = 1f,
                EntropyCost = 0f,
                RhoBar = (float)c.Number("clip_rho_threshold"),
                PgRhoBar = (float)c.Number("clip_pg_rho_threshold"),
            };
            var (logitGradient, valueGradient) = (new float[logits.Length], new float[chosen.Length]);

            var loss = ImpalaLoss.Compute(
                steps, environments, actions, c.Floats("behavior_logits"), logits, values, chosen, c.Floats("rewards"),
                c.Floats("discounts"), options, new(steps, environments, actions), logitGradient, valueGradient);

            var (targets, advantages) = (c.Doubles("vs"), c.Doubles("pg_advantages"));
            var logRatios = c.Doubles("log_rhos");
            Near.All([.. targets.Select((target, i) => values[i] - target)], valueGradient);
            Near.One(logRatios.Sum(Math.Exp), loss.Ratio);
            Assert.InRange(
                loss.ClippedFrames, logRatios.Count(x => Math.Exp(x) > options.RhoBar * 1.0011), logRatios.Count(x => Math.Exp(x) > options.RhoBar * 1.0009));
            var expected = new float[logits.Length];
            PolicyGradientLoss.Add(logits, chosen, [.. advantages.Select(x => (float)x)], actions, expected);
            Near.All(expected, logitGradient);
        }
    }

    [Fact]
    public void The_vector_form_agrees_with_its_scalar_twin_at_every_size()
    {
        foreach (var actions in (int[])[1, 2, 3, 6, 18])
        {
            foreach (var (steps, environments) in ((int, int)[])[(1, 1), (1, 7), (2, 4), (3, 3), (5, 3), (2, 8), (1, 17), (3, 11), (4, 33)])
            {
                var data = new Batch(steps, environments, actions, 7);
                var options = new ImpalaLossOptions { RhoBar = 1.1f, PgRhoBar = 0.9f, Lambda = 0.9f, EntropyCost = 0.05f };
                var (fast, slow) = (data.Gradients(), data.Gradients());

                var loss = data.Compute(options, data.Workspace(), fast);
                var twin = data.ComputeScalar(options, slow);

                Near.All(slow.Logits, fast.Logits);
                Near.All(slow.Values, fast.Values);
                Near.One(twin.PolicyGradient / loss.Frames, loss.PolicyGradient / loss.Frames);
                Near.One(twin.Value / loss.Frames, loss.Value / loss.Frames);
                Near.One(twin.Entropy / loss.Frames, loss.Entropy / loss.Frames);
                Near.One(twin.Total / loss.Frames, loss.Total / loss.Frames);
                Near.One(twin.Ratio / loss.Frames, loss.Ratio / loss.Frames);
                Assert.Equal((twin.Frames, twin.ClippedFrames), (loss.Frames, loss.ClippedFrames));
            }
        }
    }

    [Fact]
    public void The_logit_gradient_is_the_slope_of_the_loss_while_advantages_are_held_constant()
    {
        var data = new Batch(2, 3, 4, 11);
        var options = new ImpalaLossOptions { EntropyCost = 0.3f };
        var gradients = data.Gradients();
        data.Compute(options, data.Workspace(), gradients);
        var advantages = data.Advantages(options);

        for (var i = 0; i < data.Logits.Length; i++)
        {
            double At(double shift)
            {
                var x = data.Logits.Select((logit, j) => logit + (j == i ? shift : 0.0)).ToArray();
                var total = 0.0;
                for (var row = 0; row < 6; row++)
                {
                    var logits = x.AsSpan(row * 4, 4).ToArray();
                    var normalizer = Math.Log(logits.Sum(Math.Exp));
                    total -= (logits[data.Chosen[row]] - normalizer) * advantages[row];
                    total += 0.3 * logits.Sum(logit => Math.Exp(logit - normalizer) * (logit - normalizer));
                }
                return total;
            }
            Near.One((At(1e-4) - At(-1e-4)) / 2e-4, gradients.Logits[i], 2e-5);
        }
    }

    [Fact]
    public void Shards_of_environments_add_up_to_the_batch()
    {
        var data = new Batch(4, 10, 3, 5);
        var options = new ImpalaLossOptions();
        var whole = data.Compute(options, data.Workspace(), data.Gradients());

        var left = data.Shard(0, 6);
        var right = data.Shard(6, 4);
        var workspace = left.Workspace();
        var sum = left.Compute(options, workspace, left.Gradients()) + right.Compute(options, workspace, right.Gradients());

        Assert.Equal((whole.Frames, whole.ClippedFrames), (sum.Frames, sum.ClippedFrames));
        Near.One(whole.Total, sum.Total);
        Near.One(whole.MeanEntropy, sum.MeanEntropy);
        Near.One(whole.MeanRatio, sum.MeanRatio);
    }

    [Fact]
    public void Nothing_is_written_behind_the_gradients()
    {
        foreach (var actions in (int[])[1, 2, 3, 4, 5])
        {
            for (var environments = 1; environments <= 33; environments++)
            {
                var data = new Batch(1, environments, actions, 3);
                var (logitGradient, valueGradient) = (new float[environments * actions + 16], new float[environments + 16]);
                Array.Fill(logitGradient, 7f);
                Array.Fill(valueGradient, 7f);

                ImpalaLoss.Compute(
                    1, environments, actions, data.Behaviour, data.Logits, data.Values, data.Chosen, data.Rewards, data.Discounts, new(),
                    data.Workspace(), logitGradient.AsSpan(0, environments * actions), valueGradient.AsSpan(0, environments));

                Assert.All(logitGradient[^16..], each => Assert.Equal(7f, each));
                Assert.All(valueGradient[^16..], each => Assert.Equal(7f, each));
            }
        }
    }

    [Fact]
    public void Logits_far_apart_give_what_the_scalar_twin_gives()
    {
        var data = new Batch(3, 9, 4, 31);
        for (var i = 0; i < data.Logits.Length; i++) (data.Logits[i], data.Behaviour[i]) = (data.Logits[i] * 150f, data.Behaviour[i] * 20f);
        var (fast, slow) = (data.Gradients(), data.Gradients());

        var loss = data.Compute(new(), data.Workspace(), fast);
        var twin = data.ComputeScalar(new(), slow);

        Assert.True(loss.IsFinite);
        Near.All(slow.Logits, fast.Logits, 1e-4);
        Near.All(slow.Values, fast.Values, 1e-4);
        Near.One(twin.Total, loss.Total, 1e-4);
        Near.One(twin.Entropy, loss.Entropy, 1e-4);
    }

    [Fact]
    public void The_logits_of_step_T_are_not_read()
    {
        var data = new Batch(3, 5, 4, 9);
        var (gradients, longer) = (data.Gradients(), data.Gradients());
        var expected = data.Compute(new(), data.Workspace(), gradients);

        var loss = data.Compute(new(), data.Workspace(), longer, [.. data.Logits, .. Enumerable.Repeat(float.NaN, 20)]);

        Assert.Equal(expected, loss);
        Assert.Equal(gradients.Logits, longer.Logits);
    }

    [Theory]
    [InlineData("behaviour")]
    [InlineData("logits")]
    [InlineData("values")]
    [InlineData("bootstrap")]
    [InlineData("rewards")]
    [InlineData("discounts")]
    public void A_number_that_is_not_finite_shows_in_the_total(string where)
    {
        foreach (var poison in (float[])[float.NaN, float.PositiveInfinity])
        {
            for (var i = 0; i < 9; i++)
            {
                var data = new Batch(3, 3, 2, 13);
                Array.Fill(data.Discounts, 0.9f);
                var target = where switch
                {
                    "behaviour" => data.Behaviour.AsSpan(i * 2 + data.Chosen[i]),
                    "logits" => data.Logits.AsSpan(i * 2 + i % 2),
                    "values" => data.Values.AsSpan(i),
                    "bootstrap" => data.Values.AsSpan(9 + i % 3),
                    "rewards" => data.Rewards.AsSpan(i),
                    _ => data.Discounts.AsSpan(i),
                };
                target[0] = poison;

                Assert.False(data.Compute(new(), data.Workspace(), data.Gradients()).IsFinite, $"{poison} at {i}");
                Assert.False(data.ComputeScalar(new(), data.Gradients()).IsFinite, $"{poison} at {i}, scalar");
            }
        }
    }

    [Fact]
    public void A_workspace_that_served_a_bad_batch_serves_a_good_one_as_before()
    {
        var (bad, good) = (new Batch(3, 5, 3, 1), new Batch(2, 3, 3, 2));
        var workspace = bad.Workspace();
        Array.Fill(bad.Logits, float.NaN);
        Array.Fill(bad.Rewards, float.NaN);
        bad.Compute(new(), workspace, bad.Gradients());

        Assert.Equal(good.Compute(new(), good.Workspace(), good.Gradients()), good.Compute(new(), workspace, good.Gradients()));
    }

    [Theory]
    [InlineData(0, -1)]
    [InlineData(7, 3)]
    [InlineData(34, 3)]
    public void An_action_out_of_range_is_refused(int frame, int action)
    {
        var data = new Batch(5, 7, 3, 1);
        data.Chosen[frame] = action;

        Assert.Throws<ArgumentOutOfRangeException>(() => data.Compute(new(), data.Workspace(), data.Gradients()));
    }

    [Fact]
    public void A_workspace_too_small_is_refused()
    {
        var data = new Batch(5, 7, 3, 1);

        Assert.Throws<ArgumentException>(() => data.Compute(new(), new(5, 6, 3), data.Gradients()));
        Assert.Throws<ArgumentException>(() => data.Compute(new(), new(5, 7, 2), data.Gradients()));
    }

    [Fact]
    public void Computing_allocates_nothing()
    {
        var data = new Batch(5, 9, 6, 1);
        var (options, workspace, gradients) = (new ImpalaLossOptions(), data.Workspace(), data.Gradients());
        data.Compute(options, workspace, gradients);

        var before = GC.GetAllocatedBytesForCurrentThread();
        data.Compute(options, workspace, gradients);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>Of a flag that is written as a boolean or as a number.</summary>
    private static bool IsTrue(JsonElement flag) =>
        flag.ValueKind == JsonValueKind.True || (flag.ValueKind == JsonValueKind.Number && flag.GetDouble() != 0);
}
