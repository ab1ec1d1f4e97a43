using System.Runtime.Intrinsics;
using System.Runtime.CompilerServices;

namespace Rl.Distributed.Core.Numerics;

/// <summary>Elementary functions of vectors, by the polynomials of Cephes (Moshier) and the rational function of Eigen.</summary>
/// <remarks>A machine with narrower vectors works on parts of these 16 lanes; results differ only where it has no
/// fused multiply-add. Errors against double precision, over the range in which the result is a normal number: Exp and Log 2 ulp,
/// Tanh 4 ulp, Sigmoid 4 ulp.</remarks>
internal static class VectorMath
{
    /// <summary>e^x; 0 below -104, infinity above 88.73.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        // x = n ln 2 + r; adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
        var magic = Vector512.Create(12582912f);
        x = Vector512.MinNative(Vector512.Create(89f), Vector512.MaxNative(Vector512.Create(-104f), x));
        var shifted = Vector512.MultiplyAddEstimate(x, Vector512.Create(1.44269504088896341f), magic);
        var p = Mantissa(x, shifted - magic);

        // 2^n in two factors, since n reaches from -150 to 128.
        var n = shifted.AsInt32() - magic.AsInt32();
        var half = Vector512.ShiftRightArithmetic(n, 1);
        return p * PowerOfTwo(half) * PowerOfTwo(n - half);
    }

    /// <summary>e^x for x up to 0, with a little less work; exactly 0 below -88, which includes -∞.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ExpOfNonPositive(Vector512<float> x)
    {
        // With the exponent's bias in the sum's low bits, a shift makes 2^n of it, and 0 of n = -127.
        var magic = Vector512.Create(12582912f + 127);
        x = Vector512.MaxNative(Vector512.Create(-88f), x);
        var shifted = Vector512.MultiplyAddEstimate(x, Vector512.Create(1.44269504088896341f), magic);
        return Mantissa(x, shifted - magic) * Vector512.ShiftLeft(shifted.AsInt32(), 23).AsSingle();
    }

    /// <summary>The natural logarithm of positive normal numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log(Vector512<float> x)
    {
        // x = 2^e (1 + f), 1 + f between sqrt(1/2) and sqrt(2).
        var bits = x.AsInt32();
        var e = Vector512.ShiftRightArithmetic(bits - Vector512.Create(0x3F3504F3), 23);
        var f = (bits - Vector512.ShiftLeft(e, 23)).AsSingle() - Vector512<float>.One;
        var exponent = Vector512.ConvertToSingle(e);
        var z = f * f;
        var p = Vector512.MultiplyAddEstimate(Vector512.Create(7.0376836292e-2f), f, Vector512.Create(-1.1514610310e-1f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(1.1676998740e-1f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(-1.2420140846e-1f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(1.4249322787e-1f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(-1.6668057665e-1f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(2.0000714765e-1f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(-2.4999993993e-1f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(3.3333331174e-1f));
        var y = Vector512.MultiplyAddEstimate(exponent, Vector512.Create(-2.12194440e-4f), p * f * z);
        y = Vector512.MultiplyAddEstimate(z, Vector512.Create(-0.5f), y);
        return Vector512.MultiplyAddEstimate(exponent, Vector512.Create(0.693359375f), f + y);
    }

    /// <summary>tanh x, odd and within [-1, 1].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x)
    {
        var limit = Vector512.Create(7.90531110763549805f);
        x = Vector512.MinNative(limit, Vector512.MaxNative(-limit, x));
        var z = x * x;
        var p = Vector512.MultiplyAddEstimate(Vector512.Create(-2.76076847742355e-16f), z, Vector512.Create(2.00018790482477e-13f));
        p = Vector512.MultiplyAddEstimate(p, z, Vector512.Create(-8.60467152213735e-11f));
        p = Vector512.MultiplyAddEstimate(p, z, Vector512.Create(5.12229709037114e-08f));
        p = Vector512.MultiplyAddEstimate(p, z, Vector512.Create(1.48572235717979e-05f));
        p = Vector512.MultiplyAddEstimate(p, z, Vector512.Create(6.37261928875436e-04f));
        p = Vector512.MultiplyAddEstimate(p, z, Vector512.Create(4.89352455891786e-03f));
        var q = Vector512.MultiplyAddEstimate(Vector512.Create(1.19825839466702e-06f), z, Vector512.Create(1.18534705686654e-04f));
        q = Vector512.MultiplyAddEstimate(q, z, Vector512.Create(2.26843463243900e-03f));
        q = Vector512.MultiplyAddEstimate(q, z, Vector512.Create(4.89352518554385e-03f));
        return Vector512.MinNative(Vector512<float>.One, Vector512.MaxNative(-Vector512<float>.One, x * p / q));
    }

    /// <summary>1 / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Exp(-x));

    /// <summary>e^(x - n ln 2), n being the integer next to x / ln 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Mantissa(Vector512<float> x, Vector512<float> n)
    {
        var r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-0.693359375f), x);
        r = Vector512.MultiplyAddEstimate(n, Vector512.Create(2.12194440e-4f), r);
        var p = Vector512.MultiplyAddEstimate(Vector512.Create(1.9875691500e-4f), r, Vector512.Create(1.3981999507e-3f));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(8.3334519073e-3f));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(4.1665795894e-2f));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(1.6666665459e-1f));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(5.0000001201e-1f));
        return Vector512.MultiplyAddEstimate(p, r * r, r) + Vector512<float>.One;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> PowerOfTwo(Vector512<int> n) => Vector512.ShiftLeft(n + Vector512.Create(127), 23).AsSingle();
}
