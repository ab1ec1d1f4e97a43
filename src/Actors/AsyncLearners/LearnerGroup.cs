using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>Logical learners that take turns on one thread, a segment at a time. Not thread-safe.</summary>
/// <remarks>Many learners in different episodes decorrelate what the shared parameters are taught, however few the cores are: that is
/// what the paper has instead of a replay memory. They share one copy θ', which each finds fresh.</remarks>
public sealed class LearnerGroup : IAsyncLearners
{
    private readonly ActorLearner[] _learners;
    private int _next;

    /// <param name="learners">All with one local memory and log.</param>
    /// <param name="log">What they write.</param>
    public LearnerGroup(ActorLearner[] learners, LearnerLog log)
    {
        if (learners.Length == 0 || learners.Any(learner => learner.Local != learners[0].Local))
            throw new ArgumentException("A group is one learner or more, with one local memory.", nameof(learners));
        (_learners, Log) = (learners, log);
    }

    public LearnerLog Log { get; }

    public IReadOnlyList<ActorLearner> Learners => _learners;

    /// <summary>Runs one segment of the learner whose turn it is.</summary>
    public void Run()
    {
        _learners[_next].RunSegment();
        _next = _next + 1 == _learners.Length ? 0 : _next + 1;
    }

    /// <summary>Adds up the gradients of one segment of each learner, and applies nothing.</summary>
    public void AddGradients()
    {
        foreach (var learner in _learners) learner.AddGradient();
    }

    public LearnerProgress TakeProgress() => Log.Take();

    public void Dispose()
    {
        foreach (var learner in _learners) learner.Dispose();
    }
}
