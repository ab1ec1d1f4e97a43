using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>max(x, 0) on its own, where it does not follow a layer's sum directly.</summary>
public sealed class Relu(int size) : Layer(size, size)
{
    public override void Forward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, Span<float> output, int firstRow, int batch, LayerBuffers buffers) =>
        Activations.Relu(input, output);

    public override void Backward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, ReadOnlySpan<float> output, Span<float> outputGradient,
        Span<float> inputGradient, Span<float> gradient, int batch, LayerBuffers buffers)
    {
        if (!inputGradient.IsEmpty) Activations.ReluBackward(output, outputGradient, inputGradient);
    }
}
