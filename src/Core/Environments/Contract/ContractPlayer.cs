using System.Runtime.InteropServices;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Environments.Contract;

/// <summary>What a check throws when the environment does not do as it should.</summary>
internal sealed class ContractViolation(string message) : Exception(message);

/// <summary>Plays random actions in a small batch, into memory that is filled with rubbish before every step.</summary>
internal sealed class ContractPlayer
{
    /// <summary>Copies in a batch: odd, so that vectors have a rest.</summary>
    public const int Count = 13;

    private readonly bool _ones;
    private RandomStream _choices;

    /// <param name="create">Makes the batch.</param>
    /// <param name="seed">Of the environments' luck; the actions are the same for every seed.</param>
    /// <param name="ones">Whether the rubbish is all ones, or zeros.</param>
    public ContractPlayer(Func<int, RandomStream, IEnvironmentBatch> create, ulong seed = 1, bool ones = false)
    {
        Batch = create(Count, RandomStream.Create(seed, StreamRole.Environment));
        _choices = RandomStream.Create(1, StreamRole.Policy);
        _ones = ones;
        RowBytes = Batch.Spec.Observation.ByteCount;
        (Observations, Finals) = (new byte[Count * RowBytes], new byte[Count * RowBytes]);
        (Rewards, Terminated, Truncated) = (new float[Count], new bool[Count], new bool[Count]);
        Actions = new int[Count];
        Forces = new float[Count * (Batch.Spec.Action is ContinuousActionSpec continuous ? continuous.Dimensions : 0)];
        Reset();
    }

    public IEnvironmentBatch Batch { get; }

    public int RowBytes { get; }

    public byte[] Observations { get; }

    public byte[] Finals { get; }

    public float[] Rewards { get; }

    public bool[] Terminated { get; }

    public bool[] Truncated { get; }

    /// <summary>The discrete actions played last.</summary>
    public int[] Actions { get; }

    /// <summary>The continuous actions played last.</summary>
    public float[] Forces { get; }

    /// <summary>Episodes that ended so far.</summary>
    public int Episodes { get; private set; }

    public byte Rubbish => _ones ? (byte)0xFF : (byte)0;

    public StepResults Results => new()
    {
        Observations = Observations, FinalObservations = Finals, Rewards = Rewards, Terminated = Terminated, Truncated = Truncated,
    };

    public bool Ended(int index) => Terminated[index] | Truncated[index];

    public Span<byte> Row(byte[] rows, int index) => rows.AsSpan(index * RowBytes, RowBytes);

    public void Reset()
    {
        FillWithRubbish();
        Batch.Reset(Observations);
    }

    public void Step()
    {
        Choose();
        FillWithRubbish();
        if (Forces.Length > 0) Batch.Step(Forces, Results);
        else Batch.Step(Actions, Results);
        for (var i = 0; i < Count; i++)
            if (Ended(i)) Episodes++;
    }

    public void Choose()
    {
        if (Batch.Spec.Action is ContinuousActionSpec continuous)
            for (var i = 0; i < Forces.Length; i++)
            {
                var (low, high) = (continuous.Low[i % continuous.Dimensions], continuous.High[i % continuous.Dimensions]);
                Forces[i] = low + (high - low) * _choices.NextSingle();
            }
        else
            foreach (ref var action in Actions.AsSpan()) action = _choices.NextInt32(Batch.Spec.DiscreteActions);
    }

    public void FillWithRubbish()
    {
        Observations.AsSpan().Fill(Rubbish);
        Finals.AsSpan().Fill(Rubbish);
        MemoryMarshal.AsBytes(Rewards.AsSpan()).Fill(Rubbish);
        Terminated.AsSpan().Fill(_ones);
        Truncated.AsSpan().Fill(_ones);
    }

    /// <summary>Whether all memory still holds the rubbish.</summary>
    public bool IsUntouched() =>
        !Observations.AsSpan().ContainsAnyExcept(Rubbish)
        && !Finals.AsSpan().ContainsAnyExcept(Rubbish)
        && !MemoryMarshal.AsBytes(Rewards.AsSpan()).ContainsAnyExcept(Rubbish)
        && !Terminated.AsSpan().Contains(!_ones)
        && !Truncated.AsSpan().Contains(!_ones);

    /// <summary>What differs between the results of two players' last step; null where nothing does. Final observations count only where episodes ended.</summary>
    public string? Difference(ContractPlayer other)
    {
        for (var i = 0; i < Count; i++)
        {
            if (Terminated[i] != other.Terminated[i]) return $"Terminated[{i}]";
            if (Truncated[i] != other.Truncated[i]) return $"Truncated[{i}]";
            if (BitConverter.SingleToUInt32Bits(Rewards[i]) != BitConverter.SingleToUInt32Bits(other.Rewards[i])) return $"Rewards[{i}]";
            if (!Row(Observations, i).SequenceEqual(other.Row(other.Observations, i))) return $"the observation of environment {i}";
            if (Ended(i) && !Row(Finals, i).SequenceEqual(other.Row(other.Finals, i))) return $"the final observation of environment {i}";
        }
        return null;
    }

    /// <summary>Steps both the same way and insists on the same results.</summary>
    /// <exception cref="ContractViolation">Something differs.</exception>
    public void StepTogether(ContractPlayer other, int steps, string because)
    {
        for (var step = 1; step <= steps; step++)
        {
            Step();
            other.Step();
            if (Difference(other) is { } difference) throw new ContractViolation($"{difference} differs at step {step}: {because}");
        }
    }
}
