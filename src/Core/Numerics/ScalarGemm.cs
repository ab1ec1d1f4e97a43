namespace Rl.Distributed.Core.Numerics;

/// <summary>The products of <see cref="Gemm"/> without vectors: what the others are held against.</summary>
internal static class ScalarGemm
{
    /// <inheritdoc cref="Gemm.Multiply(int, int, int, ReadOnlySpan{float}, bool, ReadOnlySpan{float}, bool, Span{float}, bool)"/>
    public static void Multiply(
        int m, int n, int k, ReadOnlySpan<float> a, bool transposeA, ReadOnlySpan<float> b, bool transposeB,
        Span<float> c, bool accumulate)
    {
        if (!accumulate) c[..(m * n)].Clear();
        for (var i = 0; i < m; i++)
        {
            var row = c.Slice(i * n, n);
            for (var p = 0; p < k; p++)
            {
                var x = transposeA ? a[p * m + i] : a[i * k + p];
                for (var j = 0; j < n; j++) row[j] += x * (transposeB ? b[j * k + p] : b[p * n + j]);
            }
        }
    }
}
