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
/// What <see cref="Conv2D"/> computes, without decoding or products: a set bit adds one row of 16 weights to each of the nine outputs
/// that see it, and its nine weight rows get those outputs' gradients. A few dozen of 400 bits are set, so this is about a tenth of the
/// dense work. Outputs lie in a frame of two windows' width around the image, so that bits at the border need no special case.
/// Same parameters as Conv2D: "name.weight" [3, 3, channels, 16], "name.bias" [16].
/// </remarks>
internal sealed class BitConv
{
    public const int Kernel = 3;
    public const int Filters = 16;
    private const int Taps = Kernel * Kernel;
    private const int Margin = Kernel - 1;

    private readonly ParameterSlot _weight;
    private readonly ParameterSlot _bias;
    private readonly int _channels;
    private readonly int _outputHeight;
    private readonly int _outputWidth;
    private readonly int _frameWidth;
    private readonly int _frameSize;
    private readonly int _observationBytes;

    /// <summary>For each bit, its pixel's place in the frame (low half) and its channel's place among the weights (high half), in floats.</summary>
    private readonly uint[] _places;

    public BitConv(ParameterLayoutBuilder layout, string name, ObservationSpec observation)
    {
        var (height, width) = (observation.Shape[0], observation.Shape[1]);
        _channels = observation.Shape[2];
        (_outputHeight, _outputWidth, _frameWidth) = (height - Margin, width - Margin, width + Margin);
        _frameSize = (height + Margin) * _frameWidth * Filters;
        _observationBytes = observation.ByteCount;
        _weight = layout.Add($"{name}.weight", Kernel, Kernel, _channels, Filters);
        _bias = layout.Add($"{name}.bias", Filters);
        _places = new uint[observation.ElementCount];
        for (var i = 0; i < _places.Length; i++)
        {
            var (pixel, channel) = Math.DivRem(i, _channels);
            var (y, x) = Math.DivRem(pixel, width);
            _places[i] = (uint)((y * _frameWidth + x) * Filters) | ((uint)(channel * Filters) << 16);
        }
    }

    public int OutputSize => _outputHeight * _outputWidth * Filters;

    /// <summary>As if the convolution were dense.</summary>
    public long FlopsPerSample => 2L * _outputHeight * _outputWidth * Filters * Taps * _channels;

    /// <summary>Whether this layer can take the place of a <see cref="Conv2D"/>; places must fit into 16 bits.</summary>
    public static bool Supports(ObservationSpec observation, int filters, int kernel, int stride, int padding, Activation? activation) =>
        observation is { Type: ElementType.Bit, Shape: [>= Kernel, >= Kernel, <= 4096] }
        && (observation.Shape[0] + Margin) * (observation.Shape[1] + Margin) <= 4096
        && filters == Filters && kernel == Kernel && stride == 1 && padding == 0 && activation == Activation.Relu;

    /// <summary>Room for one frame and for the weights or their gradient, aligned as the flat parameters are not.</summary>
    public AlignedFloats CreateScratch() => new(_frameSize + _weight.Count);

    public void Initialize(Span<float> parameters, Initializer initializer, ref RandomStream random) => WeightInitializer.Fill(
        initializer, Taps * _channels, WeightInitializer.HiddenGain, _weight.Of(parameters), _bias.Of(parameters), ref random);

    /// <summary>observations [batch × ByteCount] to output [batch, height - 2, width - 2, 16].</summary>
    public void Forward(ReadOnlySpan<float> parameters, ReadOnlySpan<byte> observations, Span<float> output, int batch, AlignedFloats scratch)
    {
        var frame = scratch.AsSpan(0, _frameSize);
        var weight = scratch.AsSpan(_frameSize, _weight.Count);
        _weight.Read(parameters).CopyTo(weight);
        var bias = Vector512.Create(_bias.Read(parameters));
        for (var i = 0; i < batch; i++)
        {
            for (var f = 0; f < _frameSize; f += Filters) bias.StoreUnsafe(ref frame[f]);
            Accumulate<ToOutputs>(observations.Slice(i * _observationBytes, _observationBytes), frame, weight);
            var target = output.Slice(i * OutputSize, OutputSize);
            for (var y = 0; y < _outputHeight; y++)
                ElementKernels.Relu(frame.Slice(((y + Margin) * _frameWidth + Margin) * Filters, _outputWidth * Filters), target[(y * _outputWidth * Filters)..]);
        }
    }

