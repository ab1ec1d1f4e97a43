using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>The largest value of each window and channel; outside the image there is nothing to choose.</summary>
/// <remarks>Among equal values the first of the window's rows wins, and takes the whole gradient.</remarks>
public sealed class MaxPool : Layer
{
    private readonly ConvolutionShape _shape;

    /// <exception cref="ArgumentException">A window could lie wholly outside the image, or does not fit.</exception>
    public MaxPool(ConvolutionShape shape)
        : base(shape.ImageLength, shape.Patches * shape.Channels)
    {
        shape.Validate();
        if (shape.Padding >= Math.Min(shape.KernelHeight, shape.KernelWidth) || shape.KernelHeight * shape.KernelWidth > byte.MaxValue)
            throw new ArgumentException($"Max-pooling windows must have at most 255 pixels and be larger than the padding: {shape}.",
                nameof(shape));
        _shape = shape;
    }

    /// <summary>One byte an output while learning: which of the window's pixels was chosen.</summary>
    public override LayerBuffers CreateBuffers(int maxBatch, bool training) =>
        new() { Choices = new byte[training ? maxBatch * OutputSize : 0] };

    public override void Forward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, Span<float> output, int firstRow, int batch, LayerBuffers buffers)
    {
        var channels = _shape.Channels;
        var chosen = buffers.Choices.Length == 0 ? default : buffers.Choices.AsSpan(firstRow * OutputSize);
        var window = 0;
        for (var row = 0; row < batch * _shape.OutHeight; row++)
        {
            for (var x = 0; x < _shape.OutWidth; x++, window++)
            {
                var best = output.Slice(window * channels, channels);
                var choices = chosen.IsEmpty ? default : chosen.Slice(window * channels, channels);
                ChooseInWindow(input, row, x, best, choices);
            }
        }
    }

    public override void Backward(
        ReadOnlySpan<float> parameters, ReadOnlySpan<float> input, ReadOnlySpan<float> output, Span<float> outputGradient,
        Span<float> inputGradient, Span<float> gradient, int batch, LayerBuffers buffers)
    {
        if (inputGradient.IsEmpty) return;
        inputGradient.Clear();
        var next = 0;
        for (var row = 0; row < batch * _shape.OutHeight; row++)
        {
            for (var x = 0; x < _shape.OutWidth; x++)
            {
                var corner = Corner(row, x).Start;
                for (var c = 0; c < _shape.Channels; c++, next++)
                {
                    var (ky, kx) = Math.DivRem((int)buffers.Choices[next], _shape.KernelWidth);
                    inputGradient[corner + (ky * _shape.Width + kx) * _shape.Channels + c] += outputGradient[next];
                }
            }
        }
    }

    private void ChooseInWindow(ReadOnlySpan<float> input, int row, int x, Span<float> best, Span<byte> choices)
    {
        var (top, left, corner) = Corner(row, x);
        var isFirst = true;
        for (var ky = Math.Max(0, -top); ky < Math.Min(_shape.KernelHeight, _shape.Height - top); ky++)
        {
            for (var kx = Math.Max(0, -left); kx < Math.Min(_shape.KernelWidth, _shape.Width - left); kx++)
            {
                var candidate = input.Slice(corner + (ky * _shape.Width + kx) * _shape.Channels, best.Length);
                var tap = (byte)(ky * _shape.KernelWidth + kx);
                if (isFirst)
                {
                    candidate.CopyTo(best);
                    choices.Fill(tap);
                    isFirst = false;
                }
                else if (choices.IsEmpty)
                {
                    for (var c = 0; c < best.Length; c++) best[c] = candidate[c] > best[c] ? candidate[c] : best[c];
                }
                else
                {
                    Choose(candidate, best, choices, tap);
                }
            }
        }
    }

    private static void Choose(ReadOnlySpan<float> candidate, Span<float> best, Span<byte> choices, byte tap)
    {
        for (var c = 0; c < best.Length; c++)
        {
            var isLarger = candidate[c] > best[c];
            best[c] = isLarger ? candidate[c] : best[c];
            choices[c] = isLarger ? tap : choices[c];
        }
    }

    /// <summary>The window's first row and column within its image, and its first pixel's place in the batch; all may lie in the
    /// padding.</summary>
    private (int Top, int Left, int Start) Corner(int row, int x)
    {
        var (image, y) = Math.DivRem(row, _shape.OutHeight);
        var (top, left) = (y * _shape.Stride - _shape.Padding, x * _shape.Stride - _shape.Padding);
        return (top, left, ((image * _shape.Height + top) * _shape.Width + left) * _shape.Channels);
    }
}
