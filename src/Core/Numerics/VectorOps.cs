using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Numerics;

/// <summary>Linear algebra of vectors: multiples, bounds, reductions.</summary>
/// <remarks>Results are the same wherever there are vectors, and elementwise ones everywhere: products are rounded
/// before they are added, and reductions add up a fixed number of partial sums in a fixed order. The scalar twins are in
/// <see cref="ScalarKernels"/>.</remarks>
/// <exception cref="ArgumentException">The lengths do not fit together.</exception>
public static unsafe class VectorOps
{
    private const int Lanes = 16;

    /// <summary>x = value everywhere.</summary>
    public static void Fill(Span<float> x, float value) => x.Fill(value);

    /// <summary>y += alpha * x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Axpy(float alpha, ReadOnlySpan<float> x, Span<float> y)
    {
        Lengths.CheckEqual(x.Length, y.Length);
        var i = 0;
        fixed (float* from = x, to = y)
        {
            if (Vector128.IsHardwareAccelerated)
            {
                for (; i <= x.Length - Lanes; i += Lanes) (Vector512.Load(to + i) + alpha * Vector512.Load(from + i)).Store(to + i);
            }
            for (; i < x.Length; i++) to[i] += alpha * from[i];
        }
    }

    /// <summary>x *= alpha.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(float alpha, Span<float> x)
    {
        var i = 0;
        fixed (float* p = x)
        {
            if (Vector128.IsHardwareAccelerated)
            {
                for (; i <= x.Length - Lanes; i += Lanes) (alpha * Vector512.Load(p + i)).Store(p + i);
            }
            for (; i < x.Length; i++) p[i] *= alpha;
        }
    }

    /// <summary>x = min(max(x, low), high); what is not a number stays so.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Clip(Span<float> x, float low, float high)
    {
        if (!(low <= high)) throw new ArgumentException($"Cannot clip to [{low}, {high}]: the lower bound must not exceed the upper.");
        var i = 0;
        fixed (float* p = x)
        {
            if (Vector128.IsHardwareAccelerated)
            {
                var (lows, highs) = (Vector512.Create(low), Vector512.Create(high));
                for (; i <= x.Length - Lanes; i += Lanes) Vector512.Min(highs, Vector512.Max(lows, Vector512.Load(p + i))).Store(p + i);
            }
            for (; i < x.Length; i++) p[i] = MathF.Min(high, MathF.Max(low, p[i]));
        }
    }

    /// <summary>Σ x[i] y[i], in double precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        Lengths.CheckEqual(x.Length, y.Length);
        var (sum, i) = (0.0, 0);
        fixed (float* p = x, q = y)
        {
            if (Vector128.IsHardwareAccelerated)
            {
                Vector512<double> a = Vector512<double>.Zero, b = a, c = a, d = a;
                for (; i <= x.Length - 2 * Lanes; i += 2 * Lanes)
                {
                    Vector512<float> x0 = Vector512.Load(p + i), x1 = Vector512.Load(p + i + Lanes);
                    Vector512<float> y0 = Vector512.Load(q + i), y1 = Vector512.Load(q + i + Lanes);
                    a += Vector512.WidenLower(x0) * Vector512.WidenLower(y0);
                    b += Vector512.WidenUpper(x0) * Vector512.WidenUpper(y0);
                    c += Vector512.WidenLower(x1) * Vector512.WidenLower(y1);
                    d += Vector512.WidenUpper(x1) * Vector512.WidenUpper(y1);
                }
                sum = Vector512.Sum(a + b + (c + d));
            }
            for (; i < x.Length; i++) sum += (double)p[i] * q[i];
        }
        return sum;
    }

    /// <summary>Σ x[i]², in double precision.</summary>
    public static double SumOfSquares(ReadOnlySpan<float> x) => Dot(x, x);

    /// <summary>sums[j] = Σ x[i, j] over the rows i in ascending order, or sums[j] += it: x is [rows, sums.Length].
    /// The gradient of a bias.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ColumnSums(ReadOnlySpan<float> x, Span<float> sums, bool accumulate)
    {
        if (!Vector128.IsHardwareAccelerated)
        {
            ScalarKernels.ColumnSums(x, sums, accumulate);
            return;
        }
        Lengths.CheckMultiple(x.Length, sums.Length);
        if (!accumulate) sums.Clear();
        if (x.Length == 0) return;
        var (columns, j) = (sums.Length, 0);
        fixed (float* from = x, to = sums)
        {
            for (; j <= columns - 4 * Lanes; j += 4 * Lanes)
            {
                Vector512<float> a = Vector512.Load(to + j), b = Vector512.Load(to + j + Lanes);
                Vector512<float> c = Vector512.Load(to + j + 2 * Lanes), d = Vector512.Load(to + j + 3 * Lanes);
                for (float* row = from + j, end = from + x.Length; row < end; row += columns)
                {
                    a += Vector512.Load(row);
                    b += Vector512.Load(row + Lanes);
                    c += Vector512.Load(row + 2 * Lanes);
                    d += Vector512.Load(row + 3 * Lanes);
                }
                a.Store(to + j);
                b.Store(to + j + Lanes);
                c.Store(to + j + 2 * Lanes);
                d.Store(to + j + 3 * Lanes);
            }
            for (; j < columns; j += Lanes) SumOneVector(from, x.Length, to, columns, j);
        }
    }

    /// <summary>Columns j … j + 15, as far as there are any; lanes past the last column add up the next rows' numbers
    /// and are dropped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumOneVector(float* x, int count, float* sums, int columns, int j)
    {
        var used = Math.Min(Lanes, columns - j);
        var lanes = stackalloc float[Lanes];
        for (var lane = 0; lane < used; lane++) lanes[lane] = sums[j + lane];
        var total = Vector512.Load(lanes);
        var i = j;
        for (; i <= count - Lanes; i += columns) total += Vector512.Load(x + i);
        total.Store(lanes);
        for (; i < count; i += columns)
        {
            for (var lane = 0; lane < used; lane++) lanes[lane] += x[i + lane];
        }
        for (var lane = 0; lane < used; lane++) sums[j + lane] = lanes[lane];
    }
}
