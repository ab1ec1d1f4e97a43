using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Ring.Tests;

/// <summary>Games of 3 lives, one of which ends every b + 2 steps; with the last one the game ends, at its task. The observation is
/// (b, step within the game, game); the reward is always 1.</summary>
internal sealed class ScriptedLives(int count) : IEnvironmentBatch, IHasLives
{
    private const int LivesAtStart = 3;

    private readonly int[] _step = new int[count], _game = new int[count], _lives = new int[count];

    public EnvironmentSpec Spec { get; } = new("lives", new ObservationSpec(ElementType.Float32, 3), new DiscreteActionSpec(2));

    public int Count => count;

    public ReadOnlySpan<int> Lives => _lives;

    public void Reset(Span<byte> observations)
    {
        for (var b = 0; b < count; b++)
        {
            (_step[b], _lives[b]) = (0, LivesAtStart);
            Observe(b, observations);
        }
    }

    public void Step(ReadOnlySpan<int> actions, in StepResults results)
    {
        for (var b = 0; b < count; b++)
        {
            if (++_step[b] % (b + 2) == 0) _lives[b]--;
            (results.Rewards[b], results.Terminated[b], results.Truncated[b]) = (1, _lives[b] == 0, false);
            if (_lives[b] == 0)
            {
                Observe(b, results.FinalObservations);
                (_step[b], _lives[b]) = (0, LivesAtStart);
                _game[b]++;
            }
            Observe(b, results.Observations);
        }
    }

    public void Step(ReadOnlySpan<float> actions, in StepResults results) => throw new NotSupportedException();

    public void Render(int index, TextCanvas canvas) => canvas.Clear(1, 1);

    private void Observe(int b, Span<byte> observations)
    {
        var row = MemoryMarshal.Cast<byte, float>(observations).Slice(b * 3, 3);
        (row[0], row[1], row[2]) = (b, _step[b], _game[b]);
    }
}
