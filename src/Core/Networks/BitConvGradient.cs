using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Networks;

/// <summary>The weights' gradient of a <see cref="BitConv"/>: a set bit adds the gradients of the nine outputs that see it to its nine
/// weight rows.</summary>
/// <remarks>
/// A few dozen of some hundred bits are set. Outputs lie in a frame two wider than the image on each side, zero where there
/// is no output, so that bits at the border need no special case; a channel's nine sums stay in registers while its set bits go by.
/// </remarks>
internal sealed class BitConvGradient
{
    private const int Filters = BitConv.Filters;
    private const int Taps = BitConv.Kernel * BitConv.Kernel;
    private const int Margin = BitConv.Kernel - 1;

    private readonly int _channels;
    private readonly int _pixels;
    private readonly int _outputHeight;
    private readonly int _outputWidth;
    private readonly int _frameWidth;
    private readonly int _frameHeight;

    /// <summary>For each bit, its channel (high half) and its pixel's place in the frame in rows of 16 (low half).</summary>
    private readonly uint[] _places;

    public BitConvGradient(int height, int width, int channels)
    {
        (_channels, _pixels) = (channels, height * width);
        (_outputHeight, _outputWidth, _frameHeight, _frameWidth) = (height - Margin, width - Margin, height + Margin, width + Margin);
        _places = new uint[_pixels * channels];
        for (var i = 0; i < _places.Length; i++)
        {
            var (pixel, channel) = Math.DivRem(i, channels);
            var (y, x) = Math.DivRem(pixel, width);
            _places[i] = (uint)(y * _frameWidth + x) | ((uint)channel << 16);
        }
    }

    /// <summary>Places in the frame must fit into 16 bits.</summary>
    public static bool Supports(int height, int width) => (height + Margin) * (width + Margin) <= ushort.MaxValue;

    public BitConvGradientBuffers CreateBuffers() => new()
    {
        Frame = new AlignedFloats(_frameHeight * _frameWidth * Filters),
        WeightGradient = new AlignedFloats(Taps * _channels * Filters),
        Set = new ushort[_channels * _pixels],
        Counts = new int[_channels],
    };

    /// <summary>Adds one sample to the buffers' weight gradient.</summary>
    /// <returns>The biases' gradient.</returns>
    public Vector512<float> AddSample(ReadOnlySpan<byte> bits, ReadOnlySpan<float> output, ReadOnlySpan<float> outputGradient,
        BitConvGradientBuffers buffers)
    {
        var frame = buffers.Frame.AsSpan();
        var biasGradient = FillFrame(output, outputGradient, frame);
        ListSetBits(bits, buffers.Set, buffers.Counts);
        ref var weight = ref MemoryMarshal.GetReference(buffers.WeightGradient.AsSpan());
        for (var channel = 0; channel < _channels; channel++)
        {
            var set = buffers.Set.AsSpan(channel * _pixels, buffers.Counts[channel]);
            if (!set.IsEmpty) AddChannel(set, ref MemoryMarshal.GetReference(frame), ref Unsafe.Add(ref weight, channel * Filters));
        }
        return biasGradient;
    }

    /// <summary>Puts the gradient before the ReLU into the frame; the margin is and stays zero.</summary>
    private Vector512<float> FillFrame(ReadOnlySpan<float> output, ReadOnlySpan<float> outputGradient, Span<float> frame)
    {
        var sum = Vector512<float>.Zero;
        ref var value = ref MemoryMarshal.GetReference(output);
        ref var given = ref MemoryMarshal.GetReference(outputGradient);
        for (var y = 0; y < _outputHeight; y++)
        {
            ref var row = ref frame[((y + Margin) * _frameWidth + Margin) * Filters];
            for (nuint x = 0; x < (nuint)(_outputWidth * Filters); x += Filters)
            {
                var passed = Rectify.Backward(Vector512.LoadUnsafe(ref value, x), Vector512.LoadUnsafe(ref given, x));
                sum += passed;
                passed.StoreUnsafe(ref row, x);
            }
            value = ref Unsafe.Add(ref value, _outputWidth * Filters);
            given = ref Unsafe.Add(ref given, _outputWidth * Filters);
        }
        return sum;
    }

