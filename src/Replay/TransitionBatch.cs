using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Replay;

/// <summary>What a step led to.</summary>
public enum StepEnd : byte
{
    /// <summary>To the next step of its lane.</summary>
    GoesOn,

    /// <summary>The task ended the episode: nothing follows.</summary>
    Ended,

    /// <summary>A limit ended the episode: what follows is not known.</summary>
    Cut,
}

/// <summary>T steps of B environments for a <see cref="TransitionMemory"/>, time first.</summary>
/// <remarks>Observations [T][B][ByteCount]: where each action was taken. Actions, Rewards, Discounts, Ends [T][B]; discounts are γ, or 0 where
/// nothing that follows counts.</remarks>
public readonly ref struct TransitionSegment
{
    public required ReadOnlySpan<byte> Observations { get; init; }

    public required ReadOnlySpan<int> Actions { get; init; }

    public required ReadOnlySpan<float> Rewards { get; init; }

    public required ReadOnlySpan<float> Discounts { get; init; }

    public required ReadOnlySpan<StepEnd> Ends { get; init; }
}

/// <summary>A minibatch of N steps (s, a, r, γ, s'), to be filled again and again. Not thread-safe.</summary>
public sealed class TransitionBatch
{
    /// <summary>The largest there is: with what belongs to a message it is one that can be sent and read.</summary>
    public const int MaxBytes = 255 << 20;

    private readonly byte[] _observations;

    /// <param name="observation">What is shown.</param>
    /// <param name="size">N.</param>
    /// <exception cref="ArgumentException">It would be larger than <see cref="MaxBytes"/>.</exception>
    public TransitionBatch(ObservationSpec observation, int size)
    {
        ArgumentNullException.ThrowIfNull(observation);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        if (BytesFor(observation, size) > MaxBytes)
            throw new ArgumentException($"A minibatch of {size} steps takes {BytesFor(observation, size):N0} bytes, and may take {MaxBytes:N0}.", nameof(size));
        (Size, _observations) = (size, new byte[2 * size * observation.ByteCount]);
        (Actions, Rewards, Discounts) = (new int[size], new float[size], new float[size]);
    }

    /// <summary>N.</summary>
    public int Size { get; }

    /// <summary>s, then s': [2][N][ByteCount].</summary>
    public ReadOnlySpan<byte> Both => _observations;

    /// <summary>s: [N][ByteCount].</summary>
    public Span<byte> Observations => _observations.AsSpan(0, _observations.Length / 2);

    /// <summary>s', anything where the discount is 0: [N][ByteCount].</summary>
    public Span<byte> Next => _observations.AsSpan(_observations.Length / 2);

    public int[] Actions { get; }

    public float[] Rewards { get; }

    /// <summary>γ, or 0 where nothing that follows counts.</summary>
    public float[] Discounts { get; }

    /// <summary>Bytes that a minibatch takes, here and on the wire.</summary>
    public static long BytesFor(ObservationSpec observation, int size) => size * (2L * observation.ByteCount + 3 * sizeof(int));

    /// <summary>Takes over a minibatch of another node; false where it is not of this run: another size, an action that does not exist, a
    /// number that is none. Then this one holds anything.</summary>
    /// <param name="message">What came.</param>
    /// <param name="actions">How many actions there are.</param>
    public bool TryFill(TransitionsDrawn message, int actions)
    {
        if (message.Actions.Length != Size || message.Observations.Length != _observations.Length) return false;
        foreach (var action in message.Actions)
            if ((uint)action >= (uint)actions) return false;
        if (FiniteCheck.FirstNotFinite(message.Rewards) >= 0 || FiniteCheck.FirstNotFinite(message.Discounts) >= 0) return false;
        message.Observations.CopyTo(_observations, 0);
        message.Actions.CopyTo(Actions, 0);
        message.Rewards.CopyTo(Rewards, 0);
        message.Discounts.CopyTo(Discounts, 0);
        return true;
    }

    /// <summary>The same as a message of its own.</summary>
    public TransitionsDrawn ToMessage(RequestTransitions request) => new(
        request.Worker, request.Incarnation, request.Number, [.. _observations], [.. Actions], [.. Rewards], [.. Discounts]);

    /// <summary>Takes over another minibatch of the same size.</summary>
    public void CopyFrom(TransitionBatch other)
    {
        other._observations.CopyTo(_observations, 0);
        other.Actions.CopyTo(Actions, 0);
        other.Rewards.CopyTo(Rewards, 0);
        other.Discounts.CopyTo(Discounts, 0);
    }
}
