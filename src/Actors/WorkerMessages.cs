using Rl.Distributed.Replay;

namespace Rl.Distributed.Actors;

// What a worker receives comes from the replay actor and the node's parameter cache; their contracts are beside them.
// What it sends to whoever watches the run:

/// <summary>What became of the unrolls, or gradients, of one incarnation of a worker, so far. Sent every so often, and when it ends.</summary>
/// <param name="Worker">The worker's index.</param>
/// <param name="Incarnation">How often it was restarted.</param>
/// <param name="Sent">Unrolls sent: those below, and those that are still on their way.</param>
/// <param name="Consumed">Learned from.</param>
/// <param name="Lost">Without an answer when their credit's time was over.</param>
/// <param name="WrongShape">Refused: see <see cref="UnrollOutcome"/>.</param>
/// <param name="TableFull">Refused: see <see cref="UnrollOutcome"/>.</param>
/// <param name="Duplicate">Refused: see <see cref="UnrollOutcome"/>.</param>
/// <param name="StaleIncarnation">Refused: see <see cref="UnrollOutcome"/>.</param>
/// <param name="NotFinite">Refused: see <see cref="UnrollOutcome"/>.</param>
public sealed record WorkerReport(
    int Worker, int Incarnation, long Sent, long Consumed, long Lost,
    long WrongShape, long TableFull, long Duplicate, long StaleIncarnation, long NotFinite = 0)
{
    public long Rejected => WrongShape + TableFull + Duplicate + StaleIncarnation + NotFinite;
}
