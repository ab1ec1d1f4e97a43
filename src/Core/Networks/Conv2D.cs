using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>Cross-correlation of images [height, width, channel] with square filters, then an activation.</summary>
/// <remarks>
/// Weights "name.weight" [kernel, kernel, inChannels, filters], biases "name.bias" [filters]; output [outHeight, outWidth, filters].
/// Windows are gathered into rows, some images at a time so that they stay in the cache, and multiplied by the weights.
/// </remarks>
public sealed class Conv2D : Layer
{
    /// <summary>Floats of gathered windows that are worked on at once (1 MiB), if one image's do not take more.</summary>
    private const int ScratchFloats = 1 << 18;

    private readonly ConvGeometry _geometry;
    private readonly int _filters;
    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;
    private readonly Activation? _activation;

    public Conv2D(ParameterLayoutBuilder layout, string name, ConvGeometry geometry, int filters, Activation? activation)
        : base(geometry.ImageSize, geometry.Positions * filters)
    {
        if (!geometry.Fits) throw new ArgumentException($"The {geometry.Kernel}x{geometry.Kernel} filters of '{name}' do not fit into {geometry}.", nameof(geometry));
        (_geometry, _filters, _activation) = (geometry, filters, activation);
        _weight = layout.Add($"{name}.weight", geometry.Kernel, geometry.Kernel, geometry.Channels, filters);
        _bias = layout.Add($"{name}.bias", filters);
    }

    public override long FlopsPerSample => 2L * _geometry.Positions * _geometry.PatchSize * _filters;

    private int ImageColumns => _geometry.Positions * _geometry.PatchSize;

    public override LayerBuffers CreateBuffers(int maxBatch, bool training) =>
        new() { Scratch = new AlignedFloats(Math.Min(Math.Max(1, ScratchFloats / ImageColumns), maxBatch) * ImageColumns) };

    public override void Initialize(Span<float> parameters, Initializer initializer, ref RandomStream random) => WeightInitializer.Fill(
        initializer, _geometry.PatchSize, WeightInitializer.HiddenGain, _weight.Of(parameters), _bias.Of(parameters), ref random);

    public override void Forward(ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, Span<float> output, int batch, LayerBuffers buffers)
    {
        var step = buffers.Scratch.Length / ImageColumns;
        for (var first = 0; first < batch; first += step)
        {
            var images = Math.Min(step, batch - first);
            var columns = Gather(input, first, images, buffers);
            var part = output.Slice(first * OutputSize, images * OutputSize);
            Gemm.Multiply(images * _geometry.Positions, _filters, _geometry.PatchSize, columns, false, _weight.Read(parameters), false, part, accumulate: false);
            ElementKernels.AddBiasAndActivate(part, _bias.Read(parameters), _activation);
        }
    }

    public override void Backward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, ReadOnlySpan<float> output, Span<float> outputGradient,
        Span<float> inputGradient, Span<float> gradient, int batch, LayerBuffers buffers)
    {
        ElementKernels.ActivationBackward(output, outputGradient, _activation, _bias.Of(gradient));
        inputGradient.Clear();
        var step = buffers.Scratch.Length / ImageColumns;
        for (var first = 0; first < batch; first += step)
        {
            var images = Math.Min(step, batch - first);
            var rows = images * _geometry.Positions;
            var part = outputGradient.Slice(first * OutputSize, images * OutputSize);
            var columns = Gather(input, first, images, buffers);
            Gemm.Multiply(_geometry.PatchSize, _filters, rows, columns, true, part, false, _weight.Of(gradient), accumulate: true);
            if (inputGradient.IsEmpty) continue;
            Gemm.Multiply(rows, _geometry.PatchSize, _filters, part, false, _weight.Read(parameters), true, columns, accumulate: false);
            for (var i = 0; i < images; i++)
                _geometry.ScatterPatches(columns.Slice(i * ImageColumns, ImageColumns), inputGradient.Slice((first + i) * InputSize, InputSize));
        }
    }

    private Span<float> Gather(ReadOnlySpan<float> input, int first, int images, LayerBuffers buffers)
    {
        for (var i = 0; i < images; i++)
            _geometry.GatherPatches(input.Slice((first + i) * InputSize, InputSize), buffers.Scratch.AsSpan(i * ImageColumns, ImageColumns));
        return buffers.Scratch.AsSpan(0, images * ImageColumns);
    }
}
