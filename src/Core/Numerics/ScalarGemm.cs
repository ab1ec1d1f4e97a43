namespace Rl.Distributed.Core.Numerics;

/// <summary>The products of <see cref="Gemm"/> without vectors: what the others mean.</summary>
internal static class ScalarGemm
{
    public static void Multiply(
        int m, int n, int k, ReadOnlySpan<float> a, int aStride, bool transposeA, ReadOnlySpan<float> b, int bStride, bool transposeB,
        Span<float> c, int cStride, bool accumulate)
    {
        for (var i = 0; i < m; i++)
        {
            var row = c.Slice(i * cStride, n);
            if (!accumulate) row.Clear();
            for (var p = 0; p < k; p++)
            {
                var x = transposeA ? a[p * aStride + i] : a[i * aStride + p];
                for (var j = 0; j < n; j++) row[j] += x * (transposeB ? b[j * bStride + p] : b[p * bStride + j]);
            }
        }
    }
}
