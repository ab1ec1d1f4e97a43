using System.Collections.Immutable;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>Layers one after the other; none at all is the identity.</summary>
public sealed class Sequential : Layer
{
    private readonly ImmutableArray<Layer> _layers;

    /// <exception cref="ArgumentException">A layer does not take what the one before it gives.</exception>
    public Sequential(int inputSize, params ImmutableArray<Layer> layers)
        : base(inputSize, layers.IsEmpty ? inputSize : layers[^1].OutputSize)
    {
        var size = inputSize;
        foreach (var layer in layers)
        {
            if (layer.InputSize != size)
                throw new ArgumentException($"A layer takes {layer.InputSize} floats but gets {size}.", nameof(layers));
            size = layer.OutputSize;
        }
        _layers = layers;
    }

    public override long FlopsPerSample => _layers.Sum(layer => layer.FlopsPerSample);

    /// <summary>While acting, two arrays take turns; learning keeps every activation, and its gradients take turns.</summary>
    public override LayerBuffers CreateBuffers(int maxBatch, bool training)
    {
        var inner = Math.Max(0, _layers.Length - 1);
        var largest = _layers.Take(inner).Select(layer => layer.OutputSize).DefaultIfEmpty(0).Max() * maxBatch;
        AlignedFloats[] turns = [new(inner > 0 ? largest : 0), new(inner > 1 ? largest : 0)];
        var inTurn = Enumerable.Range(0, inner).Select(i => turns[i % 2]).ToArray();
        return new LayerBuffers
        {
            Activations = training ? [.. _layers.Take(inner).Select(layer => new AlignedFloats(layer.OutputSize * maxBatch))] : inTurn,
            Gradients = training ? inTurn : [],
            Children = [.. _layers.Select(layer => layer.CreateBuffers(maxBatch, training))],
        };
    }

    public override void Initialize(Span<float> parameters, Initializer initializer, ref RandomStream random)
    {
        foreach (var layer in _layers) layer.Initialize(parameters, initializer, ref random);
    }

    public override void Forward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, Span<float> output, int firstRow, int batch, LayerBuffers buffers)
    {
        if (_layers.IsEmpty) input.CopyTo(output);
        for (var i = 0; i < _layers.Length; i++)
        {
            _layers[i].Forward(
                parameters, InputOf(i, input, firstRow, batch, buffers), OutputOf(i, output, firstRow, batch, buffers), firstRow, batch,
                buffers.Children[i]);
        }
    }

    public override void Backward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, ReadOnlySpan<float> output, Span<float> outputGradient,
        Span<float> inputGradient, Span<float> gradient, int batch, LayerBuffers buffers)
    {
        if (_layers.IsEmpty && !inputGradient.IsEmpty) outputGradient.CopyTo(inputGradient);
        for (var i = _layers.Length - 1; i >= 0; i--)
        {
            var layer = _layers[i];
            var given = i == _layers.Length - 1 ? outputGradient : buffers.Gradients[i].AsSpan(0, batch * layer.OutputSize);
            var wanted = i == 0 ? inputGradient : buffers.Gradients[i - 1].AsSpan(0, batch * layer.InputSize);
            var result = i == _layers.Length - 1 ? output : buffers.Activations[i].AsSpan(0, batch * layer.OutputSize);
            layer.Backward(parameters, InputOf(i, input, 0, batch, buffers), result, given, wanted, gradient, batch, buffers.Children[i]);
        }
    }

    private ReadOnlySpan<float> InputOf(int i, ReadOnlySpan<float> input, int firstRow, int batch, LayerBuffers buffers) =>
        i == 0 ? input : RowsOf(buffers.Activations[i - 1], firstRow, batch, _layers[i].InputSize);

    private Span<float> OutputOf(int i, Span<float> output, int firstRow, int batch, LayerBuffers buffers) =>
        i == _layers.Length - 1 ? output : RowsOf(buffers.Activations[i], firstRow, batch, _layers[i].OutputSize);

    private static Span<float> RowsOf(AlignedFloats values, int firstRow, int rows, int size) =>
        values.AsSpan(firstRow * size, rows * size);
}
