using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>Linear policy logits and a linear state value: "policy.weight" [features, A], "policy.bias", "value.weight" [features, 1],
/// "value.bias".</summary>
/// <remarks>Both are one matrix product: their weights are put side by side, and zeros beside them up to a multiple of 16 columns,
/// because narrow products are slow.</remarks>
internal sealed class PolicyValueHead(ParameterLayoutBuilder layout, int features, int actions)
{
    private const int ColumnMultiple = 16;

    private readonly ParameterSlot _policyWeight = layout.Add("policy.weight", features, actions);
    private readonly ParameterSlot _policyBias = layout.Add("policy.bias", actions);
    private readonly ParameterSlot _valueWeight = layout.Add("value.weight", features, 1);
    private readonly ParameterSlot _valueBias = layout.Add("value.bias", 1);
    private readonly int _columns = (actions + 1 + ColumnMultiple - 1) / ColumnMultiple * ColumnMultiple;

    public long FlopsPerSample => 2L * features * (actions + 1);

    public HeadBuffers CreateBuffers(int maxBatch, bool training) => new()
    {
        Weight = new AlignedFloats(features * _columns),
        WeightGradient = new AlignedFloats(training ? features * _columns : 0),
        Output = new AlignedFloats(maxBatch * _columns),
        Logits = new float[maxBatch * actions],
        Values = new float[maxBatch],
    };

    public void Initialize(Span<float> parameters, Initializer initializer, float policyScale, ref RandomStream random)
    {
        WeightInitializer.Fill(initializer, features, gain: 1, _policyWeight.Of(parameters), _policyBias.Of(parameters), ref random);
        WeightInitializer.Fill(initializer, features, gain: 1, _valueWeight.Of(parameters), _valueBias.Of(parameters), ref random);
        foreach (ref var w in _policyWeight.Of(parameters)) w *= policyScale;
    }

    /// <summary>features [batch × features] to buffers.Logits [batch × A] and buffers.Values [batch].</summary>
    public void Forward(ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, int batch, HeadBuffers buffers)
    {
        JoinWeights(parameters, buffers.Weight.AsSpan());
        Gemm.Multiply(batch, _columns, features, input, false, buffers.Weight.AsSpan(), false, buffers.Output.AsSpan(), accumulate: false);
        var policyBias = _policyBias.Read(parameters);
        var valueBias = _valueBias.Read(parameters)[0];
        for (var i = 0; i < batch; i++)
        {
            var row = buffers.Output.AsSpan(i * _columns, actions + 1);
            var logits = buffers.Logits.AsSpan(i * actions, actions);
            for (var a = 0; a < logits.Length; a++) logits[a] = row[a] + policyBias[a];
            buffers.Values[i] = row[actions] + valueBias;
        }
    }

    /// <summary>Writes inputGradient [batch × features] and adds to this head's part of gradient.</summary>
    public void Backward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, int batch, ReadOnlySpan<float> logitGradient,
        ReadOnlySpan<float> valueGradient, Span<float> inputGradient, Span<float> gradient, HeadBuffers buffers)
    {
        var joined = buffers.Output.AsSpan(0, batch * _columns);
        JoinGradients(logitGradient, valueGradient, joined, _policyBias.Of(gradient), ref _valueBias.Of(gradient)[0]);
        Gemm.Multiply(features, _columns, batch, input, true, joined, false, buffers.WeightGradient.AsSpan(), accumulate: false);
        SplitWeightGradient(buffers.WeightGradient.AsSpan(), gradient);
        JoinWeights(parameters, buffers.Weight.AsSpan());
        Gemm.Multiply(batch, features, _columns, joined, false, buffers.Weight.AsSpan(), true, inputGradient, accumulate: false);
    }

    private void JoinWeights(ReadOnlySpan<float> parameters, Span<float> joined)
    {
        var policy = _policyWeight.Read(parameters);
        var value = _valueWeight.Read(parameters);
        for (var i = 0; i < features; i++)
        {
            var row = joined.Slice(i * _columns, _columns);
            policy.Slice(i * actions, actions).CopyTo(row);
            row[actions] = value[i];
        }
    }

    private void JoinGradients(
        ReadOnlySpan<float> logits, ReadOnlySpan<float> values, Span<float> joined, Span<float> policyBias, ref float valueBias)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var row = joined.Slice(i * _columns, _columns);
            var source = logits.Slice(i * actions, actions);
            for (var a = 0; a < source.Length; a++)
            {
                row[a] = source[a];
                policyBias[a] += source[a];
            }
            row[actions] = values[i];
            valueBias += values[i];
            row[(actions + 1)..].Clear();
        }
    }

    private void SplitWeightGradient(ReadOnlySpan<float> joined, Span<float> gradient)
    {
        var policy = _policyWeight.Of(gradient);
        var value = _valueWeight.Of(gradient);
        for (var i = 0; i < features; i++)
        {
            var row = joined.Slice(i * _columns, actions + 1);
            var target = policy.Slice(i * actions, actions);
            for (var a = 0; a < target.Length; a++) target[a] += row[a];
            value[i] += row[actions];
        }
    }
}

/// <summary>Working memory of a <see cref="PolicyValueHead"/>; columns are padded with zeros.</summary>
internal sealed class HeadBuffers
{
    /// <summary>[features, columns].</summary>
    public required AlignedFloats Weight { get; init; }

    /// <summary>[features, columns].</summary>
    public required AlignedFloats WeightGradient { get; init; }

    /// <summary>[batch, columns]: outputs, later their gradients.</summary>
    public required AlignedFloats Output { get; init; }

    public required float[] Logits { get; init; }

    public required float[] Values { get; init; }
}
