using Rl.Distributed.Core.Numerics;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Actors.Gorila;

/// <summary>A learner's way to a replay memory, wherever that is. For the learner's thread.</summary>
public interface IReplayAccess : IDisposable
{
    /// <summary>The next segment can be inserted, and if there is enough to learn from, a minibatch is there: nothing must be waited for.</summary>
    bool IsReady { get; }

    /// <summary>Remembers a segment.</summary>
    void Insert(in TransitionSegment segment);

    /// <summary>Gives a minibatch; false where the memory does not have enough yet.</summary>
    /// <exception cref="InvalidOperationException">It never will.</exception>
    bool TrySample(TransitionBatch batch);
}

/// <summary>The way to a memory of the same process.</summary>
/// <param name="memory">The learner's own, or that of all learners.</param>
/// <param name="environments">Of the learner.</param>
/// <param name="least">Steps that the memory has before learning begins.</param>
/// <param name="draws">What the learner's minibatches are drawn with.</param>
public sealed class ReplayHere(TransitionMemory memory, int environments, int least, RandomStream draws) : IReplayAccess
{
    private readonly TransitionLane[] _lanes = TransitionLane.Create(environments);
    private RandomStream _draws = draws;

    public bool IsReady => true;

    public void Insert(in TransitionSegment segment) => memory.Insert(_lanes, segment);

    public bool TrySample(TransitionBatch batch) =>
        memory.TrySample(least, batch, ref _draws) || (memory.IsBarren
            ? throw new InvalidOperationException(
                $"The replay memory is full, and none of its {memory.Capacity} steps can be learned from: each was cut by a time limit "
                + "(environment.timeLimit), or there are more environments than steps (learner.replayCapacity).")
            : false);

    public void Dispose()
    {
    }
}
