using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.Intrinsics;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>The first layer of MinAtar's torso on bit planes: 16 valid 3x3 filters at stride 1, then ReLU.</summary>
/// <remarks>
/// What <see cref="Conv2D"/> computes, without decoding or products. Forward: a pixel's channels are cut into groups of up to four
/// bits, a table holds the sum of weights for each value of a group at each of the nine taps, and an output is the sum of nine
/// table rows a group: a quarter of the dense work, for any observation: <see cref="BitConvSums"/>. Backward is
/// <see cref="BitConvGradient"/>.
/// Same parameters as Conv2D: "name.weight" [3, 3, channels, 16], "name.bias" [16].
/// </remarks>
internal sealed class BitConv
{
    public const int Kernel = 3;
    public const int Filters = 16;
    public const int Taps = Kernel * Kernel;

    /// <summary>Bits of a group.</summary>
    private const int GroupBits = 4;

    /// <summary>Floats of the table for one value of a group: the three taps of a kernel row.</summary>
    public const int Entry = Kernel * Filters;

    /// <summary>Floats of the table for one group at one kernel row.</summary>
    public const int GroupTable = (1 << GroupBits) * Entry;

    /// <summary>A pixel's bits are taken from one 64-bit word, whatever bit of a byte they start at.</summary>
    private const int MaxChannels = 57;

    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;
    private readonly BitConvSums _sums;
    private readonly BitConvGradient _gradient;
    private readonly int _channels;
    private readonly int _groups;
    private readonly int _pixels;
    private readonly int _observationBytes;

    public BitConv(ParameterLayoutBuilder layout, string name, ObservationSpec observation)
    {
        var (height, width, channels) = (observation.Shape[0], observation.Shape[1], observation.Shape[2]);
        (_channels, _pixels) = (channels, height * width);
        OutputSize = (height - Kernel + 1) * (width - Kernel + 1) * Filters;
        _groups = (channels + GroupBits - 1) / GroupBits;
        _observationBytes = observation.ByteCount;
        _weight = layout.Add($"{name}.weight", Kernel, Kernel, channels, Filters);
        _bias = layout.Add($"{name}.bias", Filters);
        _sums = new BitConvSums(height, width, _groups);
        _gradient = new BitConvGradient(height, width, channels);
    }

    public int OutputSize { get; }

    /// <summary>As if the convolution were dense.</summary>
    public long FlopsPerSample => 2L * OutputSize * Taps * _channels;

    /// <summary>Whether this layer can take the place of a <see cref="Conv2D"/>.</summary>
    public static bool Supports(ObservationSpec observation, int filters, int kernel, int stride, int padding, Activation? activation) =>
        observation is { Type: ElementType.Bit, Shape: [>= Kernel, >= Kernel, <= MaxChannels] }
        && BitConvGradient.Supports(observation.Shape[0], observation.Shape[1])
        && filters == Filters && kernel == Kernel && stride == 1 && padding == 0 && activation == Activation.Relu;

    public BitConvBuffers CreateBuffers(bool training) => new()
    {
        Bias = new AlignedFloats(Filters),
        Table = new AlignedFloats(Kernel * _groups * GroupTable),
        Bits = new byte[_observationBytes + sizeof(ulong)],
        Codes = new ushort[(_pixels * _groups + 15) / 16 * 16],
        Gradient = training ? _gradient.CreateBuffers() : null,
    };

    public void Initialize(Span<float> parameters, Initializer initializer, ref RandomStream random) => WeightInitializer.Fill(
        initializer, Taps * _channels, WeightInitializer.HiddenGain, _weight.Of(parameters), _bias.Of(parameters), ref random);

    /// <summary>Takes over parameters for the forward passes that follow.</summary>
    public void Prepare(ReadOnlySpan<float> parameters, BitConvBuffers buffers)
    {
        FillTable(_weight.Read(parameters), buffers.Table.AsSpan());
        _bias.Read(parameters).CopyTo(buffers.Bias.AsSpan());
    }

    /// <summary>observations [batch × ByteCount] to output [batch, height - 2, width - 2, 16].</summary>
    public void Forward(ReadOnlySpan<byte> observations, Span<float> output, int batch, BitConvBuffers buffers)
    {
        for (var i = 0; i < batch; i++)
        {
            observations.Slice(i * _observationBytes, _observationBytes).CopyTo(buffers.Bits);
            Encode(buffers.Bits, buffers.Codes);
            _sums.Write(buffers.Codes, buffers.Table.AsSpan(), buffers.Bias.AsSpan(), output.Slice(i * OutputSize, OutputSize));
        }
    }

