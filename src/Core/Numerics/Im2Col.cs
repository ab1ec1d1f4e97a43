using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Numerics;

/// <summary>The sizes of a convolution over images [height, width, channels].</summary>
/// <param name="Height">Rows of an image.</param>
/// <param name="Width">Columns of an image.</param>
/// <param name="Channels">Numbers a pixel.</param>
/// <param name="KernelHeight">Rows of a patch.</param>
/// <param name="KernelWidth">Columns of a patch.</param>
/// <param name="Stride">How far patches are apart, both ways.</param>
/// <param name="Padding">Rows and columns of zeros on each side.</param>
public readonly record struct ConvolutionShape(
    int Height, int Width, int Channels, int KernelHeight, int KernelWidth, int Stride, int Padding = 0)
{
    public int OutHeight => (Height + 2 * Padding - KernelHeight) / Stride + 1;

    public int OutWidth => (Width + 2 * Padding - KernelWidth) / Stride + 1;

    /// <summary>Numbers an image.</summary>
    public int ImageLength => Height * Width * Channels;

    /// <summary>Numbers a patch, which are ordered [kernelHeight, kernelWidth, channels] like the weights.</summary>
    public int PatchLength => KernelHeight * KernelWidth * Channels;

    /// <summary>Patches an image.</summary>
    public int Patches => OutHeight * OutWidth;

    /// <exception cref="ArgumentException">A size is not positive, or the kernel is larger than the padded image.</exception>
    public void Validate()
    {
        var isPositive = Height > 0 && Width > 0 && Channels > 0 && KernelHeight > 0 && KernelWidth > 0 && Stride > 0 && Padding >= 0;
        if (!isPositive || KernelHeight > Height + 2 * Padding || KernelWidth > Width + 2 * Padding)
        {
            throw new ArgumentException($"{this}: sizes must be positive and the kernel must fit into the padded image.");
        }
    }
}

/// <summary>Between images and the patches that a convolution multiplies with its weights.</summary>
/// <remarks>Images are [batch, height, width, channels], patches [batch, outHeight, outWidth, patchLength]. A row of a
/// patch is one run of memory in both.</remarks>
public static unsafe class Im2Col
{
    /// <summary>Copies every patch out of the images; padding is zero.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit the shape.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unfold(in ConvolutionShape shape, int batch, ReadOnlySpan<float> images, Span<float> patches)
    {
        shape.Validate();
        Lengths.CheckShape(images.Length, batch, shape.ImageLength);
        Lengths.CheckShape(patches.Length, batch, shape.Patches * shape.PatchLength);
        var run = shape.KernelWidth * shape.Channels;
        fixed (float* from = images, to = patches)
        {
            var patch = to;
            if (shape.Padding == 0)
            {
                for (var window = new Window(shape, from); window.Image < batch; window.Next())
                {
                    var row = window.Start;
                    for (var y = 0; y < shape.KernelHeight; y++, row += window.ImageRow, patch += run) Copy(row, patch, run);
                }
                return;
            }
            for (var row = new PatchRow(shape); row.Image < batch; row.Next(), patch += run)
            {
                if (row.Length < run) new Span<float>(patch, run).Clear();
                Copy(from + row.Start, patch + row.Skip, row.Length);
            }
        }
    }

