using Rl.Distributed.Core.Losses;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

// What the gradient server receives from learners of other nodes.

/// <summary>A learner begins (or began again) and wants to send gradients. Said again until there is an answer.</summary>
/// <param name="Worker">The learner's index.</param>
/// <param name="Incarnation">How often it was restarted.</param>
/// <param name="Run">The run that it learns for; a learner of another one gets no answer.</param>
public sealed record RegisterLearner(int Worker, int Incarnation, string Run);

/// <summary>A part of a gradient. The last part of the server's range ends it.</summary>
/// <remarks>A server of all parameters has the range 0 … total; one of a shard has a part of it, and is sent that part
/// alone: the gradient was clipped by the norm of the whole before.</remarks>
/// <param name="Id">Learner, incarnation, and the gradient's number among the incarnation's.</param>
/// <param name="Version">The parameters that it was computed with.</param>
/// <param name="Total">Parameters of the network.</param>
/// <param name="Offset">Where this part begins.</param>
/// <param name="Encoding">Of the values.</param>
/// <param name="Scale">What each value is multiplied by: see <see cref="GradientEncodings"/>.</param>
/// <param name="Values">This part. It does not change until <see cref="GradientAcknowledged"/>.</param>
/// <param name="Segment">What the gradient comes from.</param>
public sealed record PushGradient(
    UnrollId Id, ParameterVersion Version, int Total, int Offset, GradientEncoding Encoding, float Scale, ReadOnlyMemory<byte> Values,
    SegmentReport Segment)
{
    /// <summary>Numbers in this part.</summary>
    public int Count => Values.Length / GradientEncodings.BytesPerValue(Encoding);
}

/// <summary>A segment that a learner acted for and learned from, together with those before it that gave no gradient: as many of these as
/// <see cref="GradientIntake.MostFrames"/> allows, and of their episodes <see cref="GradientCodecs.MaxReportedEpisodes"/>. The rest comes with the
/// next gradient.</summary>
/// <remarks>Of a gradient in parts the server's first part counts. Episodes are in the first part of all, the other parts have none.</remarks>
/// <param name="Frames">Its steps, all environments together: a multiple of a segment's.</param>
/// <param name="EpisodeReturns">Returns of the whole games that ended in it, oldest first.</param>
/// <param name="EpisodeLengths">Their lengths in steps.</param>
/// <param name="EpisodesLost">Episodes that broke off because their environment failed.</param>
/// <param name="Loss">Losses, summed over its frames.</param>
/// <param name="GradientNorm">The gradient's Euclidean norm before it was clipped.</param>
/// <param name="KeptBack">Gradients before this one that the learner kept because their loss was far above the usual.</param>
/// <param name="Skew">Of the parameters that it acted with: updates of the shard that had most less those of the one that had least.</param>
public sealed record SegmentReport(
    int Frames, float[] EpisodeReturns, int[] EpisodeLengths, long EpisodesLost, ActorCriticLossValues Loss, float GradientNorm,
    int KeptBack = 0, long Skew = 0)
{
    private const double GreatestLoss = 1e100;

    /// <summary>The norm and the losses are numbers, and so are sums of any count of such losses.</summary>
    internal bool IsFinite =>
        float.IsFinite(GradientNorm) && Math.Abs(Loss.PolicyGradient) <= GreatestLoss && Math.Abs(Loss.Value) <= GreatestLoss
        && Math.Abs(Loss.Entropy) <= GreatestLoss;
}

// What it answers.

/// <summary>To a learner: it may have this many gradients on their way at once.</summary>
/// <param name="Worker">The learner.</param>
/// <param name="Incarnation">Its incarnation.</param>
/// <param name="Credits">How many.</param>
/// <param name="Frames">Frames of all learners so far.</param>
/// <param name="Shard">Which shard the server has; 0 where it has all parameters.</param>
public sealed record LearnerRegistered(int Worker, int Incarnation, int Credits, long Frames, int Shard = 0);

/// <summary>To a learner: the end of one of its gradients at this server; the credit is its own again when all servers have said so.</summary>
/// <param name="Id">The gradient.</param>
/// <param name="Rejection">None where it was applied.</param>
/// <param name="Newest">The version that the parameters have now.</param>
/// <param name="Frames">Frames of all learners so far.</param>
/// <param name="Shard">Which shard's part of it this is about; 0 where the server has all parameters.</param>
public sealed record GradientAcknowledged(UnrollId Id, GradientRejection Rejection, ParameterVersion Newest, long Frames, int Shard = 0);

// Between it and the owner of the run, in one process.

/// <summary>To the gradient server: its reports go to the sender.</summary>
public sealed record WatchGradients
{
    public static readonly WatchGradients Instance = new();
}

/// <summary>To the gradient server: take no more of them.</summary>
public sealed record StopGradients
{
    public static readonly StopGradients Instance = new();
}

/// <summary>From it: what was applied and refused since its last report. Sent every 100 ms where there was something, and at the end.</summary>
/// <param name="Progress">What that was.</param>
/// <param name="Frames">Frames of all learners since the run began.</param>
/// <param name="Updates">Gradients that were applied since then.</param>
public sealed record GradientsReport(LearnerProgress Progress, long Frames, long Updates);

/// <summary>From it: no gradient is applied any more, because all frames are done or it was told to stop; its last report came before.</summary>
public sealed record GradientsFinished
{
    public static readonly GradientsFinished Instance = new();
}
