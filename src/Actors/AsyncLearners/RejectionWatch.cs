using Rl.Distributed.Core.Runs;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>Notices that the numbers do not come back: many gradients refused, and none applied in between.</summary>
internal sealed class RejectionWatch
{
    private const long Hopeless = 200;

    /// <summary>Gradients that were refused since the last one that was applied.</summary>
    public long InARow { get; private set; }

    /// <summary>Takes in what learners did; the reason to end the run, if there is one.</summary>
    public TrainingDivergedException? Add(LearnerProgress progress, long frames)
    {
        InARow = progress.Updates > 0 ? 0 : InARow + progress.NotFinite;
        return InARow < Hopeless ? null : new TrainingDivergedException(
            $"At {frames:N0} frames the last {InARow} gradients had NaN or infinity and were refused: "
            + "try a lower learner.learningRate or learner.maxGradientNorm.");
    }
}
