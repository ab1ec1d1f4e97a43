using Rl.Distributed.Core.Numerics;
using static Rl.Distributed.Core.Tests.Numerics.KernelData;

namespace Rl.Distributed.Core.Tests.Numerics;

public sealed class GemmTests
{
    private static readonly int[] Edges = [0, 1, 2, 7, 8, 9, 12, 15, 16, 17, 31, 33, 49];

    public static TheoryData<CpuPath> Paths => [.. Enum.GetValues<CpuPath>().Where(CpuPaths.IsSupported)];

    [Theory, MemberData(nameof(Paths))]
    public void Every_path_agrees_with_a_product_in_double_precision(CpuPath path)
    {
        foreach (var m in Edges)
        {
            foreach (var n in Edges)
            {
                foreach (var k in (int[])[0, 1, 2, 7, 8, 9, 16, 33]) AssertAgrees(path, m, n, k);
            }
        }
    }

    [Theory, MemberData(nameof(Paths))]
    public void Products_larger_than_a_block_agree_too(CpuPath path)
    {
        foreach (var (m, n, k) in ((int, int, int)[])[(150, 70, 1100), (110, 300, 520), (3, 2, 700), (1, 300, 1100), (2, 100, 700), (70, 64, 513), (20, 260, 515), (9, 600, 300)])
        {
            AssertAgrees(path, m, n, k);
        }
    }

    [Theory, MemberData(nameof(Paths))]
    public void A_row_of_the_result_depends_only_on_its_row(CpuPath path)
    {
        foreach (var (n, k) in ((int, int)[])[(1, 128), (2, 64), (3, 128), (7, 128), (7, 33), (16, 36), (40, 600), (130, 1030)])
        {
            const int Rows = 150;
            float[] a = Numbers(Rows * k, 1), b = Numbers(k * n, 2), whole = new float[Rows * n], parts = new float[Rows * n];
            Gemm.Multiply(path, Rows, n, k, a, false, b, false, whole, false);
            for (int first = 0, count = 1; first < Rows; first += count, count = Math.Min(count + 3, Rows - first))
            {
                Gemm.Multiply(path, count, n, k, a.AsSpan(first * k), false, b, false, parts.AsSpan(first * n), false);
            }
            Assert.Equal(whole, parts);
        }
    }

    [Theory, MemberData(nameof(Paths))]
    public void One_or_two_rows_give_the_bits_that_more_give_zeros_included(CpuPath path)
    {
        foreach (var n in (int[])[1, 9, 15, 16, 17, 33, 64, 65, 100, 128, 129, 144, 200, 260])
        {
            foreach (var k in (int[])[1, 15, 16, 17, 100, 511, 512, 513, 1100])
            {
                const int Rows = 7;
                float[] a = Numbers(Rows * k, 1), b = Numbers(k * n, 2), whole = Numbers(Rows * n, 3);
                for (var i = 0; i < a.Length; i++) a[i] = MathF.Max(0, a[i]);
                foreach (var accumulate in (bool[])[true, false])
                {
                    var parts = whole.ToArray();
                    Gemm.Multiply(path, Rows, n, k, a, false, b, false, whole, accumulate);
                    for (int first = 0, count = 1; first < Rows; first += count, count = 3 - count)
                    {
                        Gemm.Multiply(path, count, n, k, a.AsSpan(first * k), false, b, false, parts.AsSpan(first * n), accumulate);
                    }
                    Assert.Equal(whole, parts);
                }
            }
        }
    }

    [Theory, MemberData(nameof(Paths))]
    public void How_operands_are_stored_does_not_change_a_bit(CpuPath path)
    {
        foreach (var (m, n, k) in ((int, int, int)[])[(100, 9, 17), (13, 130, 600), (64, 33, 33), (300, 20, 1030), (16, 500, 100)])
        {
            float[] a = Numbers(m * k, 3), b = Numbers(k * n, 4), start = Numbers(m * n, 5);
            var expected = start.ToArray();
            Gemm.Multiply(path, m, n, k, a, false, b, false, expected, true);
            for (var layout = 1; layout < 4; layout++)
            {
                var (transposeA, transposeB) = ((layout & 1) != 0, (layout & 2) != 0);
                var actual = start.ToArray();
                Gemm.Multiply(
                    path, m, n, k, transposeA ? Transposed(a, m, k) : a, transposeA, transposeB ? Transposed(b, k, n) : b, transposeB, actual, true);
                Assert.Equal(expected, actual);
            }
        }
    }

