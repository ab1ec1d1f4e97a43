using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>y = activation(x·W + b), with W [in, out] as "name.weight" and b [out] as "name.bias".</summary>
public sealed class Dense : Layer
{
    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;
    private readonly Activation? _activation;

    public Dense(ParameterLayoutBuilder layout, string name, int inputs, int outputs, Activation? activation)
        : base(inputs, outputs)
    {
        _weight = layout.Add($"{name}.weight", inputs, outputs);
        _bias = layout.Add($"{name}.bias", outputs);
        _activation = activation;
    }

    public override long FlopsPerSample => 2L * InputSize * OutputSize;

    public override void Initialize(Span<float> parameters, Initializer initializer, ref RandomStream random) =>
        WeightInitializer.Fill(initializer, InputSize, WeightInitializer.HiddenGain, _weight.Of(parameters), _bias.Of(parameters),
            ref random);

    public override void Forward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, Span<float> output, int firstRow, int batch, LayerBuffers buffers)
    {
        Gemm.Multiply(batch, OutputSize, InputSize, input, false, _weight.Read(parameters), false, output, accumulate: false);
        ElementKernels.AddBiasAndActivate(output, _bias.Read(parameters), _activation);
    }

    public override void Backward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, ReadOnlySpan<float> output, Span<float> outputGradient,
        Span<float> inputGradient, Span<float> gradient, int batch, LayerBuffers buffers)
    {
        ElementKernels.ActivationBackward(output, outputGradient, _activation, _bias.Of(gradient));
        Gemm.Multiply(InputSize, OutputSize, batch, input, true, outputGradient, false, _weight.Of(gradient), accumulate: true);
        if (!inputGradient.IsEmpty)
            Gemm.Multiply(batch, InputSize, OutputSize, outputGradient, false, _weight.Read(parameters), true, inputGradient,
                accumulate: false);
    }
}
