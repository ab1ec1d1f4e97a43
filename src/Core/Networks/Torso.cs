using System.Runtime.InteropServices;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>From stored observations to features; heads go on top.</summary>
/// <remarks>Immutable; threads share it, each with its own <see cref="TorsoBuffers"/>. See <see cref="TorsoBuilder"/>.</remarks>
public sealed class Torso
{
    private readonly BitConv? _bitConv;
    private readonly Sequential _body;

    internal Torso(ObservationSpec observation, BitConv? bitConv, Sequential body) =>
        (Observation, _bitConv, _body) = (observation, bitConv, body);

    public ObservationSpec Observation { get; }

    /// <summary>Floats a sample that <see cref="Forward"/> gives.</summary>
    public int Features => _body.OutputSize;

    public long FlopsPerSample => (_bitConv?.FlopsPerSample ?? 0) + _body.FlopsPerSample;

    public TorsoBuffers CreateBuffers(int maxBatch, bool training) => new(Observation, _bitConv, _body, maxBatch, training);

    public void Initialize(Span<float> parameters, Initializer initializer, ref RandomStream random)
    {
        _bitConv?.Initialize(parameters, initializer, ref random);
        _body.Initialize(parameters, initializer, ref random);
    }

    /// <summary>Takes over what is made of the parameters once for all forward passes that follow.</summary>
    public void Prepare(ReadOnlySpan<float> parameters, TorsoBuffers buffers) => _bitConv?.Prepare(parameters, buffers.BitConv!);

    /// <summary>observations [batch × ByteCount] to the rows of buffers.Features [maxBatch × Features] from
    /// <paramref name="firstRow"/> on.</summary>
    /// <param name="parameters">Those of the last <see cref="Prepare"/>.</param>
    public void Forward(ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, int firstRow, int batch, TorsoBuffers buffers)
    {
        ReadOnlySpan<float> input;
        if (_bitConv is null && Observation.Type == ElementType.Float32 && !buffers.Training)
        {
            input = MemoryMarshal.Cast<byte, float>(observations);
        }
        else
        {
            var decoded = buffers.Input.AsSpan(firstRow * _body.InputSize, batch * _body.InputSize);
            if (_bitConv is null)
            {
                ObservationDecoder.Decode(Observation, observations, batch, decoded);
            }
            else
            {
                _bitConv.Forward(observations, decoded, batch, buffers.BitConv!);
                if (buffers.Training) observations.CopyTo(buffers.Observations.AsSpan(firstRow * Observation.ByteCount));
            }
            input = decoded;
        }
        _body.Forward(parameters, input, buffers.Features.AsSpan(firstRow * Features, batch * Features), firstRow, batch, buffers.Body);
    }

    /// <summary>Adds to gradient what the first rows of buffers.FeatureGradient [batch × Features], which are destroyed, imply.</summary>
    public void Backward(ReadOnlySpan<float> parameters, int batch, TorsoBuffers buffers, Span<float> gradient)
    {
        var input = buffers.Input.AsSpan(0, batch * _body.InputSize);
        var inputGradient = _bitConv is null ? default : buffers.InputGradient.AsSpan(0, batch * _body.InputSize);
        _body.Backward(
            parameters, input, buffers.Features.AsSpan(0, batch * Features), buffers.FeatureGradient.AsSpan(0, batch * Features),
            inputGradient, gradient, batch, buffers.Body);
        _bitConv?.Backward(buffers.Observations, input, inputGradient, gradient, batch, buffers.BitConv!);
    }
}

/// <summary>Working memory of one caller of a <see cref="Torso"/>; the gradients' parts are empty unless training.</summary>
public sealed class TorsoBuffers
{
    internal TorsoBuffers(ObservationSpec observation, BitConv? bitConv, Sequential body, int maxBatch, bool training)
    {
        var (onBits, floats) = (bitConv is not null, maxBatch * body.InputSize);
        Training = training;
        Observations = new byte[training && onBits ? maxBatch * observation.ByteCount : 0];
        Input = new AlignedFloats(onBits || training || observation.Type != ElementType.Float32 ? floats : 0);
        InputGradient = new AlignedFloats(onBits && training ? floats : 0);
        BitConv = bitConv?.CreateBuffers(training);
        Features = new AlignedFloats(maxBatch * body.OutputSize);
        FeatureGradient = new AlignedFloats(training ? maxBatch * body.OutputSize : 0);
        Body = body.CreateBuffers(maxBatch, training);
    }

    /// <summary>[maxBatch × Features].</summary>
    internal AlignedFloats Features { get; }

    /// <summary>[maxBatch × Features], written by the heads.</summary>
    internal AlignedFloats FeatureGradient { get; }

    /// <summary>What the last training pass saw, where the first layer works on bits.</summary>
    internal byte[] Observations { get; }

    /// <summary>Decoded observations, or what the layer that works on bits made of them.</summary>
    internal AlignedFloats Input { get; }

    internal AlignedFloats InputGradient { get; }

    internal BitConvBuffers? BitConv { get; }

    internal LayerBuffers Body { get; }

    internal bool Training { get; }
}
