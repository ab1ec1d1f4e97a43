using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Ring.Tests;

/// <summary>An environment of two states, small enough to check gradients by hand: action a leads to state a and earns
/// 1 + 2·state + 4·a; episodes have three steps and begin in state 0; every second one is broken off by a limit. It remembers what
/// happened. Observations are one-hot.</summary>
internal sealed class TwoStates : IEnvironmentBatch
{
    public static readonly EnvironmentSpec SharedSpec = new("two-states", new ObservationSpec(ElementType.Float32, 2), new DiscreteActionSpec(2));

    private int _state, _step, _episode;

    public List<Move> Moves { get; } = [];

    /// <summary>What observations show beside the state, where that is not null.</summary>
    public float? Poison { get; set; }

    public EnvironmentSpec Spec => SharedSpec;

    public int Count => 1;

    /// <param name="State">Where the action was taken.</param>
    /// <param name="Next">Where it led to, before any reset.</param>
    /// <param name="Reset">Whether the state began an episode.</param>
    internal sealed record Move(int State, int Action, float Reward, int Next, bool Terminated, bool Truncated, bool Reset);

    public void Reset(Span<byte> observations) => Show(observations);

    public void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        var (from, first) = (_state, _step == 0);
        results.Rewards[0] = 1 + 2 * _state + 4 * actions[0];
        _state = actions[0];
        var ended = ++_step == 3;
        (results.Terminated[0], results.Truncated[0]) = (ended && _episode % 2 == 0, ended && _episode % 2 == 1);
        Moves.Add(new Move(from, actions[0], results.Rewards[0], _state, results.Terminated[0], results.Truncated[0], first));
        if (ended)
        {
            Show(results.FinalObservations);
            (_state, _step, _episode) = (0, 0, _episode + 1);
        }
        Show(results.Observations);
    }

    public void Step(ReadOnlySpan<float> actions, in StepResults results) => throw new NotSupportedException();

    public void Render(int index, TextCanvas canvas) => canvas.Clear(1, 1);

    private void Show(Span<byte> observations)
    {
        var row = MemoryMarshal.Cast<byte, float>(observations);
        (row[0], row[1]) = (Poison ?? (_state == 0 ? 1 : 0), _state);
    }
}
