using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>The first layer of MinAtar's torso on bit planes: 16 valid 3x3 filters at stride 1, then ReLU.</summary>
/// <remarks>
/// What <see cref="Conv2D"/> computes, without decoding or products. Forward: a pixel's channels are cut into groups of up to four
/// bits, a table holds the sum of weights for each value of a group at each of the nine taps, and an output is the sum of nine
/// table rows a group: a quarter of the dense work, for any observation. Backward is <see cref="BitConvGradient"/>.
/// Same parameters as Conv2D: "name.weight" [3, 3, channels, 16], "name.bias" [16].
/// </remarks>
internal sealed class BitConv
{
    public const int Kernel = 3;
    public const int Filters = 16;
    private const int Taps = Kernel * Kernel;

    /// <summary>Bits of a group.</summary>
    private const int GroupBits = 4;

    /// <summary>Floats of the table for one group at one tap.</summary>
    private const int GroupTable = (1 << GroupBits) * Filters;

    /// <summary>A pixel's bits are taken from one 64-bit word, whatever bit of a byte they start at.</summary>
    private const int MaxChannels = 57;

    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;
    private readonly BitConvGradient _gradient;
    private readonly int _width;
    private readonly int _channels;
    private readonly int _groups;
    private readonly int _pixels;
    private readonly int _outputHeight;
    private readonly int _outputWidth;
    private readonly int _observationBytes;

    public BitConv(ParameterLayoutBuilder layout, string name, ObservationSpec observation)
    {
        var (height, width, channels) = (observation.Shape[0], observation.Shape[1], observation.Shape[2]);
        (_width, _channels, _pixels) = (width, channels, height * width);
        (_outputHeight, _outputWidth) = (height - Kernel + 1, width - Kernel + 1);
        _groups = (channels + GroupBits - 1) / GroupBits;
        _observationBytes = observation.ByteCount;
        _weight = layout.Add($"{name}.weight", Kernel, Kernel, channels, Filters);
        _bias = layout.Add($"{name}.bias", Filters);
        _gradient = new BitConvGradient(height, width, channels);
    }

    public int OutputSize => _outputHeight * _outputWidth * Filters;

    /// <summary>As if the convolution were dense.</summary>
    public long FlopsPerSample => 2L * OutputSize * Taps * _channels;

    /// <summary>Whether this layer can take the place of a <see cref="Conv2D"/>.</summary>
    public static bool Supports(ObservationSpec observation, int filters, int kernel, int stride, int padding, Activation? activation) =>
        observation is { Type: ElementType.Bit, Shape: [>= Kernel, >= Kernel, <= MaxChannels] }
        && BitConvGradient.Supports(observation.Shape[0], observation.Shape[1])
        && filters == Filters && kernel == Kernel && stride == 1 && padding == 0 && activation == Activation.Relu;

    public BitConvBuffers CreateBuffers(bool training) => new()
    {
        Table = new AlignedFloats(Taps * _groups * GroupTable),
        Bits = new byte[_observationBytes + sizeof(ulong)],
        Codes = new byte[_pixels * _groups],
        Gradient = training ? _gradient.CreateBuffers() : null,
    };

    public void Initialize(Span<float> parameters, Initializer initializer, ref RandomStream random) => WeightInitializer.Fill(
        initializer, Taps * _channels, WeightInitializer.HiddenGain, _weight.Of(parameters), _bias.Of(parameters), ref random);

    /// <summary>observations [batch × ByteCount] to output [batch, height - 2, width - 2, 16].</summary>
    public void Forward(ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, Span<float> output, int batch, BitConvBuffers buffers)
    {
        FillTable(_weight.Read(parameters), buffers.Table.AsSpan());
        var bias = Vector512.Create(_bias.Read(parameters));
        for (var i = 0; i < batch; i++)
        {
            observations.Slice(i * _observationBytes, _observationBytes).CopyTo(buffers.Bits);
            Encode(buffers.Bits, buffers.Codes);
            SumTableRows(buffers.Codes, buffers.Table.AsSpan(), bias, output.Slice(i * OutputSize, OutputSize));
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
            biasGradient += _gradient.AddSample(bits, output.Slice(i * OutputSize, OutputSize), outputGradient.Slice(i * OutputSize, OutputSize), work);
        }
        ElementKernels.Add(_weight.Of(gradient), work.WeightGradient.AsSpan());
        var bias = _bias.Of(gradient);
        (Vector512.Create<float>(bias) + biasGradient).CopyTo(bias);
    }

