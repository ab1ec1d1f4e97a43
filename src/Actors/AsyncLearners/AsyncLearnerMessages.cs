using Rl.Distributed.ParameterServer;

namespace Rl.Distributed.Actors.AsyncLearners;

// What the actor of asynchronous learners receives.

/// <summary>End when the segment that runs is done.</summary>
public sealed record StopLearning
{
    public static readonly StopLearning Instance = new();
}

// What an actor of a learner whose experience comes from elsewhere receives.

/// <summary>What the learner waited for is there.</summary>
public sealed record LearnerReady
{
    public static readonly LearnerReady Instance = new();
}

// What it sends to whoever watches the run.

/// <summary>What its learners did since its last report. Sent every 100 ms, and at the end.</summary>
/// <param name="Group">Which actor of the run it is.</param>
/// <param name="Incarnation">How often it was restarted.</param>
/// <param name="Progress">What they did.</param>
public sealed record LearnersReport(int Group, int Incarnation, LearnerProgress Progress);

/// <summary>Its learners have done their last segment, because all frames are done or it was told to; its last report came before.</summary>
/// <param name="Group">Which actor of the run it is.</param>
public sealed record LearnersFinished(int Group);
