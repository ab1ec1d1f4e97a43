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
/// table rows a group: a quarter of the dense work, for any observation. Eight outputs of a row are summed at once, in registers. Backward is <see cref="BitConvGradient"/>.
/// Same parameters as Conv2D: "name.weight" [3, 3, channels, 16], "name.bias" [16].
/// </remarks>
internal sealed class BitConv
{
    public const int Kernel = 3;
    public const int Filters = 16;
    private const int Taps = Kernel * Kernel;

    /// <summary>Bits of a group.</summary>
    private const int GroupBits = 4;

    /// <summary>Floats of the table for one value of a group: the three taps of a kernel row.</summary>
    private const int Entry = Kernel * Filters;

    /// <summary>Floats of the table for one group at one kernel row.</summary>
    private const int GroupTable = (1 << GroupBits) * Entry;

    /// <summary>Outputs of a row that are summed at once.</summary>
    private const int Strip = 8;

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
        Table = new AlignedFloats(Kernel * _groups * GroupTable),
        Bits = new byte[_observationBytes + sizeof(ulong)],
        Codes = new ushort[(_pixels + 1) * _groups],
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

    /// <summary>codes [pixel][group] = the place in the table of the group's value.</summary>
    private void Encode(ReadOnlySpan<byte> bits, Span<ushort> codes)
    {
        if (_channels == GroupBits)
        {
            for (var pair = 0; pair < codes.Length / 2; pair++)
            {
                codes[2 * pair] = (ushort)((bits[pair] & 15) * Entry);
                codes[2 * pair + 1] = (ushort)((bits[pair] >> GroupBits) * Entry);
            }
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

    private void SumTableRows(ReadOnlySpan<ushort> codes, ReadOnlySpan<float> table, Vector512<float> bias, Span<float> output)
    {
        ref var target = ref MemoryMarshal.GetReference(output);
        for (var y = 0; y < _outputHeight; y++)
        {
            var x = 0;
            for (; x <= _outputWidth - Strip; x += Strip, target = ref Unsafe.Add(ref target, Strip * Filters)) SumStrip(y, x, codes, table, bias, ref target);
            for (; x < _outputWidth; x++, target = ref Unsafe.Add(ref target, Filters)) SumOne(y, x, codes, table, bias, ref target);
        }
    }

    private void SumOne(int y, int x, ReadOnlySpan<ushort> codes, ReadOnlySpan<float> table, Vector512<float> sum, ref float target)
    {
        for (var tap = 0; tap < Taps; tap++)
        {
            var (ky, kx) = Math.DivRem(tap, Kernel);
            for (var group = 0; group < _groups; group++)
            {
                var code = codes[((y + ky) * _width + x + kx) * _groups + group];
                sum += Vector512.Create(table.Slice((ky * _groups + group) * GroupTable + code + kx * Filters, Filters));
            }
        }
        Rectify.Apply(sum).StoreUnsafe(ref target);
    }

    /// <summary>Outputs x … x + 7 see the pixels x … x + 9; each pixel's entry is read once for the up to three outputs that see it.</summary>
    private void SumStrip(int y, int x, ReadOnlySpan<ushort> codes, ReadOnlySpan<float> table, Vector512<float> bias, ref float target)
    {
        Vector512<float> s0 = bias, s1 = bias, s2 = bias, s3 = bias, s4 = bias, s5 = bias, s6 = bias, s7 = bias;
        var pixel = (nuint)_groups;
        ref var entries = ref MemoryMarshal.GetReference(table);
        for (var ky = 0; ky < Kernel; ky++)
        {
            ref var code = ref Unsafe.Add(ref MemoryMarshal.GetReference(codes), ((y + ky) * _width + x) * _groups);
            for (var group = 0; group < _groups; group++)
            {
                ref var first = ref Unsafe.Add(ref entries, code);
                s0 += Vector512.LoadUnsafe(ref first);
                ref var second = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, pixel));
                s0 += Vector512.LoadUnsafe(ref second, Filters);
                s1 += Vector512.LoadUnsafe(ref second);
                ref var third = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 2 * pixel));
                s0 += Vector512.LoadUnsafe(ref third, 2 * Filters);
                s1 += Vector512.LoadUnsafe(ref third, Filters);
                s2 += Vector512.LoadUnsafe(ref third);
                ref var fourth = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 3 * pixel));
                s1 += Vector512.LoadUnsafe(ref fourth, 2 * Filters);
                s2 += Vector512.LoadUnsafe(ref fourth, Filters);
                s3 += Vector512.LoadUnsafe(ref fourth);
                ref var fifth = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 4 * pixel));
                s2 += Vector512.LoadUnsafe(ref fifth, 2 * Filters);
                s3 += Vector512.LoadUnsafe(ref fifth, Filters);
                s4 += Vector512.LoadUnsafe(ref fifth);
                ref var sixth = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 5 * pixel));
                s3 += Vector512.LoadUnsafe(ref sixth, 2 * Filters);
                s4 += Vector512.LoadUnsafe(ref sixth, Filters);
                s5 += Vector512.LoadUnsafe(ref sixth);
                ref var seventh = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 6 * pixel));
                s4 += Vector512.LoadUnsafe(ref seventh, 2 * Filters);
                s5 += Vector512.LoadUnsafe(ref seventh, Filters);
                s6 += Vector512.LoadUnsafe(ref seventh);
                ref var eighth = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 7 * pixel));
                s5 += Vector512.LoadUnsafe(ref eighth, 2 * Filters);
                s6 += Vector512.LoadUnsafe(ref eighth, Filters);
                s7 += Vector512.LoadUnsafe(ref eighth);
                ref var ninth = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 8 * pixel));
                s6 += Vector512.LoadUnsafe(ref ninth, 2 * Filters);
                s7 += Vector512.LoadUnsafe(ref ninth, Filters);
                ref var tenth = ref Unsafe.Add(ref entries, Unsafe.Add(ref code, 9 * pixel));
                s7 += Vector512.LoadUnsafe(ref tenth, 2 * Filters);
                entries = ref Unsafe.Add(ref entries, GroupTable);
                code = ref Unsafe.Add(ref code, 1);
            }
        }
        Rectify.Apply(s0).StoreUnsafe(ref target);
        Rectify.Apply(s1).StoreUnsafe(ref target, Filters);
        Rectify.Apply(s2).StoreUnsafe(ref target, 2 * Filters);
        Rectify.Apply(s3).StoreUnsafe(ref target, 3 * Filters);
        Rectify.Apply(s4).StoreUnsafe(ref target, 4 * Filters);
        Rectify.Apply(s5).StoreUnsafe(ref target, 5 * Filters);
        Rectify.Apply(s6).StoreUnsafe(ref target, 6 * Filters);
        Rectify.Apply(s7).StoreUnsafe(ref target, 7 * Filters);
    }
}

/// <summary>Working memory of a <see cref="BitConv"/>.</summary>
internal sealed class BitConvBuffers
{
    public required AlignedFloats Table { get; init; }

    /// <summary>One observation, with room to read a word from its last byte on.</summary>
    public required byte[] Bits { get; init; }

    /// <summary>A pixel more than there are, since pixels of four bits come in pairs.</summary>
    public required ushort[] Codes { get; init; }

    /// <summary>Null unless training.</summary>
    public required BitConvGradientBuffers? Gradient { get; init; }
}
