using Rl.Distributed.Core.Networks;
using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.ParameterServer;

/// <summary>Puts gradients of learners together that all take part in each update, checks them, and makes one update of their mean.</summary>
/// <remarks>
/// A2C: each learner gives one gradient of the present version; when all that are waited for have given theirs, the mean is applied, summed in
/// the order of the learners' indices, so that it does not matter who was first, nor on which node they are. A gradient of an earlier version
/// is refused as stale, and its frames do not count. A plain object for one thread.
/// </remarks>
/// <param name="setup">What the mean is applied with; there is no target.</param>
/// <param name="maxNorm">The mean is scaled down to this Euclidean norm.</param>
/// <param name="leastLearners">So many gradients are needed for the first update.</param>
public sealed class SynchronousIntake(GradientIntakeSetup setup, float maxNorm, int leastLearners)
{
    private readonly SortedDictionary<int, Learner> _learners = [];
    private readonly Dictionary<int, int> _newest = [];
    private readonly LocalParameters _mean = setup.Shared.CreateLocal();
    private readonly LearnerLog _log = new();
    private readonly Func<long, float> _learningRate = frames => (float)setup.LearningRate.At(frames);
    private int _least = leastLearners;

    private SharedParameters Shared => setup.Shared;

    /// <summary>The version that θ has now, and that gradients must be of.</summary>
    public ParameterVersion Version => new(setup.Epoch, Shared.Updates);

    /// <summary>All that are waited for have given their gradient.</summary>
    public bool IsComplete
    {
        get
        {
            var given = 0;
            foreach (var learner in _learners.Values)
                if (learner.Given is not null) given++;
                else if (learner.IsAwaited) return false;
            return given >= _least;
        }
    }

    /// <summary>Times that an update did not wait for a learner any more that said nothing.</summary>
    public long Silences { get; private set; }

    /// <summary>Opens the account of a learner's incarnation, which is waited for from the next update on; false where a newer one is known.
    /// Earlier ones' gradients are refused from now on.</summary>
    public bool TryRegister(int worker, int incarnation, TimeSpan now)
    {
        if (_newest.TryGetValue(worker, out var newest) && newest > incarnation) return false;
        _newest[worker] = incarnation;
        if (_learners.GetValueOrDefault(worker)?.Incarnation != incarnation) _learners[worker] = new Learner(incarnation, Shared.Count);
        _learners[worker].HeardAt = now;
        return true;
    }

    /// <summary>A learner is gone, with what it gave for this update; what is still on its way from it is refused.</summary>
    public void Forget(int worker) => _learners.Remove(worker);

    /// <summary>Does not wait any more for learners that have said nothing since <paramref name="deadline"/>, until they do.</summary>
    /// <returns>Their indices.</returns>
    public IReadOnlyList<int> DropSilent(TimeSpan deadline)
    {
        var silent = new List<int>();
        foreach (var (worker, learner) in _learners)
        {
            if (!learner.IsAwaited || learner.Given is not null || learner.HeardAt > deadline) continue;
            (learner.IsAwaited, learner.IsSilent) = (false, true);
            silent.Add(worker);
        }
        Silences += silent.Count;
        return silent;
    }

    /// <summary>Takes a part of a gradient.</summary>
    /// <returns>Why it is refused; null where it is not, or not yet.</returns>
    public GradientRejection? Take(PushGradient message, TimeSpan now)
    {
        var rejection = Check(message, out var learner);
        if (rejection == GradientRejection.None) rejection = TakePart(message, learner, now);
        if (rejection is null or GradientRejection.None) return null;
        Shared.Reject(rejection.Value);
        if (rejection == GradientRejection.NotFinite) _log.AddGradient(new GradientOutcome(GradientRejection.NotFinite, 0, 0));
        return rejection;
    }

