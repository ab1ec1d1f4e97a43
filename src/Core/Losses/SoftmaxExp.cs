using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rl.Distributed.Core.Losses;

/// <summary>eˣ for x at most 0, as a softmax needs it: half the work of the general function.</summary>
/// <remarks>
/// x = k ln 2 + r with |r| at most ½ ln 2; eʳ by the polynomial of Cephes' expf (degree 7), 2ᵏ by the exponent bits. Relative error
/// below 1.2e-7. Below -87 it stays at about 1e-38, without ever reaching 0. NaN gives NaN.
/// </remarks>
internal static class SoftmaxExp
{
    private const float Least = -87f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Of(Vector<float> x)
    {
        // The limit stands first: x86 returns the second operand if one is NaN.
        x = Vector.MaxNative(new Vector<float>(Least), x);
        var k = Vector.Round(x * new Vector<float>(1.44269504f));
        var r = Vector.FusedMultiplyAdd(k, new Vector<float>(-0.693359375f), x);
        r = Vector.FusedMultiplyAdd(k, new Vector<float>(2.12194440e-4f), r);
        var p = Vector.FusedMultiplyAdd(new Vector<float>(1.9875691500e-4f), r, new Vector<float>(1.3981999507e-3f));
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(8.3334519073e-3f));
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(4.1665795894e-2f));
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(1.6666665459e-1f));
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(5.0000001201e-1f));
        p = Vector.FusedMultiplyAdd(p, r * r, r) + Vector<float>.One;
        var power = (Vector.ConvertToInt32Native(k) + new Vector<int>(127)) << 23;
        return p * power.As<int, float>();
    }
}
