using Rl.Distributed.Core.Trajectories;

namespace Rl.Distributed.Replay;

// What the replay actor receives.

/// <summary>A worker begins (or began again): it wants credits. Its earlier incarnations' credits are void.</summary>
/// <param name="Worker">The worker's index.</param>
/// <param name="Incarnation">How often it was restarted.</param>
/// <param name="UnrollBytes">What one of its unrolls takes, for the bound in bytes.</param>
public sealed record RegisterWorker(int Worker, int Incarnation, long UnrollBytes);

/// <summary>One unroll; costs the sender a credit. Its buffers belong to the message until <see cref="CreditReturned"/>.</summary>
public sealed record InsertUnroll(Unroll Unroll);

/// <summary>The learner wants this many unrolls, as soon as there are as many.</summary>
public sealed record RequestBatch(int Unrolls);

/// <summary>The learner has taken these up and reads their buffers no more.</summary>
public sealed record BatchConsumed(UnrollId[] Unrolls);

// What it answers.

/// <summary>To a worker: it may have this many unrolls on their way at once.</summary>
public sealed record CreditsGranted(int Worker, int Incarnation, int Count);

/// <summary>To a worker: the end of one of its unrolls; the credit and the buffers are its own again.</summary>
public sealed record CreditReturned(UnrollId Id, UnrollOutcome Outcome);

/// <summary>To the learner: what <see cref="RequestBatch"/> asked for, oldest first.</summary>
public sealed record BatchReady(Unroll[] Unrolls);

/// <summary>How an unroll ended.</summary>
public enum UnrollOutcome
{
    /// <summary>The learner learned from it, once.</summary>
    Consumed,

    /// <summary>Its shape is not the run's.</summary>
    WrongShape,

    /// <summary>It was sent without a credit and the table was full.</summary>
    TableFull,

    /// <summary>It, or a later one of the same worker, was here before.</summary>
    Duplicate,

    /// <summary>Its worker was restarted meanwhile.</summary>
    StaleIncarnation,

    /// <summary>A gradient only: it holds NaN or infinity.</summary>
    NotFinite,
}
