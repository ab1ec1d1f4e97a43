using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>What applies gradients of other nodes.</summary>
/// <param name="Shared">θ and g, which learners of this process may write at the same time.</param>
/// <param name="Ledger">Of the same parameters.</param>
/// <param name="Target">θ⁻; null where the algorithm has none.</param>
/// <param name="LearningRate">η as a function of the frames of all learners.</param>
/// <param name="FramesPerGradient">Frames of a segment of this run.</param>
/// <param name="Epoch">Of the versions: another one each time that the parameters begin anew from a checkpoint.</param>
public sealed record GradientIntakeSetup(
    SharedParameters Shared, GradientLedger Ledger, TargetParameters? Target, LinearSchedule LearningRate, int FramesPerGradient, int Epoch)
{
    /// <summary>Which part of the network's parameters these are; all of them where nothing else is said.</summary>
    public ShardRange Range { get; init; } = ShardRange.Whole(Shared.Count);

    /// <summary>The Euclidean norm that learners clip their gradients to; infinity: they do not. Where each gradient is an update, one that is longer
    /// is clipped again, so that a node with another configuration cannot do more than this one allows.</summary>
    public float MaxGradientNorm { get; init; } = float.PositiveInfinity;
}

/// <summary>Puts gradients together from their parts, checks them, and applies them to the shared parameters, each at most once.</summary>
/// <remarks>A plain object for one thread. Every check comes before a gradient touches anything: one NaN would poison the statistics, and
/// so every learner, for good. What is refused is counted, by reason, and its frames and episodes do
/// not count, unless it merely came too late.</remarks>
public sealed class GradientIntake(GradientIntakeSetup setup)
{
    // Of one gradient: so many may have gone by before its learner had enough to learn from. Of more the next gradients tell.
    private const int MaxSegments = 1 << 20;

    // Half precision makes a gradient longer by a 2048th at most. Within this nothing is scaled, so that honest gradients arrive to the bit.
    private const float NormTolerance = 1.01f;

    private readonly Dictionary<int, Learner> _learners = [];
    private readonly Dictionary<int, int> _newest = [];
    private readonly LearnerLog _log = new();
    private readonly Func<long, float> _learningRate = frames => (float)setup.LearningRate.At(frames);

    private SharedParameters Shared => setup.Shared;

    /// <summary>So many frames one gradient may tell of.</summary>
    /// <param name="framesPerGradient">Frames of a segment.</param>
    public static int MostFrames(int framesPerGradient) => Math.Min(MaxSegments, int.MaxValue / framesPerGradient) * framesPerGradient;

    /// <summary>There are episodes that <see cref="TakeProgress"/> has not told of.</summary>
    public bool HasEpisodes => _log.HasEpisodes;

    /// <summary>The version that θ has now.</summary>
    public ParameterVersion Version => new(setup.Epoch, Shared.Updates);

    /// <summary>Opens the account of a learner's incarnation; false where a newer one is known. Earlier ones' gradients are refused from
    /// now on.</summary>
    public bool TryRegister(int worker, int incarnation)
    {
        if (_newest.TryGetValue(worker, out var newest) && newest > incarnation) return false;
        _newest[worker] = incarnation;
        if (_learners.GetValueOrDefault(worker)?.Incarnation != incarnation) _learners[worker] = new Learner(incarnation, Shared);
        return true;
    }

    /// <summary>A learner is gone; what is still on its way from it is refused.</summary>
    public void Forget(int worker) => _learners.Remove(worker);

    /// <summary>It is of a learner's incarnation that is registered.</summary>
    public bool Knows(UnrollId id) => _learners.TryGetValue(id.Worker, out var learner) && learner.Incarnation == id.Incarnation;

    /// <summary>Takes a part of a gradient.</summary>
    /// <returns>What became of the gradient; null where more of it is to come, or a part is missing.</returns>
    public GradientRejection? Take(PushGradient message)
    {
        var rejection = Check(message, out var learner);
        if (rejection != GradientRejection.None)
        {
            // The first part speaks for the others; what is out of range belongs to none.
            if (message.Offset > setup.Range.Start && (long)message.Offset + message.Count <= setup.Range.End) return null;
            Shared.Reject(rejection);
            if (rejection == GradientRejection.NotFinite) _log.AddGradient(new GradientOutcome(rejection, message.Segment.GradientNorm, 0));
            return rejection;
        }
        var offset = message.Offset - setup.Range.Start;
        if (!learner.Parts.Accept(message.Id, Shared.Count, offset, message.Count)) return null;
        if (offset == 0) learner.Segment = message.Segment;
        var part = learner.Local.Gradient.Slice(offset, message.Count);
        GradientEncodings.Decode(message.Values.Span, message.Encoding, message.Scale, part);
        return learner.Parts.IsComplete ? Apply(message, learner) : null;
    }

    /// <summary>What was applied and refused since the last call; of many episodes the oldest.</summary>
    public LearnerProgress TakeProgress() => _log.Take(mostEpisodes: GradientCodecs.MaxReportedEpisodes);

    private GradientRejection Check(PushGradient message, out Learner learner)
    {
        if (!_learners.TryGetValue(message.Id.Worker, out learner!) || message.Id.Incarnation > learner.Incarnation)
            return GradientRejection.UnknownLearner;
        if (message.Id.Incarnation < learner.Incarnation) return GradientRejection.StaleIncarnation;
        var range = setup.Range;
        if (message.Total != range.Total || message.Offset < range.Start || (long)message.Offset + message.Count > range.End
            || !IsSegments(message.Segment))
            return GradientRejection.WrongLength;
        // One of the values is not, here or in another part, or a loss is not: all servers refuse it.
        if (!message.Segment.IsFinite) return GradientRejection.NotFinite;
        return message.Version.Epoch == setup.Epoch && message.Version.Counter <= Shared.Updates
            ? GradientRejection.None
            : GradientRejection.WrongVersion;
    }

    private bool IsSegments(SegmentReport segment)
    {
        var (segments, rest) = Math.DivRem(segment.Frames, setup.FramesPerGradient);
        return rest == 0 && segments is > 0 and <= MaxSegments && segment.KeptBack < segments;
    }

    private GradientRejection Apply(PushGradient message, Learner learner)
    {
        var (segment, local) = (learner.Segment, learner.Local);
        local.Version = message.Version.Counter;
        var (outcome, before) = setup.Ledger.Apply(
            message.Id, segment.Frames, local, _learningRate, NormTolerance * setup.MaxGradientNorm, learner.Statistics);
        if (outcome.Rejection == GradientRejection.Duplicate)
        {
            Shared.Reject(outcome.Rejection);
            return outcome.Rejection;
        }
        _log.AddGradient(outcome with { Norm = segment.GradientNorm });
        if (outcome.Rejection is not (GradientRejection.None or GradientRejection.Stale)) return outcome.Rejection;
        Shared.Reject(GradientRejection.OutlierLoss, segment.KeptBack);
        _log.Add(segment);
        setup.Target?.OnSegment(before, before + segment.Frames, outcome);
        return outcome.Rejection;
    }

    /// <summary>One learner's incarnation.</summary>
    private sealed class Learner(int incarnation, SharedParameters shared)
    {
        public int Incarnation => incarnation;

        public LocalParameters Local { get; } = shared.CreateLocal();

        public AlignedFloats? Statistics { get; } = shared.CreateStatistics();

        public ChunkSequence<UnrollId> Parts { get; } = new();

        /// <summary>What the first part of the present gradient says of it.</summary>
        public SegmentReport Segment { get; set; } = null!;
    }
}
