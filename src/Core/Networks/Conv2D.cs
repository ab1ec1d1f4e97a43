using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>Cross-correlation of images [height, width, channel] with filters, then an activation.</summary>
/// <remarks>
/// Weights "name.weight" [kernelHeight, kernelWidth, inChannels, filters], biases "name.bias" [filters]; output [outHeight, outWidth,
/// filters].
/// Windows are gathered into rows, some images at a time so that they stay in the cache, and multiplied by the weights.
/// </remarks>
public sealed class Conv2D : Layer
{
    /// <summary>Floats of gathered windows that are worked on at once (1 MiB), if one image's do not take more.</summary>
    private const int ScratchFloats = 1 << 18;

    private readonly ConvolutionShape _shape;
    private readonly int _filters;
    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;
    private readonly Activation? _activation;

    /// <exception cref="ArgumentException">The filters do not fit into the image.</exception>
    public Conv2D(ParameterLayoutBuilder layout, string name, ConvolutionShape shape, int filters, Activation? activation)
        : base(shape.ImageLength, shape.Patches * filters)
    {
        shape.Validate();
        (_shape, _filters, _activation) = (shape, filters, activation);
        _weight = layout.Add($"{name}.weight", shape.KernelHeight, shape.KernelWidth, shape.Channels, filters);
        _bias = layout.Add($"{name}.bias", filters);
    }

    public override long FlopsPerSample => 2L * _shape.Patches * _shape.PatchLength * _filters;

    private int ImageColumns => _shape.Patches * _shape.PatchLength;

    public override LayerBuffers CreateBuffers(int maxBatch, bool training) =>
        new() { Scratch = new AlignedFloats(Math.Min(Math.Max(1, ScratchFloats / ImageColumns), maxBatch) * ImageColumns) };

    public override void Initialize(Span<float> parameters, Initializer initializer, ref RandomStream random) => WeightInitializer.Fill(
        initializer, _shape.PatchLength, WeightInitializer.HiddenGain, _weight.Of(parameters), _bias.Of(parameters), ref random);

    public override void Forward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, Span<float> output, int firstRow, int batch, LayerBuffers buffers)
    {
        var step = buffers.Scratch.Length / ImageColumns;
        for (var first = 0; first < batch; first += step)
        {
            var images = Math.Min(step, batch - first);
            var columns = Gather(input, first, images, buffers);
            var part = output.Slice(first * OutputSize, images * OutputSize);
            Gemm.Multiply(images * _shape.Patches, _filters, _shape.PatchLength, columns, false, _weight.Read(parameters), false, part,
                accumulate: false);
            ElementKernels.AddBiasAndActivate(part, _bias.Read(parameters), _activation);
        }
    }

    public override void Backward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, ReadOnlySpan<float> output, Span<float> outputGradient,
        Span<float> inputGradient, Span<float> gradient, int batch, LayerBuffers buffers)
    {
        ElementKernels.ActivationBackward(output, outputGradient, _activation, _bias.Of(gradient));
        var step = buffers.Scratch.Length / ImageColumns;
        for (var first = 0; first < batch; first += step)
        {
            var images = Math.Min(step, batch - first);
            var rows = images * _shape.Patches;
            var part = outputGradient.Slice(first * OutputSize, images * OutputSize);
            var columns = Gather(input, first, images, buffers);
            Gemm.Multiply(_shape.PatchLength, _filters, rows, columns, true, part, false, _weight.Of(gradient), accumulate: true);
            if (inputGradient.IsEmpty) continue;
            Gemm.Multiply(rows, _shape.PatchLength, _filters, part, false, _weight.Read(parameters), true, columns, accumulate: false);
            Im2Col.Fold(_shape, images, columns, inputGradient.Slice(first * InputSize, images * InputSize));
        }
    }

    private Span<float> Gather(ReadOnlySpan<float> input, int first, int images, LayerBuffers buffers)
    {
        var columns = buffers.Scratch.AsSpan(0, images * ImageColumns);
        Im2Col.Unfold(_shape, images, input.Slice(first * InputSize, images * InputSize), columns);
        return columns;
    }
}
