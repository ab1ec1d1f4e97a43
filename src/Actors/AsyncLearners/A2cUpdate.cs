using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Core.Optimizers;
using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>A2C: every learner acts for a segment with the same parameters, then all their gradients make one update.</summary>
/// <remarks>
/// The synchronous form of A3C: nothing is stale, and the run repeats from its seed. The update's gradient is the mean over learners, so
/// K learners of one environment are one learner of K. Groups run in parallel and are added up in their order: what comes out depends on
/// how learners are grouped, not on threads. All groups share one <see cref="SharedParameters"/>, which nobody else may change.
/// </remarks>
public sealed class A2cUpdate : IAsyncLearners
{
    private readonly LearnerGroup[] _groups;
    private readonly LocalParameters[] _locals;
    private readonly SharedParameters _shared;
    private readonly IParallelRunner _runner;
    private readonly LinearSchedule _learningRate;
    private readonly Action<int> _addGradients;
    private readonly float _maxNorm;
    private readonly int _learners;

    /// <param name="groups">The learners, each group with a local memory of its own.</param>
    /// <param name="options">The learners'.</param>
    /// <param name="shared">The parameters of all groups; one statistic for all.</param>
    /// <param name="totalFrames">Frames of the whole run, over which the learning rate is annealed.</param>
    /// <param name="runner">Where groups run.</param>
    /// <exception cref="ArgumentException">The groups share memory, are no A3C learners, or each would have a statistic of its own.</exception>
    public A2cUpdate(LearnerGroup[] groups, AsyncLearnerOptions options, SharedParameters shared, long totalFrames, IParallelRunner runner)
    {
        if (!options.Update.Rule.HasSharedStatistics())
            throw new ArgumentException("A2C has one update, so it has one statistic: the rule must be sharedRmsProp or adaGrad.", nameof(options));
        (_groups, _shared, _runner, _maxNorm) = (groups, shared, runner, options.MaxGradientNorm);
        _locals = Array.ConvertAll(groups, group => group.Learners[0].Local);
        if (_locals.Distinct().Count() < _locals.Length)
            throw new ArgumentException("Two groups share a local memory: their gradients would be counted twice.", nameof(groups));
        // They move their target and their exploration with each update of their own, of which there are none here.
        if (groups.Any(group => group.Learners.Any(learner => learner is not A3cLearner)))
            throw new ArgumentException("A2C is of learners of a policy and a value.", nameof(groups));
        _learners = groups.Sum(group => group.Learners.Count);
        Frames = groups.Sum(group => group.Learners.Sum(learner => learner.Frames));
        _learningRate = ActorLearner.Schedule(options, totalFrames);
        _addGradients = AddGradients;
    }

    /// <summary>Frames of an update.</summary>
    public int Frames { get; }

    /// <summary>Runs one update of all learners.</summary>
    public void Run()
    {
        _runner.Run(_groups.Length, _addGradients);
        var sum = _locals[0].Gradient;
        foreach (var other in _locals.AsSpan(1))
        {
            VectorOps.Axpy(1, other.Gradient, sum);
            other.Gradient.Clear();
        }
        VectorOps.Scale(1f / _learners, sum);
        _groups[0].Log.AddGradient(_shared.Apply(_locals[0], (float)_learningRate.At(_shared.AddFrames(Frames)), _maxNorm));
        foreach (var other in _locals.AsSpan(1)) _shared.CopyTo(other);
    }

    public LearnerProgress TakeProgress()
    {
        var progress = _groups[0].TakeProgress();
        foreach (var group in _groups.AsSpan(1)) progress += group.TakeProgress();
        return progress;
    }

    public void Dispose()
    {
        foreach (var group in _groups) group.Dispose();
    }

    private void AddGradients(int group) => _groups[group].AddGradients();
}
