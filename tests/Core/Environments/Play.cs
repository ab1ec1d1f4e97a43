using Rl.Distributed.Core.Environments;

namespace Rl.Distributed.Core.Tests.Environments;

/// <summary>A batch with the memory that its steps need, already reset.</summary>
internal sealed class Play
{
    public Play(IEnvironmentBatch batch)
    {
        Batch = batch;
        var bytes = batch.Count * batch.Spec.Observation.ByteCount;
        (Observations, Finals, Rewards) = (new byte[bytes], new byte[bytes], new float[batch.Count]);
        (Terminated, Truncated, Actions) = (new bool[batch.Count], new bool[batch.Count], new int[batch.Count]);
        batch.Reset(Observations);
    }

    public IEnvironmentBatch Batch { get; }

    public byte[] Observations { get; }

    public byte[] Finals { get; }

    public float[] Rewards { get; }

    public bool[] Terminated { get; }

    public bool[] Truncated { get; }

    public int[] Actions { get; }

    public void Step() => Batch.Step(Actions, new StepResults
    {
        Observations = Observations, FinalObservations = Finals, Rewards = Rewards, Terminated = Terminated, Truncated = Truncated,
    });

    /// <summary>A copy's picture, a line a row, blanks at the ends left out.</summary>
    public string Picture(int index)
    {
        var canvas = new TextCanvas();
        Batch.Render(index, canvas);
        var rows = Enumerable.Range(0, canvas.Height)
            .Select(y => new string([.. Enumerable.Range(0, canvas.Width).Select(x => canvas.CharacterAt(x, y))]).TrimEnd());
        return string.Join('\n', rows);
    }
}
