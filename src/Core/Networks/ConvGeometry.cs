namespace Rl.Distributed.Core.Networks;

/// <summary>Sizes of a square-kernel window that slides over images [Height, Width, Channels].</summary>
/// <param name="Kernel">Rows and columns of the window.</param>
/// <param name="Padding">Zeros (for max-pooling: nothing) around the image.</param>
public readonly record struct ConvGeometry(int Height, int Width, int Channels, int Kernel, int Stride, int Padding)
{
    public int OutputHeight => (Height + 2 * Padding - Kernel) / Stride + 1;

    public int OutputWidth => (Width + 2 * Padding - Kernel) / Stride + 1;

    /// <summary>Windows an image.</summary>
    public int Positions => OutputHeight * OutputWidth;

    /// <summary>Floats a window.</summary>
    public int PatchSize => Kernel * Kernel * Channels;

    public int ImageSize => Height * Width * Channels;

    /// <summary>Whether the window fits at least once.</summary>
    public bool Fits => Height + 2 * Padding >= Kernel && Width + 2 * Padding >= Kernel;

    /// <summary>Writes every window of an image as a row: columns [Positions, Kernel × Kernel × Channels].</summary>
    public void GatherPatches(ReadOnlySpan<float> image, Span<float> columns)
    {
        var run = Kernel * Channels;
        var target = 0;
        for (var oy = 0; oy < OutputHeight; oy++)
        {
            for (var ox = 0; ox < OutputWidth; ox++)
            {
                var (first, skipped, length) = Clip(ox);
                for (var ky = 0; ky < Kernel; ky++, target += run)
                {
                    var row = columns.Slice(target, run);
                    var y = oy * Stride + ky - Padding;
                    var inside = (uint)y < (uint)Height;
                    if (!inside || length < run) row.Clear();
                    if (inside) image.Slice((y * Width + first) * Channels, length).CopyTo(row[skipped..]);
                }
            }
        }
    }

    /// <summary>The transpose of <see cref="GatherPatches"/>: image[…] += every window's element that was read from there.</summary>
    public void ScatterPatches(ReadOnlySpan<float> columns, Span<float> image)
    {
        var run = Kernel * Channels;
        var source = 0;
        for (var oy = 0; oy < OutputHeight; oy++)
        {
            for (var ox = 0; ox < OutputWidth; ox++)
            {
                var (first, skipped, length) = Clip(ox);
                for (var ky = 0; ky < Kernel; ky++, source += run)
                {
                    var y = oy * Stride + ky - Padding;
                    if ((uint)y >= (uint)Height) continue;
                    ElementKernels.Add(image.Slice((y * Width + first) * Channels, length), columns.Slice(source + skipped, length));
                }
            }
        }
    }

    /// <summary>Of a window's row at output column <paramref name="ox"/>: its first pixel inside the image, the floats before that, and the
    /// floats inside.</summary>
    private (int First, int Skipped, int Length) Clip(int ox)
    {
        var start = ox * Stride - Padding;
        var first = Math.Max(start, 0);
        var end = Math.Min(start + Kernel, Width);
        return (first, (first - start) * Channels, Math.Max(0, end - first) * Channels);
    }
}
