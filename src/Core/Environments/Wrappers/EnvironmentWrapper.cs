namespace Rl.Distributed.Core.Environments.Wrappers;

/// <summary>Stands around a batch and passes on what it does not change.</summary>
/// <remarks>Owns the batch: it is disposed with the wrapper. Not thread-safe, as no batch is.</remarks>
public abstract class EnvironmentWrapper : IEnvironmentBatch, IHasLives, IDisposable
{
    private protected EnvironmentWrapper(IEnvironmentBatch inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        Inner = inner;
    }

    public virtual EnvironmentSpec Spec => Inner.Spec;

    public int Count => Inner.Count;

    /// <summary>Those of the batch inside; empty where it knows none.</summary>
    public ReadOnlySpan<int> Lives => Inner is IHasLives living ? living.Lives : [];

    protected IEnvironmentBatch Inner { get; }

    public virtual void Reset(Span<byte> observations) => Inner.Reset(observations);

    public abstract void Step(ReadOnlySpan<int> actions, in StepResults results);

    public abstract void Step(ReadOnlySpan<float> actions, in StepResults results);

    public void Render(int index, TextCanvas canvas) => Inner.Render(index, canvas);

    public void Dispose() => (Inner as IDisposable)?.Dispose();
}
