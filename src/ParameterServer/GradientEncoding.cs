using System.Runtime.InteropServices;

namespace Rl.Distributed.ParameterServer;

/// <summary>How a gradient's numbers are written into a message.</summary>
public enum GradientEncoding
{
    /// <summary>As they are, little-endian.</summary>
    Float32,

    /// <summary>Half precision, each divided by one power of two.</summary>
    Float16,
}

/// <summary>A gradient to bytes and back.</summary>
/// <remarks>
/// Float16 divides by the power of two that brings the largest number into 2¹⁴ … 2¹⁵: nothing overflows, and the division loses nothing.
/// Then a number g has a relative error of 2⁻¹¹ at most where |g| ≥ 2⁻²⁸ max|g|, and below that an absolute one of 2⁻³⁹ max|g|.
/// </remarks>
public static class GradientEncodings
{
    private const int HighestExponent = 14;

    // Its inverse is a number, and so is 2¹⁵ times it.
    private const int LowestScale = -126;

    /// <summary>Bytes of one number.</summary>
    public static int BytesPerValue(GradientEncoding encoding) => encoding == GradientEncoding.Float16 ? 2 : sizeof(float);

    /// <summary>Writes factor·gradient.</summary>
    /// <param name="gradient">The gradient.</param>
    /// <param name="factor">What it is multiplied by first: clipping.</param>
    /// <param name="encoding">How.</param>
    /// <param name="bytes">As many as it takes.</param>
    /// <returns>The scale that <see cref="Decode"/> needs. NaN and infinity stay what they are, for the receiver to refuse.</returns>
    public static float Encode(ReadOnlySpan<float> gradient, float factor, GradientEncoding encoding, Span<byte> bytes)
    {
        if (encoding == GradientEncoding.Float32)
        {
            var values = MemoryMarshal.Cast<byte, float>(bytes);
            for (var i = 0; i < gradient.Length; i++) values[i] = factor * gradient[i];
            return 1;
        }
        var max = 0f;
        foreach (var value in gradient) max = MathF.Max(max, MathF.Abs(factor * value));
        var scale = max > 0 && float.IsFinite(max) ? MathF.ScaleB(1, Math.Max(LowestScale, MathF.ILogB(max) - HighestExponent)) : 1;
        var inverse = 1 / scale;
        var halves = MemoryMarshal.Cast<byte, Half>(bytes);
        for (var i = 0; i < gradient.Length; i++) halves[i] = (Half)(factor * gradient[i] * inverse);
        return scale;
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; bytes and values have the same count of numbers.</summary>
    public static void Decode(ReadOnlySpan<byte> bytes, GradientEncoding encoding, float scale, Span<float> values)
    {
        if (encoding == GradientEncoding.Float32)
        {
            bytes.CopyTo(MemoryMarshal.AsBytes(values));
            return;
        }
        var halves = MemoryMarshal.Cast<byte, Half>(bytes);
        for (var i = 0; i < values.Length; i++) values[i] = scale * (float)halves[i];
    }
}
