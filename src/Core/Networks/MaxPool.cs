namespace Rl.Distributed.Core.Networks;

/// <summary>The largest value of each window and channel; outside the image there is nothing to choose.</summary>
/// <remarks>Among equal values the first of the window's rows wins, and takes the whole gradient.</remarks>
public sealed class MaxPool : Layer
{
    private readonly ConvGeometry _geometry;

    /// <exception cref="ArgumentException">A window could lie wholly outside the image, or does not fit.</exception>
    public MaxPool(ConvGeometry geometry)
        : base(geometry.ImageSize, geometry.Positions * geometry.Channels)
    {
        if (!geometry.Fits || geometry.Padding >= geometry.Kernel || geometry.Kernel > 16)
            throw new ArgumentException($"Max-pooling windows must fit, be at most 16x16 and be larger than the padding: {geometry}.", nameof(geometry));
        _geometry = geometry;
    }

    /// <summary>One byte an output while learning: which of the window's pixels was chosen.</summary>
    public override LayerBuffers CreateBuffers(int maxBatch, bool training) => new() { Choices = new byte[training ? maxBatch * OutputSize : 0] };

    public override void Forward(ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, Span<float> output, int batch, LayerBuffers buffers)
    {
        var channels = _geometry.Channels;
        for (var window = 0; window < batch * _geometry.Positions; window++)
        {
            var best = output.Slice(window * channels, channels);
            var choices = buffers.Choices.Length == 0 ? default : buffers.Choices.AsSpan(window * channels, channels);
            var first = true;
            for (var tap = 0; tap < _geometry.Kernel * _geometry.Kernel; tap++)
            {
                if (!TryLocate(window, tap, out var pixel)) continue;
                Choose(input.Slice(pixel, channels), best, choices, (byte)tap, first);
                first = false;
            }
        }
    }

    public override void Backward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, ReadOnlySpan<float> output, Span<float> outputGradient,
        Span<float> inputGradient, Span<float> gradient, int batch, LayerBuffers buffers)
    {
        if (inputGradient.IsEmpty) return;
        inputGradient.Clear();
        var channels = _geometry.Channels;
        for (var window = 0; window < batch * _geometry.Positions; window++)
        {
            for (var c = 0; c < channels; c++)
            {
                TryLocate(window, buffers.Choices[window * channels + c], out var pixel);
                inputGradient[pixel + c] += outputGradient[window * channels + c];
            }
        }
    }

    private static void Choose(ReadOnlySpan<float> candidate, Span<float> best, Span<byte> choices, byte tap, bool first)
    {
        for (var c = 0; c < best.Length; c++)
        {
            if (!first && !(candidate[c] > best[c])) continue;
            best[c] = candidate[c];
            if (!choices.IsEmpty) choices[c] = tap;
        }
    }

    /// <summary>Where in the batch's input the pixel <paramref name="tap"/> of a window starts; false outside the image.</summary>
    private bool TryLocate(int window, int tap, out int pixel)
    {
        var (image, position) = Math.DivRem(window, _geometry.Positions);
        var (oy, ox) = Math.DivRem(position, _geometry.OutputWidth);
        var y = oy * _geometry.Stride - _geometry.Padding + tap / _geometry.Kernel;
        var x = ox * _geometry.Stride - _geometry.Padding + tap % _geometry.Kernel;
        pixel = ((image * _geometry.Height + y) * _geometry.Width + x) * _geometry.Channels;
        return (uint)y < (uint)_geometry.Height && (uint)x < (uint)_geometry.Width;
    }
}
