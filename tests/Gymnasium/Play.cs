using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Gymnasium.Tests;

/// <summary>A batch at play, with what it was told of failures.</summary>
internal sealed class Play : IDisposable
{
    private readonly StandIn? _standIn;

    /// <summary>A batch of the stand-in's environment.</summary>
    public Play(string id, int count = 1, EnvironmentOptions? options = null, ulong seed = 1)
        : this(new StandIn(), PythonHere.Numpy, id, count, options, seed)
    {
    }

    /// <param name="standIn">Null for the real package.</param>
    public Play(StandIn? standIn, string python, string id, int count, EnvironmentOptions? options = null, ulong seed = 1)
    {
        _standIn = standIn;
        Source = new GymnasiumSource(standIn?.Host(python) ?? PythonHost.Default with { Executable = python });
        Source.Failed += (what, details) => Failures.Add($"{what}\n{details}");
        Registry = new EnvironmentRegistry([], [Source]);
        try
        {
            // Without what the registry puts around it.
            options = (options ?? new EnvironmentOptions()) with { Name = $"gym:{id}" };
            Batch = (GymnasiumBatch)Registry.Describe(options.Name).Create(options, count, RandomStream.Create(seed, StreamRole.Environment));
        }
        catch
        {
            standIn?.Dispose();
            throw;
        }
        var bytes = count * Batch.Spec.Observation.ByteCount;
        (Observations, Finals, Rewards) = (new byte[bytes], new byte[bytes], new float[count]);
        (Terminated, Truncated, Notes) = (new bool[count], new bool[count], new StepNotes[count]);
        Batch.Reset(Observations);
    }

    public GymnasiumSource Source { get; }

    public EnvironmentRegistry Registry { get; }

    public GymnasiumBatch Batch { get; }

    public List<string> Failures { get; } = [];

    public byte[] Observations { get; }

    public byte[] Finals { get; }

    public float[] Rewards { get; }

    public bool[] Terminated { get; }

    public bool[] Truncated { get; }

    public StepNotes[] Notes { get; }

    public StandIn StandIn => _standIn!;

    /// <summary>The numbers of one copy's observation.</summary>
    public float[] Seen(int copy) => Numbers(Observations, copy);

    /// <summary>The numbers of one copy's final observation.</summary>
    public float[] Final(int copy) => Numbers(Finals, copy);

    public void Step(params int[] actions)
    {
        Array.Clear(Notes);
        Batch.Step(actions, Results);
    }

    public void Push(params float[] actions)
    {
        Array.Clear(Notes);
        Batch.Step(actions, Results);
    }

    public void Dispose()
    {
        Batch.Dispose();
        _standIn?.Dispose();
    }

    private StepResults Results => new()
    {
        Observations = Observations, FinalObservations = Finals, Rewards = Rewards, Terminated = Terminated, Truncated = Truncated, Notes = Notes,
    };

    private float[] Numbers(byte[] rows, int copy)
    {
        var bytes = Batch.Spec.Observation.ByteCount;
        return MemoryMarshal.Cast<byte, float>(rows.AsSpan(copy * bytes, bytes)).ToArray();
    }
}
