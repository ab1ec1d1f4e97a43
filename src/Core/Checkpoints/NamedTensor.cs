namespace Rl.Distributed.Core.Checkpoints;

/// <summary>A named array of numbers with a shape, row-major. An empty shape is a single number.</summary>
/// <remarks>The arrays are not copied: who writes a checkpoint gives copies, or does not change them until it is written.</remarks>
public sealed class NamedTensor
{
    private readonly Array _data;

    public NamedTensor(string name, int[] shape, float[] data)
        : this(name, shape, (Array)data)
    {
    }

    public NamedTensor(string name, int[] shape, ulong[] data)
        : this(name, shape, (Array)data)
    {
    }

    public NamedTensor(string name, int[] shape, long[] data)
        : this(name, shape, (Array)data)
    {
    }

    internal NamedTensor(string name, int[] shape, Array data)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(data);
        if (name == Safetensors.MetadataKey) throw new ArgumentException($"'{name}' is reserved by the format.", nameof(name));
        var count = 1L;
        foreach (var size in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(size, nameof(shape));
            count = checked(count * size);
        }
        if (count != data.Length)
        {
            throw new ArgumentException(
                $"Tensor '{name}' has {data.Length} numbers, but its shape [{string.Join(", ", shape)}] needs {count}.");
        }
        (Name, Shape, _data) = (name, shape, data);
    }

    public string Name { get; }

    public int[] Shape { get; }

    public int Count => _data.Length;

    /// <summary>Bytes of its numbers.</summary>
    public long Bytes => (long)_data.Length * (_data is float[] ? sizeof(float) : sizeof(long));

    /// <summary>The numbers of a float32 tensor.</summary>
    /// <exception cref="CheckpointFormatException">The numbers are of another type.</exception>
    public float[] Floats => As<float>("float32");

    /// <inheritdoc cref="Floats"/>
    public ulong[] UInt64s => As<ulong>("uint64");

    /// <inheritdoc cref="Floats"/>
    public long[] Int64s => As<long>("int64");

    /// <summary>A float[], ulong[] or long[].</summary>
    internal Array Data => _data;

    // A cast would not do: the runtime lets a ulong[] pass for a long[].
    private T[] As<T>(string wanted) => _data.GetType() == typeof(T[])
        ? (T[])_data
        : throw new CheckpointFormatException($"Tensor '{Name}' holds {_data.GetType().GetElementType()!.Name}, not {wanted}.");
}
