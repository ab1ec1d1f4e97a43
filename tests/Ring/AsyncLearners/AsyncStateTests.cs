using Rl.Distributed.Actors.AsyncLearners;
using Rl.Distributed.Core.Checkpoints;
using Rl.Distributed.Core.Losses;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Ring.Tests;

public sealed class AsyncStateTests
{
    [Theory]
    [InlineData(UpdateRule.SharedRmsProp, UpdateRule.AdaGrad)]
    [InlineData(UpdateRule.AdaGrad, UpdateRule.SharedRmsProp)]
    [InlineData(UpdateRule.RmsProp, UpdateRule.Momentum)]
    public void A_checkpoint_of_another_update_rule_is_refused_and_named(UpdateRule saved, UpdateRule now)
    {
        var checkpoint = State(saved).Save();
        State(saved).Resume(checkpoint, 1, 0, 0);
        var error = Assert.Throws<CheckpointFormatException>(() => State(now).Resume(checkpoint, 1, 0, 0)).Message;
        Assert.Contains(Name(saved), error);
        Assert.Contains(Name(now), error);
    }

    [Fact]
    public void A_checkpoint_that_does_not_tell_its_rule_is_taken_where_its_statistics_fit()
    {
        var checkpoint = State(UpdateRule.SharedRmsProp).Save();
        checkpoint = new Checkpoint
        {
            Metadata = checkpoint.Metadata.Where(pair => pair.Key != "update.rule").ToDictionary(), Tensors = checkpoint.Tensors,
        };
        State(UpdateRule.AdaGrad).Resume(checkpoint, 1, 0, 0);
        Assert.Throws<CheckpointFormatException>(() => State(UpdateRule.Momentum).Resume(checkpoint, 1, 0, 0));
    }

    [Fact]
    public void Losses_are_means_over_the_frames_that_were_learned_from()
    {
        var (state, log) = (State(UpdateRule.SharedRmsProp), new LearnerLog());
        // Three segments of 4 frames, of which one has a gradient.
        log.AddFrames(12);
        log.AddLoss(new ActorCriticLossValues(4, 8, 2, 6));
        log.AddGradient(new GradientOutcome(GradientRejection.None, 1, 0, 1));
        state.Add(log.Take());
        var report = state.Report(0);
        Assert.Equal((2, 0.5, 1.5), (report.PolicyLoss, report.ValueLoss, report.Entropy));
    }

    private static AsyncState State(UpdateRule rule) => new("a3c", new SharedParameters(new float[3], new SharedParametersOptions { Rule = rule }));

    private static string Name(UpdateRule rule) => char.ToLowerInvariant($"{rule}"[0]) + $"{rule}"[1..];
}
