using System.Collections.Immutable;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>Linear layers on the same features, "name.weight" [features, columns] and "name.bias" [columns] each, as one matrix
/// product.</summary>
/// <remarks>Their weights are put side by side, and zeros beside them up to a multiple of 16 columns, because narrow products are
/// slow. What a head's columns mean is for the network to say: it reads and writes rows of <see cref="HeadBuffers.Output"/>.</remarks>
internal sealed class LinearHeads
{
    private const int ColumnMultiple = 16;

    private readonly int _features;
    private readonly ImmutableArray<(ParameterSlot Weight, ParameterSlot Bias)> _heads;

    public LinearHeads(ParameterLayoutBuilder layout, int features, params ReadOnlySpan<(string Name, int Columns)> heads)
    {
        _features = features;
        var slots = ImmutableArray.CreateBuilder<(ParameterSlot, ParameterSlot)>();
        foreach (var (name, columns) in heads)
        {
            slots.Add((layout.Add($"{name}.weight", features, columns), layout.Add($"{name}.bias", columns)));
            Columns += columns;
        }
        _heads = slots.ToImmutable();
        Stride = (Columns + ColumnMultiple - 1) / ColumnMultiple * ColumnMultiple;
    }

    /// <summary>Of all heads together, without the zeros beside them.</summary>
    public int Columns { get; }

    /// <summary>Floats from one row of outputs to the next.</summary>
    public int Stride { get; }

    public long FlopsPerSample => 2L * _features * Columns;

    public HeadBuffers CreateBuffers(int maxRows, bool training) => new()
    {
        Weight = new AlignedFloats(_features * Stride),
        Bias = new AlignedFloats(Stride),
        WeightGradient = new AlignedFloats(training ? _features * Stride : 0),
        BiasGradient = new AlignedFloats(training ? Stride : 0),
        Output = new AlignedFloats(maxRows * Stride),
    };

    /// <summary>Heads start with gain 1; <paramref name="firstScale"/> is a factor on the first one's weights.</summary>
    public void Initialize(Span<float> parameters, Initializer initializer, float firstScale, ref RandomStream random)
    {
        foreach (var (weight, bias) in _heads)
            WeightInitializer.Fill(initializer, _features, gain: 1, weight.Of(parameters), bias.Of(parameters), ref random);
        foreach (ref var w in _heads[0].Weight.Of(parameters)) w *= firstScale;
    }

    /// <summary>Takes over parameters for all passes that follow.</summary>
    public void Prepare(ReadOnlySpan<float> parameters, HeadBuffers buffers)
    {
        var first = 0;
        foreach (var (weight, bias) in _heads)
        {
            var from = weight.Read(parameters);
            var to = buffers.Weight.AsSpan()[first..];
            for (var i = 0; i < _features; i++) from.Slice(i * bias.Count, bias.Count).CopyTo(to[(i * Stride)..]);
            bias.Read(parameters).CopyTo(buffers.Bias.AsSpan()[first..]);
            first += bias.Count;
        }
    }

    /// <summary>features [rows × features] to the rows of buffers.Output [maxRows × Stride] from <paramref name="firstRow"/>
    /// on.</summary>
    public void Forward(ReadOnlySpan<float> features, int firstRow, int rows, HeadBuffers buffers)
    {
        var output = buffers.Output.AsSpan(firstRow * Stride, rows * Stride);
        Gemm.Multiply(rows, Stride, _features, features, false, buffers.Weight.AsSpan(), false, output, accumulate: false);
        Activations.AddBias(output, buffers.Bias.AsSpan());
    }

    /// <summary>From the gradient in the first rows of buffers.Output, zeros beside it, to featureGradient [rows × features] and, added,
    /// to these heads' part of gradient.</summary>
    public void Backward(
        ReadOnlySpan<float> features, int rows, Span<float> featureGradient, Span<float> gradient, HeadBuffers buffers)
    {
        var output = buffers.Output.AsSpan(0, rows * Stride);
        var (joinedWeight, joinedBias) = (buffers.WeightGradient, buffers.BiasGradient);
        VectorOps.ColumnSums(output, joinedBias.AsSpan(), accumulate: false);
        Gemm.Multiply(_features, Stride, rows, features, true, output, false, joinedWeight.AsSpan(), accumulate: false);
        var first = 0;
        foreach (var (weight, bias) in _heads)
        {
            AddColumns(joinedWeight.AsSpan()[first..], weight.Of(gradient), bias.Count);
            AddColumns(joinedBias.AsSpan()[first..], bias.Of(gradient), bias.Count);
            first += bias.Count;
        }
        Gemm.Multiply(rows, _features, Stride, output, false, buffers.Weight.AsSpan(), true, featureGradient, accumulate: false);
    }

    private void AddColumns(ReadOnlySpan<float> joined, Span<float> target, int columns)
    {
        for (int i = 0, from = 0; i < target.Length; i += columns, from += Stride)
        {
            var row = target.Slice(i, columns);
            for (var j = 0; j < row.Length; j++) row[j] += joined[from + j];
        }
    }
}

/// <summary>Working memory of <see cref="LinearHeads"/>.</summary>
internal sealed class HeadBuffers
{
    /// <summary>[features, Stride].</summary>
    public required AlignedFloats Weight { get; init; }

    /// <summary>[Stride].</summary>
    public required AlignedFloats Bias { get; init; }

    /// <summary>[features, Stride].</summary>
    public required AlignedFloats WeightGradient { get; init; }

    /// <summary>[Stride].</summary>
    public required AlignedFloats BiasGradient { get; init; }

    /// <summary>[maxRows, Stride]: outputs, later their gradients.</summary>
    public required AlignedFloats Output { get; init; }
}
