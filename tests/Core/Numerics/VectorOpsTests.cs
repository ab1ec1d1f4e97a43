using Rl.Distributed.Core.Numerics;
using static Rl.Distributed.Core.Tests.Numerics.KernelData;

namespace Rl.Distributed.Core.Tests.Numerics;

public sealed class VectorOpsTests
{
    [Fact]
    public void Elementwise_kernels_equal_plain_loops()
    {
        foreach (var size in Sizes)
        {
            float[] x = Numbers(size, 1), y = Numbers(size, 2), expected = y.ToArray(), actual = y.ToArray();
            ScalarKernels.Axpy(0.3f, x, expected);
            VectorOps.Axpy(0.3f, x, actual);
            Assert.Equal(expected, actual);
            VectorOps.Scale(0.7f, actual);
            Assert.Equal(expected.Select(e => e * 0.7f), actual);
            VectorOps.Clip(actual, -0.2f, 0.3f);
            Assert.Equal(expected.Select(e => Math.Clamp(e * 0.7f, -0.2f, 0.3f)), actual);
            VectorOps.Fill(actual, 5);
            Assert.All(actual, e => Assert.Equal(5, e));
        }
    }

    [Fact]
    public void Reductions_are_taken_in_double_precision()
    {
        foreach (var size in Sizes)
        {
            float[] x = Numbers(size, 3), y = Numbers(size, 4);
            Assert.Equal(ScalarKernels.Dot(x, y), VectorOps.Dot(x, y), 1e-12);
            Assert.Equal(x.Sum(e => (double)e * e), VectorOps.SumOfSquares(x), 1e-12);
        }
    }

    [Fact]
    public void Column_sums_add_rows_in_order()
    {
        foreach (var columns in Sizes)
        {
            for (var rows = 0; rows < 20; rows += 3)
            {
                float[] x = Numbers(rows * columns, 5), expected = Numbers(columns, 6), actual = expected.ToArray();
                ScalarKernels.ColumnSums(x, expected, true);
                VectorOps.ColumnSums(x, actual, true);
                Assert.Equal(expected, actual);
                ScalarKernels.ColumnSums(x, expected, false);
                VectorOps.ColumnSums(x, actual, false);
                Assert.Equal(expected, actual);
            }
        }
    }

    [Fact]
    public void Bounds_in_the_wrong_order_are_refused()
        => Assert.Throws<ArgumentException>(() => VectorOps.Clip(new float[3], 1, -1));

    [Fact]
    public void Clipping_leaves_what_is_not_a_number()
    {
        var x = new float[33];
        x.AsSpan().Fill(float.NaN);
        VectorOps.Clip(x, -1, 1);
        Assert.All(x, e => Assert.True(float.IsNaN(e)));
    }
}