    /// <summary>Makes the update, after which the next one is waited for.</summary>
    /// <param name="now">The time.</param>
    /// <returns>The gradients whose mean it was, in the order of their learners, and what became of it.</returns>
    public (IReadOnlyList<UnrollId> Ids, GradientRejection Rejection) Update(TimeSpan now)
    {
        var (ids, frames) = (new List<UnrollId>(), 0L);
        var sum = _mean.Gradient;
        foreach (var learner in _learners.Values)
        {
            if (learner.Given is not { } given) continue;
            if (ids.Count == 0) learner.Gradient.CopyTo(sum);
            else VectorOps.Axpy(1, learner.Gradient, sum);
            ids.Add(given.Id);
            frames += given.Segment.Frames;
        }
        VectorOps.Scale(1f / ids.Count, sum);
        _mean.Version = Shared.Updates;
        var outcome = setup.Ledger.ApplyMean(ids, frames, _mean, _learningRate, maxNorm);
        _log.AddGradient(outcome);
        foreach (var learner in _learners.Values)
        {
            if (outcome.Rejection == GradientRejection.None && learner.Given is { } given) _log.Add(given.Segment);
            (learner.Given, learner.IsAwaited, learner.HeardAt) = (null, !learner.IsSilent, now);
        }
        _least = 1;
        return (ids, outcome.Rejection);
    }

    /// <summary>What was applied and refused since the last call.</summary>
    public LearnerProgress TakeProgress() => _log.Take();

    // Whose it is, and whether it can be of this run. Only the first part of a gradient is answered.
    private GradientRejection? Check(PushGradient message, out Learner learner)
    {
        var rejection = GradientRejection.None;
        if (!_learners.TryGetValue(message.Id.Worker, out learner!) || message.Id.Incarnation > learner.Incarnation)
            rejection = GradientRejection.UnknownLearner;
        else if (message.Id.Incarnation < learner.Incarnation) rejection = GradientRejection.StaleIncarnation;
        else if (message.Total != Shared.Count || message.Segment.Frames != setup.FramesPerGradient) rejection = GradientRejection.WrongLength;
        else if (message.Version.Epoch != setup.Epoch || message.Version.Counter > Shared.Updates) rejection = GradientRejection.WrongVersion;
        else if (message.Offset == 0 && (learner.Given is not null || setup.Ledger.Contains(message.Id))) rejection = GradientRejection.Duplicate;
        return rejection == GradientRejection.None || message.Offset == 0 ? rejection : null;
    }

    private GradientRejection? TakePart(PushGradient message, Learner learner, TimeSpan now)
    {
        (learner.HeardAt, learner.IsSilent) = (now, false);
        if (message.Offset != 0 && learner.Given is not null) return null;
        if (!learner.Parts.Accept(message.Id, message.Total, message.Offset, message.Count)) return null;
        GradientEncodings.Decode(message.Values.Span, message.Encoding, message.Scale, learner.Gradient.Slice(message.Offset, message.Count));
        if (!learner.Parts.IsComplete) return null;
        if (message.Version.Counter < Shared.Updates) return GradientRejection.Stale;
        if (!float.IsFinite(GradientClipping.Norm(learner.Gradient)) || !message.Segment.IsFinite) return GradientRejection.NotFinite;
        learner.Given = message;
        return null;
    }

    /// <summary>One learner's incarnation.</summary>
    private sealed class Learner(int incarnation, int parameters)
    {
        private readonly AlignedFloats _gradient = new(parameters);

        public int Incarnation => incarnation;

        public Span<float> Gradient => _gradient.AsSpan();

        public ChunkSequence<UnrollId> Parts { get; } = new();

        /// <summary>The last part of the gradient that it gave for this update; null: none yet.</summary>
        public PushGradient? Given { get; set; }

        /// <summary>This update waits for it.</summary>
        public bool IsAwaited { get; set; }

        /// <summary>It let an update wait too long, and has said nothing since.</summary>
        public bool IsSilent { get; set; }

        /// <summary>When it last said something, or had nothing to say.</summary>
        public TimeSpan HeardAt { get; set; }
    }
}
