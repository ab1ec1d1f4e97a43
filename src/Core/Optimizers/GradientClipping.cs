using System.Numerics;
using System.Runtime.InteropServices;

namespace Rl.Distributed.Core.Optimizers;

/// <summary>Keeps gradients small: by the length of the whole vector, or element by element.</summary>
public static class GradientClipping
{
    /// <summary>Scales the gradient to at most <paramref name="maxNorm"/>; returns its length before.</summary>
    /// <remarks>As torch: gradient ← gradient·min(1, maxNorm / (norm + 1e-6)). A length that is not finite leaves the gradient as it
    /// is: the caller then drops it.</remarks>
    public static float ByGlobalNorm(Span<float> gradient, float maxNorm)
    {
        var norm = Norm(gradient);
        var scale = Scale(norm, maxNorm);
        if (scale != 1f) Multiply(gradient, scale);
        return norm;
    }

    /// <summary>The factor of <see cref="ByGlobalNorm"/>, for <see cref="IOptimizer.Step"/>, which then needs no pass of its own; 1 if
    /// the norm is not finite.</summary>
    /// <exception cref="ArgumentOutOfRangeException">maxNorm is negative or NaN.</exception>
    public static float Scale(float norm, float maxNorm)
    {
        if (!(maxNorm >= 0f))
        {
            throw new ArgumentOutOfRangeException(
                nameof(maxNorm), maxNorm, "The greatest norm must be 0 or more; infinity means no clipping.");
        }
        return float.IsFinite(norm) ? Math.Min(1f, maxNorm / (norm + 1e-6f)) : 1f;
    }

    /// <summary>Cuts each element to -limit … limit, as torch.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is negative or NaN.</exception>
    public static void ByValue(Span<float> gradient, float limit)
    {
        if (!(limit >= 0f)) throw new ArgumentOutOfRangeException(nameof(limit), limit, "The limit must be 0 or more.");
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var (low, high) = (new Vector<float>(-limit), new Vector<float>(limit));
        foreach (ref var g in vectors) g = Vector.Min(Vector.Max(g, low), high);
        foreach (ref var g in gradient[(vectors.Length * Vector<float>.Count)..]) g = MathF.Min(MathF.Max(g, -limit), limit);
    }

    /// <summary>√Σ g², summed in double, so that a million parameters lose nothing. NaN or infinite if an element is.</summary>
    public static float Norm(ReadOnlySpan<float> gradient)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var (sumLow, sumHigh) = (Vector<double>.Zero, Vector<double>.Zero);
        foreach (var g in vectors)
        {
            Vector.Widen(g, out var low, out var high);
            sumLow += low * low;
            sumHigh += high * high;
        }
        return (float)Math.Sqrt(Vector.Sum(sumLow + sumHigh) + SumOfSquares(gradient[(vectors.Length * Vector<float>.Count)..]));
    }

    /// <summary>The scalar twin of <see cref="Norm"/>.</summary>
    public static float NormScalar(ReadOnlySpan<float> gradient) => (float)Math.Sqrt(SumOfSquares(gradient));

    private static double SumOfSquares(ReadOnlySpan<float> gradient)
    {
        var sum = 0.0;
        foreach (var g in gradient) sum += (double)g * g;
        return sum;
    }

    private static void Multiply(Span<float> gradient, float factor)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        foreach (ref var g in vectors) g *= factor;
        foreach (ref var g in gradient[(vectors.Length * Vector<float>.Count)..]) g *= factor;
    }
}
