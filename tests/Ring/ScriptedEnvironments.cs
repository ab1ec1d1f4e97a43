using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Ring.Tests;

/// <summary>Environments whose episodes have fixed lengths: environment b ends after b + 2 steps, by its task where b is even, by a limit
/// where it is odd. The observation is (b, step within the episode, episode); the reward is 10·b + step, the step's number from 1.</summary>
internal sealed class ScriptedEnvironments(int count) : IEnvironmentBatch
{
    private readonly int[] _step = new int[count], _episode = new int[count];

    public static readonly EnvironmentSpec SharedSpec = new("scripted", new ObservationSpec(ElementType.Float32, 3), new DiscreteActionSpec(2));

    public EnvironmentSpec Spec => SharedSpec;

    public int Count => count;

    public void Reset(Span<byte> observations)
    {
        for (var b = 0; b < count; b++) Observe(b, observations);
    }

    public void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        for (var b = 0; b < count; b++)
        {
            _step[b]++;
            results.Rewards[b] = 10 * b + _step[b];
            var ended = _step[b] == b + 2;
            (results.Terminated[b], results.Truncated[b]) = (ended && b % 2 == 0, ended && b % 2 == 1);
            if (ended)
            {
                Observe(b, results.FinalObservations);
                _step[b] = 0;
                _episode[b]++;
            }
            Observe(b, results.Observations);
        }
    }

    public void Step(ReadOnlySpan<float> actions, in StepResults results) => throw new NotSupportedException();

    public void Render(int index, TextCanvas canvas) => canvas.Clear(1, 1);

    private void Observe(int b, Span<byte> observations)
    {
        var row = MemoryMarshal.Cast<byte, float>(observations).Slice(b * 3, 3);
        (row[0], row[1], row[2]) = (b, _step[b], _episode[b]);
    }
}
