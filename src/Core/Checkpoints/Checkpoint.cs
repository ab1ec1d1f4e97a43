namespace Rl.Distributed.Core.Checkpoints;

/// <summary>What a part of a run needs to go on: numbers in named tensors, and strings.</summary>
public sealed record Checkpoint
{
    /// <summary>Strings by name; "format", "formatVersion" and "checksum" belong to the file and never appear here.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Tensors of distinct names.</summary>
    public IReadOnlyList<NamedTensor> Tensors { get; init; } = [];

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="CheckpointFormatException">There is none.</exception>
    public NamedTensor Tensor(string name) => TryTensor(name) ?? throw new CheckpointFormatException(
        $"The checkpoint has no tensor '{name}'."
        + (NearestName.Find(name, Tensors.Select(t => t.Name)) is { } near ? $" It has '{near}'." : ""));

    /// <summary>The tensor of that name, or null.</summary>
    public NamedTensor? TryTensor(string name)
    {
        foreach (var tensor in Tensors)
        {
            if (tensor.Name == name) return tensor;
        }
        return null;
    }

    /// <summary>The string of that name.</summary>
    /// <exception cref="CheckpointFormatException">There is none.</exception>
    public string Text(string key) => Metadata.TryGetValue(key, out var value)
        ? value
        : throw new CheckpointFormatException($"The checkpoint has no '{key}' in its metadata.");
}
