using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>A differentiable step from one row of floats a sample to another.</summary>
/// <remarks>
/// Inputs [batch × InputSize] and outputs [batch × OutputSize] are row-major, images [height, width, channel]. Layers hold no
/// state of a pass, so threads may share them; what a pass needs lies in <see cref="LayerBuffers"/>. Nothing allocates but
/// <see cref="CreateBuffers"/>.
/// </remarks>
public abstract class Layer(int inputSize, int outputSize)
{
    /// <summary>Floats a sample.</summary>
    public int InputSize { get; } = inputSize;

    /// <summary>Floats a sample.</summary>
    public int OutputSize { get; } = outputSize;

    /// <summary>Multiplications and additions of the matrix products of one sample's forward pass.</summary>
    public virtual long FlopsPerSample => 0;

    /// <summary>The working memory of one caller; for <see cref="Backward"/>, training must be true.</summary>
    public virtual LayerBuffers CreateBuffers(int maxBatch, bool training) => LayerBuffers.None;

    /// <summary>Sets this layer's parameters to random starting values.</summary>
    public virtual void Initialize(Span<float> parameters, Initializer initializer, ref RandomStream random)
    {
    }

    /// <summary>Computes some rows; where they are parts of a longer pass, one <see cref="Backward"/> goes over all of them.</summary>
    /// <param name="input">[batch × InputSize].</param>
    /// <param name="output">[batch × OutputSize].</param>
    /// <param name="firstRow">Where the rows stand in what the buffers keep for the backward pass.</param>
    public abstract void Forward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, Span<float> output, int firstRow, int batch, LayerBuffers buffers);

    /// <summary>Back-propagates the buffers' first rows.</summary>
    /// <param name="outputGradient">[batch × OutputSize]; destroyed.</param>
    /// <param name="inputGradient">[batch × InputSize], overwritten; empty where it is not needed.</param>
    /// <param name="gradient">Gradient of all parameters; this layer's part is added to.</param>
    public abstract void Backward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, ReadOnlySpan<float> output, Span<float> outputGradient,
        Span<float> inputGradient, Span<float> gradient, int batch, LayerBuffers buffers);
}

/// <summary>Working memory of one layer and of the layers within it.</summary>
public sealed class LayerBuffers
{
    private static readonly AlignedFloats Nothing = new(0);

    public static readonly LayerBuffers None = new();

    /// <summary>Room within one pass; its content does not outlive the call.</summary>
    internal AlignedFloats Scratch { get; init; } = Nothing;

    /// <summary>What max-pooling chose.</summary>
    internal byte[] Choices { get; init; } = [];

    /// <summary>Outputs of the inner layers, all but the last.</summary>
    internal AlignedFloats[] Activations { get; init; } = [];

    /// <summary>Gradients of <see cref="Activations"/>.</summary>
    internal AlignedFloats[] Gradients { get; init; } = [];

    internal LayerBuffers[] Children { get; init; } = [];
}
