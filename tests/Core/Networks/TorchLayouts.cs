namespace Rl.Distributed.Core.Tests.Networks;

/// <summary>From the oracles' order of axes (torch) to ours, and what "equal" means.</summary>
internal static class TorchLayouts
{
    /// <summary>[out, in] to [in, out].</summary>
    public static float[] Dense(float[] weight, int outputs) => Permute(weight, [outputs, weight.Length / outputs], [1, 0]);

    /// <summary>[filters, channels, rows, columns] to [rows, columns, channels, filters].</summary>
    public static float[] Filters(float[] weight, int filters, int channels, int kernel) =>
        Permute(weight, [filters, channels, kernel, kernel], [2, 3, 1, 0]);

    /// <summary>[batch, channels, rows, columns] to [batch, rows, columns, channels].</summary>
    public static float[] Images(float[] images, int channels, int rows, int columns) =>
        Permute(images, [images.Length / (channels * rows * columns), channels, rows, columns], [0, 2, 3, 1]);

    /// <summary>[out, in], where in is a flattened [channels, rows, columns], to [in, out], where in is a flattened [rows, columns,
    /// channels].</summary>
    public static float[] DenseAfterImage(float[] weight, int outputs, int channels, int rows, int columns) =>
        Permute(weight, [outputs, channels, rows, columns], [2, 3, 1, 0]);

    public static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(expected[i] - actual[i]) <= tolerance * (1 + Math.Abs(expected[i]))))
                Assert.Fail($"{what}[{i}] is {actual[i]}, expected {expected[i]} within {tolerance} relative.");
        }
    }

    /// <summary>Axis i of the result is axis order[i] of the source.</summary>
    private static float[] Permute(float[] source, int[] shape, int[] order)
    {
        Assert.Equal(source.Length, shape.Aggregate(1, (a, b) => a * b));
        var strides = new int[shape.Length];
        for (int i = shape.Length - 1, stride = 1; i >= 0; stride *= shape[i--]) strides[i] = stride;
        var result = new float[source.Length];
        var index = new int[shape.Length];
        for (var i = 0; i < result.Length; i++)
        {
            var at = 0;
            for (var d = 0; d < index.Length; d++) at += index[d] * strides[order[d]];
            result[i] = source[at];
            for (var d = index.Length - 1; d >= 0 && ++index[d] == shape[order[d]]; d--) index[d] = 0;
        }
        return result;
    }
}