    /// <summary>set [channel][up to counts[channel]] = places in the frame of that channel's set bits.</summary>
    private void ListSetBits(ReadOnlySpan<byte> bits, Span<ushort> set, Span<int> counts)
    {
        counts.Clear();
        for (var first = 0; first < _places.Length; first += 64)
        {
            var rest = bits[(first / 8)..];
            var word = rest.Length >= 8 ? BinaryPrimitives.ReadUInt64LittleEndian(rest) : LastWord(rest);
            if (_places.Length - first < 64) word &= (1UL << (_places.Length - first)) - 1;
            for (; word != 0; word &= word - 1)
            {
                var place = _places[first + BitOperations.TrailingZeroCount(word)];
                var channel = (int)(place >> 16);
                set[channel * _pixels + counts[channel]++] = (ushort)place;
            }
        }
    }

    private static ulong LastWord(ReadOnlySpan<byte> bytes)
    {
        var word = 0UL;
        for (var i = bytes.Length - 1; i >= 0; i--) word = (word << 8) | bytes[i];
        return word;
    }

    /// <summary>Tap (ky, kx) of the window at output (y - ky, x - kx) sees pixel (y, x); that output's place in the frame is two further
    /// in both.</summary>
    private void AddChannel(ReadOnlySpan<ushort> set, ref float frame, ref float weight)
    {
        var rowStep = (nuint)(_frameWidth * Filters);
        var tapStep = (nuint)(_channels * Filters);
        var w0 = Vector512.LoadUnsafe(ref weight);
        var w1 = Vector512.LoadUnsafe(ref weight, tapStep);
        var w2 = Vector512.LoadUnsafe(ref weight, 2 * tapStep);
        var w3 = Vector512.LoadUnsafe(ref weight, 3 * tapStep);
        var w4 = Vector512.LoadUnsafe(ref weight, 4 * tapStep);
        var w5 = Vector512.LoadUnsafe(ref weight, 5 * tapStep);
        var w6 = Vector512.LoadUnsafe(ref weight, 6 * tapStep);
        var w7 = Vector512.LoadUnsafe(ref weight, 7 * tapStep);
        var w8 = Vector512.LoadUnsafe(ref weight, 8 * tapStep);
        foreach (var place in set)
        {
            ref var top = ref Unsafe.Add(ref frame, place * Filters);
            ref var middle = ref Unsafe.Add(ref top, rowStep);
            ref var bottom = ref Unsafe.Add(ref middle, rowStep);
            w8 += Vector512.LoadUnsafe(ref top);
            w7 += Vector512.LoadUnsafe(ref top, Filters);
            w6 += Vector512.LoadUnsafe(ref top, 2 * Filters);
            w5 += Vector512.LoadUnsafe(ref middle);
            w4 += Vector512.LoadUnsafe(ref middle, Filters);
            w3 += Vector512.LoadUnsafe(ref middle, 2 * Filters);
            w2 += Vector512.LoadUnsafe(ref bottom);
            w1 += Vector512.LoadUnsafe(ref bottom, Filters);
            w0 += Vector512.LoadUnsafe(ref bottom, 2 * Filters);
        }
        w0.StoreUnsafe(ref weight);
        w1.StoreUnsafe(ref weight, tapStep);
        w2.StoreUnsafe(ref weight, 2 * tapStep);
        w3.StoreUnsafe(ref weight, 3 * tapStep);
        w4.StoreUnsafe(ref weight, 4 * tapStep);
        w5.StoreUnsafe(ref weight, 5 * tapStep);
        w6.StoreUnsafe(ref weight, 6 * tapStep);
        w7.StoreUnsafe(ref weight, 7 * tapStep);
        w8.StoreUnsafe(ref weight, 8 * tapStep);
    }
}

/// <summary>Working memory of a <see cref="BitConvGradient"/>.</summary>
internal sealed class BitConvGradientBuffers
{
    public required AlignedFloats Frame { get; init; }

    /// <summary>[3, 3, channels, 16], summed over the batch here because the flat gradient is not aligned.</summary>
    public required AlignedFloats WeightGradient { get; init; }

    public required ushort[] Set { get; init; }

    public required int[] Counts { get; init; }
}
