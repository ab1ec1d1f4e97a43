namespace Rl.Distributed.Replay;

// What the owner of a run's replay memory receives beside RegisterWorker and InsertUnroll, whose cut episodes have a discount.

/// <summary>From a learner of another node: it wants a minibatch. Asked again under another number where no answer comes; then a late answer is welcome, too.</summary>
/// <param name="Worker">The learner's index.</param>
/// <param name="Incarnation">How often it was restarted.</param>
/// <param name="Number">Which request it is, counted by the learner.</param>
public sealed record RequestTransitions(int Worker, int Incarnation, long Number);

// What it answers.

/// <summary>To the learner: its minibatch of N steps; N is 0 where the memory does not have enough yet.</summary>
/// <param name="Worker">The learner.</param>
/// <param name="Incarnation">Its incarnation.</param>
/// <param name="Number">The request.</param>
/// <param name="Observations">s, then s': [2][N][ByteCount].</param>
/// <param name="Actions">[N].</param>
/// <param name="Rewards">[N].</param>
/// <param name="Discounts">[N]: γ, or 0 where nothing that follows counts.</param>
public sealed record TransitionsDrawn(
    int Worker, int Incarnation, long Number, byte[] Observations, int[] Actions, float[] Rewards, float[] Discounts);
