using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rl.Distributed.Core.Networks;

/// <summary>The passes over activations that are not matrix products; each touches its data once.</summary>
/// <remarks>Matrices are row-major [rows, n]. A null activation is the identity.</remarks>
internal static class ElementKernels
{
    private const int Lanes = 16;

    /// <summary>values[r, j] = activation(values[r, j] + bias[j]), with n = bias.Length.</summary>
    public static void AddBiasAndActivate(Span<float> values, ReadOnlySpan<float> bias, Activation? activation)
    {
        switch (activation)
        {
            case Activation.Relu: ForEach<Rectify>(values, bias); break;
            case Activation.Tanh: ForEach<HyperbolicTangent>(values, bias); break;
            default: ForEach<Identity>(values, bias); break;
        }
    }

    /// <summary>outputGradient ∘= activation'(…), told from the output; biasGradient[j] += the sum of column j of the result.</summary>
    public static void ActivationBackward(
        ReadOnlySpan<float> output, Span<float> outputGradient, Activation? activation, Span<float> biasGradient)
    {
        switch (activation)
        {
            case Activation.Relu: Backward<Rectify>(output, outputGradient, biasGradient); break;
            case Activation.Tanh: Backward<HyperbolicTangent>(output, outputGradient, biasGradient); break;
            default: Backward<Identity>(output, outputGradient, biasGradient); break;
        }
    }

    private static void ForEach<T>(Span<float> values, ReadOnlySpan<float> bias)
        where T : IActivation
    {
        var n = bias.Length;
        ref var row = ref MemoryMarshal.GetReference(values);
        ref var b = ref MemoryMarshal.GetReference(bias);
        for (var rows = values.Length / n; rows > 0; rows--, row = ref Unsafe.Add(ref row, n))
        {
            var j = 0;
            for (; j <= n - Lanes; j += Lanes)
                T.Apply(Vector512.LoadUnsafe(ref row, (nuint)j) + Vector512.LoadUnsafe(ref b, (nuint)j)).StoreUnsafe(ref row, (nuint)j);
            for (; j < n; j++) Unsafe.Add(ref row, j) = T.Apply(Unsafe.Add(ref row, j) + Unsafe.Add(ref b, j));
        }
    }

    private static void Backward<T>(ReadOnlySpan<float> output, Span<float> gradient, Span<float> biasGradient)
        where T : IActivation
    {
        var n = biasGradient.Length;
        var rows = gradient.Length / n;
        var j = 0;
        for (; j <= n - 4 * Lanes; j += 4 * Lanes)
        {
            ref var y = ref Unsafe.Add(ref MemoryMarshal.GetReference(output), j);
            ref var g = ref Unsafe.Add(ref MemoryMarshal.GetReference(gradient), j);
            Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
            for (var r = 0; r < rows; r++, y = ref Unsafe.Add(ref y, n), g = ref Unsafe.Add(ref g, n))
            {
                s0 += BackwardStep<T>(ref y, ref g);
                s1 += BackwardStep<T>(ref Unsafe.Add(ref y, Lanes), ref Unsafe.Add(ref g, Lanes));
                s2 += BackwardStep<T>(ref Unsafe.Add(ref y, 2 * Lanes), ref Unsafe.Add(ref g, 2 * Lanes));
                s3 += BackwardStep<T>(ref Unsafe.Add(ref y, 3 * Lanes), ref Unsafe.Add(ref g, 3 * Lanes));
            }
            ref var sums = ref biasGradient[j];
            (Vector512.LoadUnsafe(ref sums) + s0).StoreUnsafe(ref sums);
            (Vector512.LoadUnsafe(ref sums, Lanes) + s1).StoreUnsafe(ref sums, Lanes);
            (Vector512.LoadUnsafe(ref sums, 2 * Lanes) + s2).StoreUnsafe(ref sums, 2 * Lanes);
            (Vector512.LoadUnsafe(ref sums, 3 * Lanes) + s3).StoreUnsafe(ref sums, 3 * Lanes);
        }
        for (; j <= n - Lanes; j += Lanes)
        {
            ref var y = ref Unsafe.Add(ref MemoryMarshal.GetReference(output), j);
            ref var g = ref Unsafe.Add(ref MemoryMarshal.GetReference(gradient), j);
            Vector512<float> sum = default;
            for (var r = 0; r < rows; r++, y = ref Unsafe.Add(ref y, n), g = ref Unsafe.Add(ref g, n)) sum += BackwardStep<T>(ref y, ref g);
            (Vector512.LoadUnsafe(ref biasGradient[j]) + sum).StoreUnsafe(ref biasGradient[j]);
        }
        if (j == n) return;
        for (var r = 0; r < rows; r++)
        {
            for (var k = j; k < n; k++)
            {
                var value = T.Backward(output[r * n + k], gradient[r * n + k]);
                gradient[r * n + k] = value;
                biasGradient[k] += value;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> BackwardStep<T>(ref float output, ref float gradient)
        where T : IActivation
    {
        var value = T.Backward(Vector512.LoadUnsafe(ref output), Vector512.LoadUnsafe(ref gradient));
        value.StoreUnsafe(ref gradient);
        return value;
    }
}
