using System.Collections.Immutable;

namespace Rl.Distributed.Core.Environments;

/// <summary>How one element of an observation is stored, in memory and on the wire.</summary>
public enum ElementType
{
    /// <summary>IEEE single precision, 4 bytes, in the machine's order.</summary>
    Float32,

    /// <summary>One byte; the network sees value / 255.</summary>
    UInt8,

    /// <summary>One bit, eight a byte, least significant first; the network sees 0 or 1.</summary>
    Bit,
}

/// <summary>Shape and storage of one observation. Images are [height, width, channel].</summary>
public sealed record ObservationSpec
{
    /// <summary>The most elements of an observation: a colour image of 2000 × 2000 points has fewer.</summary>
    public const int MaxElements = 1 << 24;

    /// <exception cref="ArgumentException">The shape is empty, has a size below 1, or more than <see cref="MaxElements"/> elements.</exception>
    public ObservationSpec(ElementType type, params ReadOnlySpan<int> shape)
    {
        if (shape.IsEmpty) throw new ArgumentException("An observation needs at least one dimension.", nameof(shape));
        var count = 1L;
        foreach (var size in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size, nameof(shape));
            count *= size;
            if (count > MaxElements)
                throw new ArgumentException($"An observation may have {MaxElements} elements; the shape [{string.Join(", ", shape.ToArray())}] has more.", nameof(shape));
        }
        (Type, Shape, ElementCount) = (type, [.. shape], (int)count);
    }

    /// <summary>How each element is stored.</summary>
    public ElementType Type { get; }

    /// <summary>The size of each dimension.</summary>
    public ImmutableArray<int> Shape { get; }

    /// <summary>The product of the sizes.</summary>
    public int ElementCount { get; }

    /// <summary>How many frames an observation shows: where not 1, one is a stack, see <see cref="Wrappers.FrameStacking"/>.</summary>
    /// <exception cref="ArgumentException">The last dimension is not that many times another.</exception>
    public int StackedFrames
    {
        get;
        init => field = value > 0 && Shape[^1] % value == 0 ? value
            : throw new ArgumentException($"{value} frames do not fit observations {this}.", nameof(value));
    } = 1;

    /// <summary>Bytes that one stored observation takes.</summary>
    public int ByteCount => Type switch
    {
        ElementType.Float32 => ElementCount * sizeof(float),
        ElementType.UInt8 => ElementCount,
        _ => (ElementCount + 7) / 8,
    };

    /// <inheritdoc/>
    public bool Equals(ObservationSpec? other) =>
        other is not null && Type == other.Type && StackedFrames == other.StackedFrames
        && Shape.AsSpan().SequenceEqual(other.Shape.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => (ElementCount * 397) ^ (int)Type;

    /// <inheritdoc/>
    public override string ToString() => $"{Type}[{string.Join(", ", Shape)}]{(StackedFrames > 1 ? $" of {StackedFrames} frames" : "")}";
}

/// <summary>What an agent may do at a step.</summary>
public abstract record ActionSpec;

/// <summary>One of <paramref name="Count"/> actions, numbered from 0.</summary>
public sealed record DiscreteActionSpec(int Count) : ActionSpec;

/// <summary>A vector within bounds, one pair a dimension.</summary>
public sealed record ContinuousActionSpec(ImmutableArray<float> Low, ImmutableArray<float> High) : ActionSpec
{
    /// <summary>Numbers in an action.</summary>
    public int Dimensions => Low.Length;

    /// <inheritdoc/>
    public bool Equals(ContinuousActionSpec? other) =>
        other is not null && Low.AsSpan().SequenceEqual(other.Low.AsSpan()) && High.AsSpan().SequenceEqual(other.High.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => Low.IsDefault ? 0 : Low.Length;
}

/// <summary>What an agent needs to know of an environment before the first step.</summary>
/// <param name="Name">The name by which presets and the command line know it.</param>
/// <param name="Observation">Shape and storage of observations.</param>
/// <param name="Action">The actions.</param>
public sealed record EnvironmentSpec(string Name, ObservationSpec Observation, ActionSpec Action)
{
    /// <summary>The number of discrete actions.</summary>
    /// <exception cref="NotSupportedException">The actions are continuous.</exception>
    public int DiscreteActions => Action is DiscreteActionSpec discrete
        ? discrete.Count
        : throw new NotSupportedException($"Environment '{Name}' has continuous actions; this algorithm needs discrete ones.");
}
