using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

/// <summary>Learners that one thread drives, a little at a time. Not thread-safe; disposed, their environments are too.</summary>
public interface IAsyncLearners : IDisposable
{
    /// <summary>Takes the next segment, or update: some milliseconds.</summary>
    void Run();

    /// <summary>What was done since the last call.</summary>
    LearnerProgress TakeProgress();
}
