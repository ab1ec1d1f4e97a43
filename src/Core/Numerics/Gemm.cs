namespace Rl.Distributed.Core.Numerics;

/// <summary>Single-precision matrix products of row-major matrices.</summary>
/// <remarks>Each element of c is summed over k in an order that k, n and the layouts decide, so a row of c depends on nothing but its row of a:
/// neither on how many rows there are nor on how they are shared out between threads. Results of different
/// <see cref="CpuPath"/>s differ by rounding. Thread-safe; a thread's scratch memory grows to its largest product.</remarks>
public static class Gemm
{
    /// <summary>c = op(a)·op(b), or c += op(a)·op(b).</summary>
    /// <remarks>op(a) is [m, k]: a is stored [m, k], or [k, m] where transposeA. op(b) is [k, n]: b is stored [k, n],
    /// or [n, k] where transposeB. c is [m, n] and aliases neither.</remarks>
    /// <exception cref="ArgumentException">A size is negative, or a span is shorter than its matrix.</exception>
    public static void Multiply(
        int m, int n, int k, ReadOnlySpan<float> a, bool transposeA, ReadOnlySpan<float> b, bool transposeB,
        Span<float> c, bool accumulate)
        => Multiply(CpuPaths.Current, m, n, k, a, transposeA, b, transposeB, c, accumulate);

    /// <summary>The same on one of the paths that the CPU supports, for tests and comparisons.</summary>
    public static unsafe void Multiply(
        CpuPath path, int m, int n, int k, ReadOnlySpan<float> a, bool transposeA, ReadOnlySpan<float> b, bool transposeB,
        Span<float> c, bool accumulate)
    {
        Check(m, n, k, a.Length, b.Length, c.Length);
        if (m == 0 || n == 0) return;
        if (k == 0)
        {
            if (!accumulate) c[..(m * n)].Clear();
            return;
        }
        if (path == CpuPath.Scalar)
        {
            ScalarGemm.Multiply(m, n, k, a, transposeA, b, transposeB, c, accumulate);
            return;
        }
        fixed (float* pa = a, pb = b, pc = c)
        {
            if (HeadGemm.Fits(path, n, k, transposeA))
            {
                HeadGemm.Multiply(m, n, k, pa, pb, transposeB, pc, accumulate);
            }
            else if (SwappedGemm.IsFaster(m, n, k, transposeA, transposeB))
            {
                SwappedGemm.Multiply(path, m, n, k, pa, transposeA, pb, transposeB, pc, accumulate);
            }
            else
            {
                Blocked(path, m, n, k, pa, transposeA, pb, transposeB, pc, accumulate);
            }
        }
    }

    internal static unsafe void Blocked(
        CpuPath path, int m, int n, int k, float* a, bool transposeA, float* b, bool transposeB, float* c, bool accumulate)
    {
        switch (path)
        {
            case CpuPath.Avx512: BlockedGemm<Avx512Tile>.Multiply(m, n, k, a, transposeA, b, transposeB, c, accumulate); break;
            case CpuPath.Avx2: BlockedGemm<Avx2Tile>.Multiply(m, n, k, a, transposeA, b, transposeB, c, accumulate); break;
            default: BlockedGemm<PortableTile>.Multiply(m, n, k, a, transposeA, b, transposeB, c, accumulate); break;
        }
    }

    private static void Check(int m, int n, int k, int a, int b, int c)
    {
        if (m < 0 || n < 0 || k < 0) throw new ArgumentException($"A product of [{m}, {k}] and [{k}, {n}] has a negative size.");
        if (a < (long)m * k) throw new ArgumentException($"a has {a} elements, op(a) [{m}, {k}] needs {(long)m * k}.", nameof(a));
        if (b < (long)k * n) throw new ArgumentException($"b has {b} elements, op(b) [{k}, {n}] needs {(long)k * n}.", nameof(b));
        if (c < (long)m * n) throw new ArgumentException($"c has {c} elements, [{m}, {n}] needs {(long)m * n}.", nameof(c));
    }
}
