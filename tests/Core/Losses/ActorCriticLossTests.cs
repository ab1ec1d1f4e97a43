using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Returns;

namespace Rl.Distributed.Core.Tests.Losses;

public sealed class ActorCriticLossTests
{
    private const int Steps = 7, Environments = 3, Actions = 4;

    [Fact]
    public void Two_steps_by_hand()
    {
        // π is uniform over two actions; R[1] = 2 + 0.5·4 = 4, R[0] = 1 + 0.5·4 = 3; the advantages are 3 - 1 = 2 and 4 - 1 = 3.
        var (rewards, policy, value) = ((float[])[1, 2], new float[4], new float[2]);
        var loss = ActorCriticLoss.Compute(
            1, 2, new float[4], [1, 1, 4], [0, 1], rewards, [0.5f, 0.5f], new ActorCriticLossOptions { EntropyCost = 0.01f }, policy, value);

        Near.All((float[])[3, 4], rewards);
        Near.All((float[])[-1, 1, 1.5f, -1.5f], policy);
        Near.All((float[])[-1, -1.5f], value);
        Near.One(5 * Math.Log(2), loss.PolicyGradient);
        Near.One(0.5 * (4 + 9), loss.Value);
        Near.One(2 * Math.Log(2), loss.Entropy);
    }

    [Fact]
    public void Nothing_flows_over_the_end_of_an_episode()
    {
        var rewards = (float[])[1, 1, 1];
        ActorCriticLoss.Compute(1, 2, new float[6], [0, 0, 0, 100], [0, 0, 0], rewards, [0.9f, 0, 0.9f], new(), new float[6], new float[3]);
        Near.All((float[])[1.9f, 1, 91], rewards);
    }

    [Fact]
    public void The_value_heads_gradient_is_the_oracles()
    {
        foreach (var c in OracleFiles.Math("impala_losses"))
        {
            var targets = c.Floats("vs");
            var (policy, value) = (new float[targets.Length * c.Int("A")], new float[targets.Length]);
            var options = new ActorCriticLossOptions { EntropyCost = (float)c.Number("entropy_cost"), ValueCost = (float)c.Number("baseline_cost") };
            var loss = ActorCriticLoss.Compute(
                1, c.Int("A"), c.Floats("logits"), [.. c.Floats("baseline"), 0], c.Ints("actions"), targets, new float[targets.Length], options,
                policy, value);

            Near.All(c.Doubles("dbaseline"), value);
            Near.One(c.Number("baseline_loss"), options.ValueCost * loss.Value);
            Near.One(c.Number("entropy_loss"), -options.EntropyCost * loss.Entropy);
        }
    }

    [Fact]
    public void It_is_IMPALAs_loss_where_the_behaviour_is_the_policy_averaged_over_environments()
    {
        var batch = new Batch(Steps, Environments, Actions, seed: 3);
        var (policy, value) = batch.Gradients();
        var (expectedPolicy, expectedValue) = batch.Gradients();
        var workspace = batch.Workspace();
        var expected = ImpalaLoss.Compute(
            Steps, Environments, Actions, batch.Logits, batch.Logits, batch.Values, batch.Chosen, batch.Rewards, batch.Discounts,
            new ImpalaLossOptions { EntropyCost = 0.02f, ValueCost = 0.5f }, workspace, expectedPolicy, expectedValue);
        var loss = ActorCriticLoss.Compute(
            Environments, Actions, batch.Logits, batch.Values, batch.Chosen, (float[])batch.Rewards.Clone(), batch.Discounts,
            new ActorCriticLossOptions { EntropyCost = 0.02f, ValueCost = 0.5f }, policy, value);

        Near.All(Array.ConvertAll(expectedPolicy, g => g / Environments), policy);
        Near.All(Array.ConvertAll(expectedValue, g => g / Environments), value);
        Near.One(expected.PolicyGradient, loss.PolicyGradient);
        Near.One(expected.Value, loss.Value);
        Near.One(expected.Entropy, loss.Entropy);
    }

    [Fact]
    public void Gradients_are_finite_differences_of_the_stated_loss()
    {
        var batch = new Batch(Steps, Environments, Actions, seed: 4);
        var options = new ActorCriticLossOptions { EntropyCost = 0.03f, ValueCost = 0.5f };
        var (policy, value) = batch.Gradients();
        var returns = (float[])batch.Rewards.Clone();
        ActorCriticLoss.Compute(
            Environments, Actions, batch.Logits, batch.Values, batch.Chosen, returns, batch.Discounts, options, policy, value);
        var advantages = returns.Select((r, i) => (double)r - batch.Values[i]).ToArray();

        for (var i = 0; i < policy.Length; i++) Near.One(Slope(batch.Logits, i, logits => Loss(logits, batch.Values)), policy[i], 1e-4);
        for (var i = 0; i < value.Length; i++) Near.One(Slope(batch.Values, i, values => Loss(batch.Logits, values)), value[i], 1e-4);

        double Loss(float[] logits, float[] values)
        {
            var sum = 0.0;
            for (var i = 0; i < returns.Length; i++)
            {
                var row = logits.Skip(i * Actions).Take(Actions).Select(x => (double)x).ToArray();
                var log = Math.Log(row.Sum(Math.Exp));
                var entropy = -row.Sum(x => Math.Exp(x - log) * (x - log));
                sum += -(row[batch.Chosen[i]] - log) * advantages[i] - options.EntropyCost * entropy
                    + options.ValueCost * 0.5 * Math.Pow(returns[i] - (double)values[i], 2);
            }
            return sum / Environments;
        }
    }

    private static double Slope(float[] at, int i, Func<float[], double> loss)
    {
        var (lower, higher) = ((float[])at.Clone(), (float[])at.Clone());
        lower[i] -= 1f / 512;
        higher[i] += 1f / 512;
        return (loss(higher) - loss(lower)) / ((double)higher[i] - lower[i]);
    }
}
