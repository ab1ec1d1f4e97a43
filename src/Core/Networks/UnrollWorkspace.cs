namespace Rl.Distributed.Core.Networks;

/// <summary>What one thread's passes over unrolls through an <see cref="AgentNetwork"/> need and give; not thread-safe.</summary>
public sealed class UnrollWorkspace
{
    internal UnrollWorkspace(NetworkMemory memory, int maxSteps) => (Memory, MaxSteps) = (memory, maxSteps);

    /// <summary>Steps that there is room for.</summary>
    public int MaxSteps { get; }

    /// <summary>Environments that there is room for.</summary>
    public int MaxEnvironments => Memory.MaxEnvironments;

    /// <summary>Whether a backward pass is possible.</summary>
    public bool Training => Memory.Training;

    /// <summary>B of the last forward pass.</summary>
    public int Environments => Memory.Environments;

    /// <summary>[B × StateSize]: the state after the last step of <see cref="AgentNetwork.ForwardUnroll"/>.</summary>
    public ReadOnlySpan<float> FinalState => Memory.State.AsSpan(0, Environments * Memory.Owner.StateSize);

    internal NetworkMemory Memory { get; }

    /// <summary>[B × A], of a <see cref="PolicyValueNetwork"/>.</summary>
    /// <exception cref="InvalidOperationException">The network gives action values.</exception>
    public Span<float> LogitsAt(int step) => Memory.Of<PolicyValueNetwork>().ByAction.AsSpan(step * Size, Size);

    /// <summary>[B], of a <see cref="PolicyValueNetwork"/>.</summary>
    /// <exception cref="InvalidOperationException">The network gives action values.</exception>
    public Span<float> ValuesAt(int step) => Memory.Of<PolicyValueNetwork>().Values.AsSpan(step * Environments, Environments);

    /// <summary>[B × A], of an <see cref="ActionValueNetwork"/>.</summary>
    /// <exception cref="InvalidOperationException">The network gives logits and values.</exception>
    public Span<float> QAt(int step) => Memory.Of<ActionValueNetwork>().ByAction.AsSpan(step * Size, Size);

    private int Size => Environments * Memory.Owner.Actions;
}

/// <summary>What one thread's passes over batches of single samples need and give; not thread-safe.</summary>
public sealed class NetworkWorkspace
{
    internal NetworkWorkspace(NetworkMemory memory) => Memory = memory;

    public int MaxBatch => Memory.MaxRows;

    /// <summary>Whether a backward pass is possible.</summary>
    public bool Training => Memory.Training;

    /// <summary>Samples of the last forward pass.</summary>
    public int Batch => Memory.Environments;

    /// <summary>[Batch × A], of the last forward pass of a <see cref="PolicyValueNetwork"/>; valid until the next.</summary>
    /// <exception cref="InvalidOperationException">The network gives action values.</exception>
    public Span<float> Logits => Memory.Of<PolicyValueNetwork>().ByAction.AsSpan(0, Batch * Memory.Owner.Actions);

    /// <summary>[Batch], of the last forward pass of a <see cref="PolicyValueNetwork"/>; valid until the next.</summary>
    /// <exception cref="InvalidOperationException">The network gives action values.</exception>
    public Span<float> Values => Memory.Of<PolicyValueNetwork>().Values.AsSpan(0, Batch);

    /// <summary>[Batch × A], of the last forward pass of an <see cref="ActionValueNetwork"/>; valid until the next.</summary>
    /// <exception cref="InvalidOperationException">The network gives logits and values.</exception>
    public Span<float> Q => Memory.Of<ActionValueNetwork>().ByAction.AsSpan(0, Batch * Memory.Owner.Actions);

    internal NetworkMemory Memory { get; }
}