    /// <summary>Adds to this layer's part of the gradient; the outputs' gradient is read only.</summary>
    public void Backward(
        ReadOnlySpan<byte> observations, ReadOnlySpan<float> output, ReadOnlySpan<float> outputGradient, Span<float> gradient, int batch,
        AlignedFloats scratch)
    {
        scratch.AsSpan().Clear();
        var frame = scratch.AsSpan(0, _frameSize);
        var weightGradient = scratch.AsSpan(_frameSize, _weight.Count);
        var biasGradient = Vector512<float>.Zero;
        for (var i = 0; i < batch; i++)
        {
            for (var y = 0; y < _outputHeight; y++)
            {
                ref var from = ref Unsafe.AsRef(in outputGradient[i * OutputSize + y * _outputWidth * Filters]);
                ref var value = ref Unsafe.AsRef(in output[i * OutputSize + y * _outputWidth * Filters]);
                ref var to = ref frame[((y + Margin) * _frameWidth + Margin) * Filters];
                for (nuint x = 0; x < (nuint)(_outputWidth * Filters); x += Filters)
                {
                    var passed = Rectify.Backward(Vector512.LoadUnsafe(ref value, x), Vector512.LoadUnsafe(ref from, x));
                    biasGradient += passed;
                    passed.StoreUnsafe(ref to, x);
                }
            }
            Accumulate<ToWeights>(observations.Slice(i * _observationBytes, _observationBytes), frame, weightGradient);
        }
        ElementKernels.Add(_weight.Of(gradient), weightGradient);
        var bias = _bias.Of(gradient);
        (Vector512.Create<float>(bias) + biasGradient).CopyTo(bias);
    }

    /// <summary>Runs <typeparamref name="T"/> for every set bit and each of its nine (output, weight) pairs.</summary>
    private void Accumulate<T>(ReadOnlySpan<byte> bits, ReadOnlySpan<float> frame, ReadOnlySpan<float> weight)
        where T : IDirection
    {
        ref var frameStart = ref MemoryMarshal.GetReference(frame);
        ref var weightStart = ref MemoryMarshal.GetReference(weight);
        var frameRow = _frameWidth * Filters;
        var weightStep = _channels * Filters;
        for (var first = 0; first < _places.Length; first += 64)
        {
            var rest = bits[(first / 8)..];
            var word = rest.Length >= 8 ? BinaryPrimitives.ReadUInt64LittleEndian(rest) : LastWord(rest);
            if (_places.Length - first < 64) word &= (1UL << (_places.Length - first)) - 1;
            for (; word != 0; word &= word - 1)
            {
                var place = _places[first + BitOperations.TrailingZeroCount(word)];
                // Tap (ky, kx) of the window at output (y - ky, x - kx); that output's place in the frame is two further in both.
                ref var f = ref Unsafe.Add(ref frameStart, (int)(place & 0xFFFF));
                ref var w = ref Unsafe.Add(ref weightStart, (int)(place >> 16));
                for (var ky = Kernel - 1; ky >= 0; ky--)
                {
                    ref var row = ref Unsafe.Add(ref w, ky * Kernel * weightStep);
                    T.Add(ref f, ref Unsafe.Add(ref row, 2 * weightStep));
                    T.Add(ref Unsafe.Add(ref f, Filters), ref Unsafe.Add(ref row, weightStep));
                    T.Add(ref Unsafe.Add(ref f, 2 * Filters), ref row);
                    f = ref Unsafe.Add(ref f, frameRow);
                }
            }
        }
    }

    private static ulong LastWord(ReadOnlySpan<byte> bytes)
    {
        var word = 0UL;
        for (var i = bytes.Length - 1; i >= 0; i--) word = (word << 8) | bytes[i];
        return word;
    }

    private interface IDirection
    {
        static abstract void Add(ref float output, ref float weight);
    }

    private readonly struct ToOutputs : IDirection
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Add(ref float output, ref float weight) =>
            (Vector512.LoadUnsafe(ref output) + Vector512.LoadUnsafe(ref weight)).StoreUnsafe(ref output);
    }

    private readonly struct ToWeights : IDirection
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Add(ref float output, ref float weight) =>
            (Vector512.LoadUnsafe(ref weight) + Vector512.LoadUnsafe(ref output)).StoreUnsafe(ref weight);
    }
}
