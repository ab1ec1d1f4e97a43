using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Tests.Numerics;

public sealed class Im2ColTests
{
    public static TheoryData<ConvolutionShape> Shapes =>
    [.. (ConvolutionShape[])[
        new ConvolutionShape(10, 10, 4, 3, 3, 1), new ConvolutionShape(12, 9, 3, 4, 2, 3), new ConvolutionShape(5, 6, 1, 3, 3, 1, 1), new ConvolutionShape(7, 7, 2, 5, 5, 2, 2), new ConvolutionShape(3, 3, 7, 3, 3, 1),
        new ConvolutionShape(2, 3, 5, 4, 5, 1, 2), new ConvolutionShape(20, 20, 4, 8, 8, 4),
    ]];

    [Theory, MemberData(nameof(Shapes))]
    public void A_patch_is_a_window_of_the_image(ConvolutionShape shape)
    {
        const int Batch = 2;
        var images = KernelData.Numbers(Batch * shape.ImageLength, 1);
        var patches = new float[Batch * shape.Patches * shape.PatchLength];
        patches.AsSpan().Fill(float.NaN);
        Im2Col.Unfold(shape, Batch, images, patches);
        ForEach(shape, Batch, (patch, pixel) => Assert.Equal(pixel < 0 ? 0 : images[pixel], patches[patch]));
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Folding_is_the_transpose_of_unfolding(ConvolutionShape shape)
    {
        const int Batch = 3;
        var patches = KernelData.Numbers(Batch * shape.Patches * shape.PatchLength, 2);
        float[] actual = new float[Batch * shape.ImageLength], expected = new float[actual.Length];
        actual.AsSpan().Fill(float.NaN);
        ForEach(shape, Batch, (patch, pixel) =>
        {
            if (pixel >= 0) expected[pixel] += patches[patch];
        });
        Im2Col.Fold(shape, Batch, patches, actual);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void A_kernel_larger_than_the_image_is_refused()
        => Assert.Throws<ArgumentException>(() => Im2Col.Unfold(new ConvolutionShape(3, 3, 1, 4, 3, 1), 1, new float[9], []));

    /// <summary>Visits every element of the patches with its pixel, or -1 in the padding.</summary>
    private static void ForEach(ConvolutionShape shape, int batch, Action<int, int> visit)
    {
        var patch = 0;
        for (var image = 0; image < batch; image++)
        for (var outY = 0; outY < shape.OutHeight; outY++)
        for (var outX = 0; outX < shape.OutWidth; outX++)
        for (var kernelY = 0; kernelY < shape.KernelHeight; kernelY++)
        for (var kernelX = 0; kernelX < shape.KernelWidth; kernelX++)
        for (var channel = 0; channel < shape.Channels; channel++)
        {
            var (y, x) = (outY * shape.Stride + kernelY - shape.Padding, outX * shape.Stride + kernelX - shape.Padding);
            var isInside = y >= 0 && y < shape.Height && x >= 0 && x < shape.Width;
            visit(patch++, isInside ? ((image * shape.Height + y) * shape.Width + x) * shape.Channels + channel : -1);
        }
    }
}