    /// <summary>The transpose of <see cref="Unfold"/>: images is set to the sums of what the patches hold of each pixel.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit the shape.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fold(in ConvolutionShape shape, int batch, ReadOnlySpan<float> patches, Span<float> images)
    {
        shape.Validate();
        Lengths.CheckShape(images.Length, batch, shape.ImageLength);
        Lengths.CheckShape(patches.Length, batch, shape.Patches * shape.PatchLength);
        images.Clear();
        var run = shape.KernelWidth * shape.Channels;
        fixed (float* to = images, from = patches)
        {
            var patch = from;
            if (shape.Padding == 0)
            {
                for (var window = new Window(shape, to); window.Image < batch; window.Next())
                {
                    var row = window.Start;
                    for (var y = 0; y < shape.KernelHeight; y++, row += window.ImageRow, patch += run) Add(patch, row, run);
                }
                return;
            }
            for (var row = new PatchRow(shape); row.Image < batch; row.Next(), patch += run)
            {
                Add(patch + row.Skip, to + row.Start, row.Length);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* from, float* to, int count)
    {
        var i = 0;
        for (; i <= count - 8; i += 8) Vector256.Load(from + i).Store(to + i);
        for (; i <= count - 4; i += 4) Vector128.Load(from + i).Store(to + i);
        for (; i < count; i++) to[i] = from[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float* from, float* to, int count)
    {
        var i = 0;
        for (; i <= count - 8; i += 8) (Vector256.Load(to + i) + Vector256.Load(from + i)).Store(to + i);
        for (; i <= count - 4; i += 4) (Vector128.Load(to + i) + Vector128.Load(from + i)).Store(to + i);
        for (; i < count; i++) to[i] += from[i];
    }

    /// <summary>Walks over the patches of images without padding.</summary>
    private ref struct Window
    {
        private readonly nint _patchStep, _rowStep, _imageStep;
        private readonly int _outHeight, _outWidth;
        private float* _row, _image;
        private int _outY, _outX;

        public Window(in ConvolutionShape shape, float* images)
        {
            ImageRow = shape.Width * shape.Channels;
            (_patchStep, _rowStep, _imageStep) = (shape.Stride * shape.Channels, shape.Stride * ImageRow, shape.ImageLength);
            (_outHeight, _outWidth) = (shape.OutHeight, shape.OutWidth);
            Start = _row = _image = images;
        }

        public int Image { get; private set; }

        /// <summary>The first number of the patch.</summary>
        public float* Start { get; private set; }

        /// <summary>Numbers a row of an image.</summary>
        public nint ImageRow { get; }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Next()
        {
            Start += _patchStep;
            if (++_outX < _outWidth) return;
            _outX = 0;
            Start = _row += _rowStep;
            if (++_outY < _outHeight) return;
            _outY = 0;
            Start = _row = _image += _imageStep;
            Image++;
        }
    }

    /// <summary>Walks over the rows of all patches, in the order in which they are stored.</summary>
    private ref struct PatchRow
    {
        private readonly ConvolutionShape _shape;
        private readonly int _outHeight, _outWidth;
        private int _outY, _outX, _kernelY;

        public PatchRow(in ConvolutionShape shape)
        {
            (_shape, _outHeight, _outWidth) = (shape, shape.OutHeight, shape.OutWidth);
            Locate();
        }

        public int Image { get; private set; }

        /// <summary>Where the row's part inside the image starts, in all images.</summary>
        public nint Start { get; private set; }

        /// <summary>How many numbers of the row lie in the padding before that part.</summary>
        public int Skip { get; private set; }

        /// <summary>How many numbers of the row lie inside the image.</summary>
        public int Length { get; private set; }

        public void Next()
        {
            if (++_kernelY == _shape.KernelHeight)
            {
                _kernelY = 0;
                if (++_outX == _outWidth)
                {
                    _outX = 0;
                    if (++_outY == _outHeight)
                    {
                        _outY = 0;
                        Image++;
                    }
                }
            }
            Locate();
        }

        private void Locate()
        {
            var y = _outY * _shape.Stride + _kernelY - _shape.Padding;
            var x = _outX * _shape.Stride - _shape.Padding;
            int left = Math.Max(0, x), right = Math.Min(_shape.Width, x + _shape.KernelWidth);
            var isInside = (uint)y < (uint)_shape.Height && left < right;
            Length = isInside ? (right - left) * _shape.Channels : 0;
            Skip = isInside ? (left - x) * _shape.Channels : 0;
            Start = isInside ? (((nint)Image * _shape.Height + y) * _shape.Width + left) * _shape.Channels : 0;
        }
    }
}
