namespace Rl.Distributed.Core.Numerics;

/// <summary>Single-precision matrix products of row-major matrices.</summary>
/// <remarks>Each element of c is summed over k in an order that k, n and the layouts decide, so a row of c depends on
/// nothing but its row of a: neither on how many rows there are nor on how they are shared out between threads. Results
/// of different <see cref="CpuPath"/>s differ by rounding. A zero of a may hide what is
/// infinite or not a number in b. Thread-safe; a thread's scratch memory grows to its largest
/// product.</remarks>
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
    public static void Multiply(
        CpuPath path, int m, int n, int k, ReadOnlySpan<float> a, bool transposeA, ReadOnlySpan<float> b, bool transposeB,
        Span<float> c, bool accumulate)
        => Run(path, m, n, k, a, transposeA ? m : k, transposeA, b, transposeB ? k : n, transposeB, c, n, accumulate);

    /// <summary>The same for parts of larger matrices, such as a shard's columns of a transposed a or of c.</summary>
    /// <remarks>A stride is the distance between the starts of two stored rows, a span starts at the part's first element.
    /// To share out the columns of c without changing a bit, let every part but the last have a multiple of 16.</remarks>
    /// <exception cref="ArgumentException">A size is negative, a stride is less than a stored row, or a span is too short.</exception>
    public static void Multiply(
        int m, int n, int k, ReadOnlySpan<float> a, int aStride, bool transposeA, ReadOnlySpan<float> b, int bStride, bool transposeB,
        Span<float> c, int cStride, bool accumulate)
        => Run(CpuPaths.Current, m, n, k, a, aStride, transposeA, b, bStride, transposeB, c, cStride, accumulate);

    internal static unsafe void Blocked(
        CpuPath path, int m, int n, int k, float* a, int aStride, bool transposeA, float* b, int bStride, bool transposeB,
        float* c, int cStride, bool accumulate)
    {
        switch (path)
        {
            case CpuPath.Avx512:
                BlockedGemm<Avx512Tile>.Multiply(m, n, k, a, aStride, transposeA, b, bStride, transposeB, c, cStride, accumulate);
                break;
            case CpuPath.Avx2:
                BlockedGemm<Avx2Tile>.Multiply(m, n, k, a, aStride, transposeA, b, bStride, transposeB, c, cStride, accumulate);
                break;
            default:
                BlockedGemm<PortableTile>.Multiply(m, n, k, a, aStride, transposeA, b, bStride, transposeB, c, cStride, accumulate);
                break;
        }
    }

    private static unsafe void Run(
        CpuPath path, int m, int n, int k,
        ReadOnlySpan<float> a, int aStride, bool transposeA, ReadOnlySpan<float> b, int bStride, bool transposeB,
        Span<float> c, int cStride, bool accumulate)
    {
        Check(nameof(a), a.Length, transposeA ? k : m, transposeA ? m : k, aStride);
        Check(nameof(b), b.Length, transposeB ? n : k, transposeB ? k : n, bStride);
        Check(nameof(c), c.Length, m, n, cStride);
        if (m == 0 || n == 0) return;
        if (path == CpuPath.Scalar || k == 0)
        {
            ScalarGemm.Multiply(m, n, k, a, aStride, transposeA, b, bStride, transposeB, c, cStride, accumulate);
            return;
        }
        fixed (float* pa = a, pb = b, pc = c)
        {
            if (HeadGemm.Fits(path, n, k, transposeA))
            {
                HeadGemm.Multiply(m, n, k, pa, aStride, pb, bStride, transposeB, pc, cStride, accumulate);
            }
            else if (RowGemm.Fits(path, m, n, transposeA, transposeB))
            {
                RowGemm.Multiply(m, n, k, pa, aStride, pb, bStride, pc, cStride, accumulate);
            }
            else if (SwappedGemm.IsFaster(m, n, k, transposeA, transposeB))
            {
                SwappedGemm.Multiply(path, m, n, k, pa, aStride, transposeA, pb, bStride, transposeB, pc, cStride, accumulate);
            }
            else
            {
                Blocked(path, m, n, k, pa, aStride, transposeA, pb, bStride, transposeB, pc, cStride, accumulate);
            }
        }
    }

    private static void Check(string name, int length, int rows, int columns, int stride)
    {
        if (rows < 0 || columns < 0) throw new ArgumentException($"{name} is [{rows}, {columns}]: a size is negative.", name);
        if (stride < columns) throw new ArgumentException($"{name}'s rows of {columns} elements overlap at a stride of {stride}.", name);
        var needed = rows == 0 || columns == 0 ? 0 : (rows - 1L) * stride + columns;
        if (length < needed)
            throw new ArgumentException(
                $"{name} has {length} elements, [{rows}, {columns}] at a stride of {stride} needs {needed}.", name);
    }
}