    /// <summary>table [tap][group][value of the group][16] = the sum of the weights of the value's bits.</summary>
    private void FillTable(ReadOnlySpan<float> weight, Span<float> table)
    {
        for (var tap = 0; tap < Taps; tap++)
        {
            for (var group = 0; group < _groups; group++)
            {
                var sums = table.Slice((tap * _groups + group) * GroupTable, GroupTable);
                var first = (tap * _channels + group * GroupBits) * Filters;
                for (var value = 1; value < 1 << Math.Min(GroupBits, _channels - group * GroupBits); value++)
                {
                    var rest = Vector512.Create<float>(sums.Slice((value & (value - 1)) * Filters, Filters));
                    var row = weight.Slice(first + BitOperations.TrailingZeroCount(value) * Filters, Filters);
                    (rest + Vector512.Create(row)).CopyTo(sums[(value * Filters)..]);
                }
            }
        }
    }

    /// <summary>codes [pixel][group] = the value of the group, times 16: its row's place in the table.</summary>
    private void Encode(ReadOnlySpan<byte> bits, Span<byte> codes)
    {
        if (_channels == GroupBits)
        {
            for (var pixel = 0; pixel < codes.Length; pixel++) codes[pixel] = (byte)(bits[pixel >> 1] >> (4 * (pixel & 1)) << 4);
            return;
        }
        var mask = (1UL << _channels) - 1;
        var next = 0;
        for (int pixel = 0, start = 0; pixel < _pixels; pixel++, start += _channels)
        {
            var rest = BinaryPrimitives.ReadUInt64LittleEndian(bits[(start >> 3)..]) >> (start & 7) & mask;
            for (var group = 0; group < _groups; group++, rest >>= GroupBits) codes[next++] = (byte)(rest << 4);
        }
    }

    private void SumTableRows(ReadOnlySpan<byte> codes, ReadOnlySpan<float> table, Vector512<float> bias, Span<float> output)
    {
        var run = Kernel * _groups;
        ref var target = ref MemoryMarshal.GetReference(output);
        ref var table0 = ref MemoryMarshal.GetReference(table);
        ref var table1 = ref Unsafe.Add(ref table0, run * GroupTable);
        ref var table2 = ref Unsafe.Add(ref table1, run * GroupTable);
        for (var y = 0; y < _outputHeight; y++)
        {
            ref var codes0 = ref Unsafe.Add(ref MemoryMarshal.GetReference(codes), y * _width * _groups);
            ref var codes1 = ref Unsafe.Add(ref codes0, _width * _groups);
            ref var codes2 = ref Unsafe.Add(ref codes1, _width * _groups);
            for (var x = 0; x < _outputWidth; x++)
            {
                var (sum0, sum1, sum2) = (bias, Vector512<float>.Zero, Vector512<float>.Zero);
                var first = x * _groups;
                for (var i = 0; i < run; i++)
                {
                    var place = (nuint)(i * GroupTable);
                    sum0 += Vector512.LoadUnsafe(ref table0, place + Unsafe.Add(ref codes0, first + i));
                    sum1 += Vector512.LoadUnsafe(ref table1, place + Unsafe.Add(ref codes1, first + i));
                    sum2 += Vector512.LoadUnsafe(ref table2, place + Unsafe.Add(ref codes2, first + i));
                }
                Rectify.Apply(sum0 + sum1 + sum2).StoreUnsafe(ref target);
                target = ref Unsafe.Add(ref target, Filters);
            }
        }
    }
}

/// <summary>Working memory of a <see cref="BitConv"/>.</summary>
internal sealed class BitConvBuffers
{
    public required AlignedFloats Table { get; init; }

    /// <summary>One observation, with room to read a word from its last byte on.</summary>
    public required byte[] Bits { get; init; }

    public required byte[] Codes { get; init; }

    /// <summary>Null unless training.</summary>
    public required BitConvGradientBuffers? Gradient { get; init; }
}
