using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

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
        Forces = new float[batch.Spec.Action is ContinuousActionSpec continuous ? batch.Count * continuous.Dimensions : 0];
        batch.Reset(Observations);
    }

    /// <summary>An environment of the registry, with a seed of its own.</summary>
    public static Play Of(EnvironmentOptions options, int count, ulong seed = 1) =>
        new(EnvironmentRegistry.Default.Create(options, count, RandomStream.Create(seed, StreamRole.Environment)));

    public IEnvironmentBatch Batch { get; }

    public byte[] Observations { get; }

    public byte[] Finals { get; }

    public float[] Rewards { get; }

    public bool[] Terminated { get; }

    public bool[] Truncated { get; }

    public int[] Actions { get; }

    /// <summary>The continuous actions; empty where they are discrete.</summary>
    public float[] Forces { get; }

    /// <summary>What a copy shows, of an environment that is observed as float32.</summary>
    public ReadOnlySpan<float> Shown(int index)
    {
        var bytes = Batch.Spec.Observation.ByteCount;
        return MemoryMarshal.Cast<byte, float>(Observations.AsSpan(index * bytes, bytes));
    }

    public void Step()
    {
        var results = new StepResults
        {
            Observations = Observations, FinalObservations = Finals, Rewards = Rewards, Terminated = Terminated, Truncated = Truncated,
        };
        if (Forces.Length > 0) Batch.Step(Forces, results);
        else Batch.Step(Actions, results);
    }

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
