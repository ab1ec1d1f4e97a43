using System.Numerics;
using System.Runtime.InteropServices;
using Rl.Distributed.Core.Numerics;

namespace Rl.Distributed.Core.Networks;

/// <summary>Starting values of a layer: weights seen as a matrix [fanIn, outputs], biases [outputs].</summary>
public static class WeightInitializer
{
    /// <summary>The gain of hidden layers under <see cref="Initializer.Orthogonal"/>: √2 keeps the variance through a ReLU.</summary>
    public const float HiddenGain = 1.41421356f;

    private const float TruncationInDeviations = 2;

    /// <summary>Fills one layer.</summary>
    /// <param name="gain">Factor on orthogonal weights; the others have their own scale.</param>
    public static void Fill(Initializer initializer, int fanIn, float gain, Span<float> weight, Span<float> bias, ref RandomStream random)
    {
        var bound = 1 / MathF.Sqrt(fanIn);
        bias.Clear();
        switch (initializer)
        {
            case Initializer.Orthogonal:
                Orthogonal(fanIn, weight.Length / fanIn, gain, weight, ref random);
                break;
            case Initializer.FanIn:
                foreach (ref var w in weight) w = bound * TruncatedGaussian(ref random);
                break;
            default:
                foreach (ref var w in weight) w = bound * (2 * random.NextSingle() - 1);
                foreach (ref var b in bias) b = bound * (2 * random.NextSingle() - 1);
                break;
        }
    }

    /// <summary>gain times a matrix [rows, columns] with orthonormal columns (or rows, where there are fewer), uniformly
    /// distributed: Gaussian vectors made orthonormal by modified Gram-Schmidt, in double.</summary>
    public static void Orthogonal(int rows, int columns, float gain, Span<float> weight, ref RandomStream random)
    {
        var (count, length) = (Math.Min(rows, columns), Math.Max(rows, columns));
        var vectors = new double[count * length];
        foreach (ref var x in vectors.AsSpan()) x = random.NextGaussian();
        for (var i = 0; i < count; i++)
        {
            var current = vectors.AsSpan(i * length, length);
            for (var j = 0; j < i; j++)
            {
                var earlier = vectors.AsSpan(j * length, length);
                AddScaled(current, earlier, -Dot(current, earlier));
            }
            var scale = 1 / Math.Sqrt(Dot(current, current));
            foreach (ref var x in current) x *= scale;
        }
        var tall = rows >= columns;
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < columns; c++)
                weight[r * columns + c] = gain * (float)(tall ? vectors[c * length + r] : vectors[r * length + c]);
        }
    }

    private static float TruncatedGaussian(ref RandomStream random)
    {
        while (true)
        {
            var x = random.NextGaussian();
            if (MathF.Abs(x) <= TruncationInDeviations) return x;
        }
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var va = MemoryMarshal.Cast<double, Vector<double>>(a);
        var vb = MemoryMarshal.Cast<double, Vector<double>>(b);
        var sums = Vector<double>.Zero;
        for (var i = 0; i < va.Length; i++) sums += va[i] * vb[i];
        var sum = Vector.Sum(sums);
        for (var i = va.Length * Vector<double>.Count; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    private static void AddScaled(Span<double> target, ReadOnlySpan<double> addend, double scale)
    {
        var vt = MemoryMarshal.Cast<double, Vector<double>>(target);
        var va = MemoryMarshal.Cast<double, Vector<double>>(addend);
        for (var i = 0; i < vt.Length; i++) vt[i] += va[i] * scale;
        for (var i = vt.Length * Vector<double>.Count; i < target.Length; i++) target[i] += addend[i] * scale;
    }
}