    /// <summary>Adds to this layer's part of the gradient.</summary>
    public void Backward(
        ReadOnlySpan<byte> observations, ReadOnlySpan<float> output, ReadOnlySpan<float> outputGradient, Span<float> gradient, int batch,
        BitConvBuffers buffers)
    {
        var work = buffers.Gradient!;
        work.WeightGradient.AsSpan().Clear();
        var biasGradient = Vector512<float>.Zero;
        for (var i = 0; i < batch; i++)
        {
            var bits = observations.Slice(i * _observationBytes, _observationBytes);
            biasGradient += _gradient.AddSample(bits, output.Slice(i * OutputSize, OutputSize),
                outputGradient.Slice(i * OutputSize, OutputSize), work);
        }
        VectorOps.Axpy(1, work.WeightGradient.AsSpan(), _weight.Of(gradient));
        var bias = _bias.Of(gradient);
        (Vector512.Create<float>(bias) + biasGradient).CopyTo(bias);
    }

    /// <summary>table [kernel row][group][value of the group][kernel column][16] = the sum of the weights of the value's bits.</summary>
    private void FillTable(ReadOnlySpan<float> weight, Span<float> table)
    {
        for (var tap = 0; tap < Taps; tap++)
        {
            for (var group = 0; group < _groups; group++)
            {
                var sums = table[((tap / Kernel * _groups + group) * GroupTable + tap % Kernel * Filters)..];
                var first = (tap * _channels + group * GroupBits) * Filters;
                for (var value = 1; value < 1 << Math.Min(GroupBits, _channels - group * GroupBits); value++)
                {
                    var rest = Vector512.Create<float>(sums.Slice((value & (value - 1)) * Entry, Filters));
                    var row = weight.Slice(first + BitOperations.TrailingZeroCount(value) * Filters, Filters);
                    (rest + Vector512.Create(row)).CopyTo(sums[(value * Entry)..]);
                }
            }
        }
    }

    /// <summary>Of each byte, the low four bits are a pixel and the high four the next one; eight bytes at once.</summary>
    private static void EncodeNibbles(ReadOnlySpan<byte> bits, Span<ushort> codes)
    {
        for (var i = 0; i < codes.Length / 2; i += 8)
        {
            var (low, high) = Vector128.Widen(Vector128.WidenLower(
                Vector128.CreateScalar(BinaryPrimitives.ReadUInt64LittleEndian(bits[i..])).AsByte()));
            PairOf(low).AsUInt16().CopyTo(codes[(2 * i)..]);
            PairOf(high).AsUInt16().CopyTo(codes[(2 * i + 8)..]);
        }

        static Vector128<uint> PairOf(Vector128<uint> bytes) => ((bytes & Vector128.Create(15u)) | ((bytes >> GroupBits) << 16)) * Entry;
    }

    /// <summary>codes [pixel][group] = the place in the table of the group's value.</summary>
    private void Encode(ReadOnlySpan<byte> bits, Span<ushort> codes)
    {
        if (_channels == GroupBits)
        {
            EncodeNibbles(bits, codes);
            return;
        }
        var mask = (1UL << _channels) - 1;
        var next = 0;
        for (int pixel = 0, start = 0; pixel < _pixels; pixel++, start += _channels)
        {
            var rest = BinaryPrimitives.ReadUInt64LittleEndian(bits[(start >> 3)..]) >> (start & 7) & mask;
            for (var group = 0; group < _groups; group++, rest >>= GroupBits) codes[next++] = (ushort)((rest & 15) * Entry);
        }
    }
}

/// <summary>Working memory of a <see cref="BitConv"/>.</summary>
internal sealed class BitConvBuffers
{
    public required AlignedFloats Bias { get; init; }

    public required AlignedFloats Table { get; init; }

    /// <summary>One observation, with room to read a word from its last byte on.</summary>
    public required byte[] Bits { get; init; }

    /// <summary>Up to a multiple of 16, since eight bytes become 16 codes at once.</summary>
    public required ushort[] Codes { get; init; }

    /// <summary>Null unless training.</summary>
    public required BitConvGradientBuffers? Gradient { get; init; }
}
