using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Node.Evaluation;

/// <summary>Plays a batch of environments, a step at a time.</summary>
internal interface IPlayer
{
    IEnvironmentBatch Environments { get; }

    /// <summary>[B], of the last step.</summary>
    float[] Rewards { get; }

    /// <summary>Whether the last step ended a game, and not only one of its lives.</summary>
    bool HasEnded(int environment);

    /// <summary>Whether the last step ended a game only because its environment failed.</summary>
    bool IsLost(int environment);

    /// <summary>One action in every environment.</summary>
    void Step();
}
