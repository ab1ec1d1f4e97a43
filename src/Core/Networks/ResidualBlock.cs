using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>y = x + f(x), where f gives what it takes in size.</summary>
public sealed class ResidualBlock : Layer
{
    private readonly Layer _inner;

    public ResidualBlock(Layer inner)
        : base(inner.InputSize, inner.OutputSize)
    {
        if (inner.InputSize != inner.OutputSize)
            throw new ArgumentException($"A residual block's layers give {inner.OutputSize} floats but take {inner.InputSize}.",
                nameof(inner));
        _inner = inner;
    }

    public override long FlopsPerSample => _inner.FlopsPerSample;

    public override LayerBuffers CreateBuffers(int maxBatch, bool training) => new()
    {
        Scratch = new AlignedFloats(training ? maxBatch * InputSize : 0),
        Children = [_inner.CreateBuffers(maxBatch, training)],
    };

    public override void Initialize(Span<float> parameters, Initializer initializer, ref RandomStream random) =>
        _inner.Initialize(parameters, initializer, ref random);

    public override void Forward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, Span<float> output, int firstRow, int batch, LayerBuffers buffers)
    {
        _inner.Forward(parameters, input, output, firstRow, batch, buffers.Children[0]);
        VectorOps.Axpy(1, input, output);
    }

    /// <remarks>The inner layers' output is not kept (it became y): their last layer must not need it, so it has no activation.</remarks>
    public override void Backward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, ReadOnlySpan<float> output, Span<float> outputGradient,
        Span<float> inputGradient, Span<float> gradient, int batch, LayerBuffers buffers)
    {
        var throughInner = inputGradient.IsEmpty ? default : buffers.Scratch.AsSpan(0, batch * InputSize);
        if (!inputGradient.IsEmpty) outputGradient.CopyTo(inputGradient);
        _inner.Backward(parameters, input, output, outputGradient, throughInner, gradient, batch, buffers.Children[0]);
        if (!inputGradient.IsEmpty) VectorOps.Axpy(1, throughInner, inputGradient);
    }
}
