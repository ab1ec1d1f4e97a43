using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Rl.Distributed.Core.Networks;

/// <summary>One named tensor within the flat parameters: <see cref="Count"/> floats from <see cref="Offset"/>, row-major.</summary>
public sealed record ParameterSlot(string Name, int Offset, ImmutableArray<int> Shape)
{
    public int Count { get; } = Shape.Aggregate(1, (product, size) => checked(product * size));

    public Span<float> Of(Span<float> parameters) => parameters.Slice(Offset, Count);

    public ReadOnlySpan<float> Read(ReadOnlySpan<float> parameters) => parameters.Slice(Offset, Count);

    public bool Equals(ParameterSlot? other) =>
        other is not null && Name == other.Name && Offset == other.Offset && Shape.AsSpan().SequenceEqual(other.Shape.AsSpan());

    public override int GetHashCode() => (Name.Length * 397) ^ (Offset * 31) ^ Count;

    public override string ToString() => $"{Name} [{string.Join(", ", Shape)}] at {Offset}";
}

/// <summary>Where each named tensor lies in an agent's one flat float[].</summary>
/// <remarks>
/// Slots start at multiples of <see cref="Alignment"/> floats, in the order in which they were added; <see cref="Count"/> includes the
/// padding between them, which is 0 in parameters and gradients alike, so that optimizers and norms may run over the whole array.
/// Statistics, which no gradient changes and no optimizer may touch, come last: optimizers see the first <see cref="TrainedCount"/> floats.
/// Two layouts are equal if names, offsets and shapes are. Immutable; foreach gives the slots.
/// </remarks>
public sealed class ParameterLayout : IEquatable<ParameterLayout>
{
    /// <summary>Floats that a slot's start is a multiple of: one 64-byte line.</summary>
    public const int Alignment = 16;

    internal ParameterLayout(ImmutableArray<ParameterSlot> slots, int count, int trainedCount) =>
        (Slots, Count, TrainedCount) = (slots, count, trainedCount);

    public ImmutableArray<ParameterSlot> Slots { get; }

    /// <summary>Length of the flat array, padding included.</summary>
    public int Count { get; }

    /// <summary>Floats from the start, padding included, that an optimizer may change; statistics follow.</summary>
    public int TrainedCount { get; }

    /// <summary>Numbers that are learned: <see cref="TrainedCount"/> without the padding.</summary>
    public int LearnedCount => Slots.Sum(slot => slot.Offset < TrainedCount ? slot.Count : 0);

    /// <exception cref="ArgumentException">There is no such parameter.</exception>
    public ParameterSlot this[string name] => TryGet(name, out var slot)
        ? slot
        : throw new ArgumentException($"There is no parameter '{name}'; there are: {string.Join(", ", Slots.Select(s => s.Name))}.",
            nameof(name));

    public bool TryGet(string name, [NotNullWhen(true)] out ParameterSlot? slot)
    {
        foreach (var candidate in Slots)
        {
            if (candidate.Name != name) continue;
            slot = candidate;
            return true;
        }
        slot = null;
        return false;
    }

    /// <summary>The part of <paramref name="parameters"/> (or of a gradient) that <paramref name="name"/> takes.</summary>
    /// <exception cref="ArgumentException">There is no such parameter, or the array has another length.</exception>
    public Span<float> Slice(Span<float> parameters, string name)
    {
        Check(parameters.Length, name);
        return this[name].Of(parameters);
    }

    /// <inheritdoc cref="Slice"/>
    public ReadOnlySpan<float> Read(ReadOnlySpan<float> parameters, string name)
    {
        Check(parameters.Length, name);
        return this[name].Read(parameters);
    }

    public ImmutableArray<ParameterSlot>.Enumerator GetEnumerator() => Slots.GetEnumerator();

    /// <summary>One line a slot and a total, for people and for error messages about layouts that differ.</summary>
    public string Describe()
    {
        var text = new StringBuilder();
        foreach (var slot in Slots) text.Append(slot).Append('\n');
        return text.Append($"{LearnedCount} parameters in {Count} floats").ToString();
    }

    public bool Equals(ParameterLayout? other) =>
        other is not null && Count == other.Count && TrainedCount == other.TrainedCount && Slots.AsSpan().SequenceEqual(other.Slots.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as ParameterLayout);

    public override int GetHashCode() => (Count * 397) ^ Slots.Length;

    public override string ToString() => Describe();

    private void Check(int length, string name)
    {
        if (length != Count)
            throw new ArgumentException($"Parameter '{name}' was looked for in {length} floats, but this layout has {Count}.",
                nameof(name));
    }
}

/// <summary>Collects named tensors and gives each its place.</summary>
public sealed class ParameterLayoutBuilder
{
    private readonly ImmutableArray<ParameterSlot>.Builder _slots = ImmutableArray.CreateBuilder<ParameterSlot>();
    private int _end;
    private int? _trainedEnd;

    /// <summary>Appends a tensor.</summary>
    /// <exception cref="ArgumentException">The name is taken or empty, or a dimension is not positive.</exception>
    /// <exception cref="InvalidOperationException">Statistics were added before.</exception>
    public ParameterSlot Add(string name, params ReadOnlySpan<int> shape)
    {
        if (_trainedEnd is not null) throw new InvalidOperationException($"Parameter '{name}' must come before all statistics.");
        return Append(name, shape);
    }

    /// <summary>Appends a tensor that is no parameter, but a statistic that travels with them. Only statistics may follow.</summary>
    /// <exception cref="ArgumentException">The name is taken or empty, or a dimension is not positive.</exception>
    public ParameterSlot AddStatistic(string name, params ReadOnlySpan<int> shape)
    {
        _trainedEnd ??= _end;
        return Append(name, shape);
    }

    public ParameterLayout Build() => new(_slots.ToImmutable(), _end, _trainedEnd ?? _end);

    private ParameterSlot Append(string name, ReadOnlySpan<int> shape)
    {
        if (string.IsNullOrWhiteSpace(name)) throw new ArgumentException("A parameter needs a name.", nameof(name));
        if (_slots.Any(slot => slot.Name == name)) throw new ArgumentException($"There are two parameters named '{name}'.", nameof(name));
        foreach (var size in shape)
        {
            if (size <= 0)
                throw new ArgumentException(
                    $"Parameter '{name}' has the shape [{string.Join(", ", shape.ToArray())}]; sizes are positive.", nameof(shape));
        }
        var slot = new ParameterSlot(name, _end, [.. shape]);
        _end = checked((_end + slot.Count + ParameterLayout.Alignment - 1) / ParameterLayout.Alignment * ParameterLayout.Alignment);
        _slots.Add(slot);
        return slot;
    }
}