    [Fact]
    public void Parts_of_matrices_are_multiplied_where_they_lie()
    {
        const int M = 60, N = 80, K = 50, Wide = 100;
        float[] a = Numbers(Wide * Wide, 11), b = Numbers(Wide * Wide, 12), start = Numbers(Wide * Wide, 13);
        for (var layout = 0; layout < 8; layout++)
        {
            var (transposeA, transposeB, accumulate) = ((layout & 1) != 0, (layout & 2) != 0, (layout & 4) != 0);
            foreach (var (m, n) in ((int, int)[])[(M, N), (9, 7), (20, 1), (30, 16), (N, M)])
            {
                var actual = start.ToArray();
                Gemm.Multiply(m, n, K, a.AsSpan(3), Wide, transposeA, b.AsSpan(5), Wide, transposeB, actual.AsSpan(7), Wide, accumulate);
                for (var index = 0; index < actual.Length; index++)
                {
                    var (i, j) = (Math.Max(0, index - 7) / Wide, (index + Wide - 7) % Wide);
                    double expected = start[index];
                    if (index >= 7 && i < m && j < n)
                    {
                        if (!accumulate) expected = 0;
                        for (var p = 0; p < K; p++)
                        {
                            expected += (double)a[3 + (transposeA ? p * Wide + i : i * Wide + p)] * b[5 + (transposeB ? j * Wide + p : p * Wide + j)];
                        }
                    }
                    Assert.Equal(expected, actual[index], 2e-5);
                }
            }
        }
        Assert.Throws<ArgumentException>(() => Gemm.Multiply(2, 2, 2, a, 1, false, b, 2, false, start, 2, false));
    }

    [Fact]
    public void Shards_of_a_gradient_of_weights_add_up_to_the_same_bits()
    {
        const int M = 200, K = 600;
        foreach (var n in (int[])[1, 7, 32, 80])
        {
            float[] a = Numbers(K * M, 14), b = Numbers(K * n, 15), whole = Numbers(M * n, 16), byRows = whole.ToArray(), byColumns = whole.ToArray();
            Gemm.Multiply(M, n, K, a, true, b, false, whole, true);
            for (var i = 0; i < M; i += 30)
            {
                Gemm.Multiply(Math.Min(30, M - i), n, K, a.AsSpan(i), M, true, b, n, false, byRows.AsSpan(i * n), n, true);
            }
            Assert.Equal(whole, byRows);
            for (var j = 0; j < n; j += 48)
            {
                Gemm.Multiply(M, Math.Min(48, n - j), K, a, M, true, b.AsSpan(j), n, false, byColumns.AsSpan(j), n, true);
            }
            Assert.Equal(whole, byColumns);
        }
    }

    [Fact]
    public void Repeated_products_allocate_nothing()
    {
        float[] a = Numbers(100 * 200, 6), b = Numbers(200 * 40, 7), c = new float[100 * 200];
        Multiply();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Multiply();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Multiply()
        {
            Gemm.Multiply(100, 40, 200, a, false, b, false, c, false);
            Gemm.Multiply(200, 40, 100, a, true, b, false, c, true);
            Gemm.Multiply(100, 40, 200, a, false, b, true, c, false);
            Gemm.Multiply(100, 7, 200, a, false, b, false, c, false);
        }
    }

    [Fact]
    public void Spans_that_are_too_short_are_refused_by_name()
    {
        float[] six = new float[6], five = new float[5];
        Assert.Equal("a", Assert.Throws<ArgumentException>(() => Gemm.Multiply(2, 2, 3, five, false, six, false, six, false)).ParamName);
        Assert.Equal("b", Assert.Throws<ArgumentException>(() => Gemm.Multiply(2, 2, 3, six, false, five, false, six, false)).ParamName);
        Assert.Equal("c", Assert.Throws<ArgumentException>(() => Gemm.Multiply(2, 3, 2, six, false, six, false, five, false)).ParamName);
        Assert.Throws<ArgumentException>(() => Gemm.Multiply(-1, 3, 2, six, false, six, false, six, false));
    }

    private static void AssertAgrees(CpuPath path, int m, int n, int k)
    {
        const int Guard = 20;
        float[] a = Numbers(m * k, 8), b = Numbers(k * n, 9), start = Numbers(m * n + Guard, 10);
        float[] aTransposed = Transposed(a, m, k), bTransposed = Transposed(b, k, n);
        var product = Product(m, n, k, a, bTransposed);
        var tolerance = 3e-6 * (1 + Math.Sqrt(k));
        for (var layout = 0; layout < 8; layout++)
        {
            var (transposeA, transposeB, accumulate) = ((layout & 1) != 0, (layout & 2) != 0, (layout & 4) != 0);
            var actual = start.ToArray();
            Gemm.Multiply(
                path, m, n, k, transposeA ? aTransposed : a, transposeA, transposeB ? bTransposed : b, transposeB, actual.AsSpan(0, m * n), accumulate);
            for (var i = 0; i < m * n; i++)
            {
                var expected = product[i] + (accumulate ? start[i] : 0);
                if (Math.Abs(expected - actual[i]) <= tolerance) continue;
                Assert.Fail($"{path} [{m}, {k}]·[{k}, {n}], transposed {transposeA} {transposeB}: element {i} is {actual[i]}, not {expected}.");
            }
            Assert.Equal(start[(m * n)..], actual[(m * n)..]);
        }
    }

    private static double[] Product(int m, int n, int k, float[] a, float[] bTransposed)
    {
        var product = new double[m * n];
        for (var i = 0; i < product.Length; i++)
        {
            ReadOnlySpan<float> row = a.AsSpan(i / n * k, k), column = bTransposed.AsSpan(i % n * k, k);
            for (var p = 0; p < k; p++) product[i] += (double)row[p] * column[p];
        }
        return product;
    }

    private static float[] Transposed(float[] a, int rows, int columns)
    {
        var transposed = new float[a.Length];
        for (var i = 0; i < a.Length; i++) transposed[i % columns * rows + i / columns] = a[i];
        return transposed;
    }
}
