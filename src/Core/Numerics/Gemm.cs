namespace Rl.Distributed.Core.Numerics;

/// <summary>Single-precision matrix products of row-major matrices.</summary>
public static class Gemm
{
    /// <summary>c = op(a)·op(b), or c += op(a)·op(b).</summary>
    /// <remarks>op(a) is [m, k]: a is stored [m, k], or [k, m] where transposeA. op(b) is [k, n]: b is stored [k, n],
    /// or [n, k] where transposeB. c is [m, n] and aliases neither.</remarks>
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
