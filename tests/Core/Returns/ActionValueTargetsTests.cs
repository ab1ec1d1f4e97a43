using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Returns;

namespace Rl.Distributed.Core.Tests.Returns;

public sealed class ActionValueTargetsTests
{
    [Fact]
    public void One_step_errors_are_the_oracles()
    {
        var cases = OracleFiles.Math("q_targets").Where(c => c.GetProperty("kind").GetString() == "one_step").ToArray();
        Assert.NotEmpty(cases);
        foreach (var c in cases)
        {
            var (q, next, target, gradient) = (c.Floats("q_tm1"), new float[1], new float[1], new float[c.Int("A")]);
            ActionValueTargets.Max(c.Floats("q_t_value"), next);
            ActionValueTargets.OneStep([(float)c.Number("r_t")], [(float)c.Number("discount_t")], next, target);
            var loss = ActionValueLoss.Compute(q, [c.Int("a_tm1")], target, q.Length, 1, gradient);

            var error = c.Number("q_learning_td");
            Near.One(-error, gradient[c.Int("a_tm1")]);
            Near.One(0.5 * error * error, loss);
            Assert.Equal(1, gradient.Count(g => g != 0));
        }
    }

    [Fact]
    public void Several_steps_end_with_an_episode_or_with_the_greatest_value()
    {
        // Two environments side by side: the first one's episode ends at step 1.
        var (targets, next) = (new float[6], new float[8]);
        ActionValueTargets.Max([3, 5, 8, -1], next.AsSpan(6));
        MultiStep.DiscountedReturns([1, 1, 2, 2, 3, 3], [0.5f, 0.5f, 0, 0.5f, 0.5f, 0.5f], next, targets, environments: 2);
        Near.All((float[])[2, 3.75f, 2, 5.5f, 5.5f, 7], targets);
    }

    [Fact]
    public void A_gradient_is_scaled_and_other_actions_have_none()
    {
        var gradient = (float[])[9, 9, 9, 9];
        ActionValueLoss.Compute([1, 2, 3, 4], [1, 0], [0, 5], 2, 0.25f, gradient);
        Near.All((float[])[0, 0.5f, -0.5f, 0], gradient);
    }

    [Fact]
    public void Arrays_that_do_not_fit_together_are_refused()
    {
        Assert.Throws<ArgumentException>(() => ActionValueTargets.Max(new float[5], new float[2]));
        Assert.Throws<ArgumentException>(() => ActionValueTargets.OneStep(new float[3], new float[2], new float[3], new float[3]));
        Assert.Throws<ArgumentException>(() => ActionValueLoss.Compute(new float[6], new int[3], new float[2], 2, 1, new float[6]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ActionValueLoss.Compute(new float[6], [0, 1, 2], new float[3], 2, 1, new float[6]));
    }
}
